"""The sections of a recipe, each with its keys, defaults and checks."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from ganzoo.engine.settings import SIDES, Optimizer, Section, Train


class Named(Section):
    """A section that may be written as its name alone: `data = "mnist"`."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class Architecture(Named):
    """The architecture and its options; options beside `name` go to each side that has them."""

    model_config = ConfigDict(extra="allow")

    name: str | None = None
    generator: dict[str, Any] = Field(default_factory=dict)
    """Options of the generator alone, and `name` where it comes from another architecture."""
    discriminator: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _side_by_name_alone(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            value = {k: {"name": v} if k in SIDES and isinstance(v, str) else v for k, v in value.items()}
        return value

    @model_validator(mode="after")
    def _both_sides_named(self) -> Self:
        for side in SIDES:
            if not isinstance(self.side(side).get("name", self.name), str):
                raise ValueError(f"say which architecture: name, or {side}")
        return self

    def side(self, side: str) -> dict[str, Any]:
        """Return what is said for one side alone: "generator" or "discriminator"."""
        return self.generator if side == "generator" else self.discriminator

    def side_name(self, side: str) -> str:
        """Return the name of the architecture that this side comes from."""
        return str(self.side(side).get("name", self.name))

    def shared(self) -> dict[str, Any]:
        """Return the options that go to each side that has them."""
        return dict(self.model_extra or {})

    def own(self, side: str) -> dict[str, Any]:
        """Return the options of one side alone."""
        return {key: value for key, value in self.side(side).items() if key != "name"}


class WithOptions(Named):
    """A section whose further keys are the options of what it names."""

    model_config = ConfigDict(extra="allow")

    name: str

    def options(self) -> dict[str, Any]:
        """Return the options."""
        return dict(self.model_extra or {})


class LossUse(WithOptions):
    """One loss, the engine's keys for it, and its own options."""

    weight: float = 1.0
    every: PositiveInt = 1
    """Use it on each k-th turn only, multiplied by k (lazy regularisation)."""
    start: NonNegativeInt = 0
    """First training step that uses it."""
    stop: PositiveInt | None = None
    """Training step from which on it is no longer used."""


class CallbackUse(WithOptions):
    """One callback and its options."""


class Data(Named):
    """The data to learn from: a named data set, a folder of images, or batches that Python code passes in."""

    name: str = Field("mnist-10k", min_length=1)
    size: PositiveInt | None = None
    """Side of the square images in pixels; by default the data set's own, 64 for folders."""
    channels: Literal[1, 3] | None = None
    """1 grey, 3 colour; by default as the images are."""
    classes: PositiveInt | None = None
    """Number of classes, where the data cannot say."""
    root: str | None = None
    """Folder of downloaded data sets; by default GANZOO_DATA, else a cache folder of the user."""

    @property
    def from_python(self) -> bool:
        """True where Python code gives the batches, whose size is then their own."""
        return self.name == "batches"


PLAIN: dict[str, type[Section]] = {"train": Train, "optimizer": Optimizer, "data": Data}
"""Sections that have the same keys in every recipe."""
