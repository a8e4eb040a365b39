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
    """Which architecture, and its options; options beside `name` go to each side that has them."""

    model_config = ConfigDict(extra="allow")

    name: str | None = None
    generator: dict[str, Any] = Field(default_factory=dict)
    """What is the generator's alone: its options, and `name` where it comes from another architecture."""
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
            if not isinstance(self.side_name(side), str):
                raise ValueError(f"say which architecture: name, or {side}")
        return self

    def side_name(self, side: str) -> str:
        """The name of the architecture that this side comes from."""
        return getattr(self, side).get("name", self.name)

    def shared(self) -> dict[str, Any]:
        """Options that go to each side that has them."""
        return dict(self.model_extra or {})

    def own(self, side: str) -> dict[str, Any]:
        """Options of one side alone."""
        return {key: value for key, value in getattr(self, side).items() if key != "name"}


class LossUse(Named):
    """One loss, the engine's keys for it, and its own options."""

    model_config = ConfigDict(extra="allow")

    name: str
    weight: float = 1.0
    every: PositiveInt = 1
    """Play it on each k-th turn only, counted k times."""
    start: NonNegativeInt = 0
    """First training step in which it plays."""
    stop: PositiveInt | None = None
    """Training step from which on it no longer plays."""

    def options(self) -> dict[str, Any]:
        """The loss's own options."""
        return dict(self.model_extra or {})


class Data(Named):
    """What is learnt from: a named data set, a folder of images, or what Python code passes in."""

    name: str = Field("mnist-10k", min_length=1)
    size: PositiveInt | None = None
    """Side of the square images in pixels; a data set's own size, or 64 for folders, if nothing is said."""
    channels: Literal[1, 3] | None = None
    """1 grey, 3 colour; what the images are, if nothing is said."""
    classes: PositiveInt | None = None
    """Number of classes, where the data cannot say."""
    root: str | None = None
    """Folder of downloaded data sets; GANZOO_DATA or a cache folder of the user, if nothing is said."""

    @property
    def from_python(self) -> bool:
        """Whether Python code gives the batches, which then have a size of their own."""
        return self.name == "batches"


PLAIN: dict[str, type[Section]] = {"train": Train, "optimizer": Optimizer, "data": Data}
"""Sections that have the same keys in every recipe."""
