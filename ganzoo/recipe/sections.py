"""The sections of a recipe, each with its keys, defaults and checks."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from ganzoo._numbers import parse_size, short_size
from ganzoo.engine.schedule import Number, Varying
from ganzoo.engine.settings import SIDES, Optimizer, Train
from ganzoo.engine.validation import Section


class Named(Section):
    """A section that can be written as its name alone: `data = "mnist"`."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class Architecture(Named):
    """The architecture and its options; options beside `name` apply to each side that has them."""

    model_config = ConfigDict(extra="allow")

    name: str | None = None
    """Registered name of the architecture, or a file with both networks; optional if each side has its own name."""
    generator: dict[str, Any] = Field(default_factory=dict)
    """Options of the generator alone, and `name` if it is another one: an architecture's, or `./nets.py:G`."""
    discriminator: dict[str, Any] = Field(default_factory=dict)
    """Options of the discriminator alone, and `name` if it is another one: an architecture's, or `./nets.py:D`."""

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
                raise ValueError(f"no architecture for the {side}: set name, or {side}")
        return self

    def side(self, side: str) -> dict[str, Any]:
        """Return the table of one side, "generator" or "discriminator"."""
        return self.generator if side == "generator" else self.discriminator

    def side_name(self, side: str) -> str:
        """Return the name of the architecture that this side comes from."""
        return str(self.side(side).get("name", self.name))

    def shared(self) -> dict[str, Any]:
        """Return the options that apply to each side that has them."""
        return dict(self.model_extra or {})

    def own(self, side: str) -> dict[str, Any]:
        """Return the options for one side alone."""
        return {key: value for key, value in self.side(side).items() if key != "name"}


class WithOptions(Named):
    """A section that names a loss or callback; its further keys are the options of that."""

    model_config = ConfigDict(extra="allow")

    name: str
    """Registered name, or that of a class in a file, such as `./mine.py:Mine`."""

    def options(self) -> dict[str, Any]:
        """Return the options, without the keys that every such section has."""
        return dict(self.model_extra or {})


class LossUse(WithOptions):
    """A loss, its weight and schedule, and its own options."""

    weight: Annotated[Number, Varying()] = 1.0
    """Factor of its terms."""
    every: PositiveInt = 1
    """Use it only on every k-th turn of a side, multiplied by k (lazy regularisation); 1 or more."""
    start: NonNegativeInt = 0
    """First training step that uses it, from 0."""
    stop: PositiveInt | None = None
    """First training step that no longer uses it; by default it is used to the end."""


class CallbackUse(WithOptions):
    """A callback and its options."""


class Data(Named):
    """The data to learn from: a data set by name, a folder of images, or batches that Python code passes in.

    Further keys are options of the data set.
    """

    model_config = ConfigDict(extra="allow")

    name: str = Field("mnist-10k", min_length=1)
    """Name of a data set or path of a folder; "batches" for those that Python code passes in."""
    size: PositiveInt | tuple[PositiveInt, PositiveInt] | None = None
    """Height and width of the images in pixels, one number or [height, width]; by default the data set's own or 64."""
    channels: PositiveInt | None = None
    """1 for grey, 3 for colour, 2 and 4 with opacity too (RGBA); by default 1 or 3, as the images are."""
    fit: Literal["crop", "pad", "stretch"] | None = None
    """What to do about images of other proportions: "crop" (the default), "pad" with `background`, or "stretch"."""
    classes: PositiveInt | None = None
    """Number of classes, if the data do not know it."""
    root: str | None = None
    """Folder of downloaded data sets; by default that in the variable GANZOO_DATA, else the user's cache folder."""

    range: tuple[float, float] | None = None
    """Values of images with more than 8 bits that become black and white; by default those found, or all 16 bits."""
    background: Literal["white", "black"] | None = None
    """What transparent images are put on, and what is around those that `fit` pads; by default white."""
    broken: Literal["skip", "refuse"] = "skip"
    """What to do about samples that cannot be read: "skip" takes the next one in their place."""
    workers: int | None = Field(None, ge=0, le=256)
    """Processes that read samples while training; by default up to 4. With 0 the training reads them itself."""
    holdout: float | None = Field(None, gt=0, lt=1)
    """Share of the samples that the training never sees and that samples are compared with; by default none."""

    @field_validator("size", mode="before")
    @classmethod
    def _check_size(cls, size: Any) -> Any:
        return size if size is None else short_size(*parse_size(size))

    @property
    def from_python(self) -> bool:
        """True if Python code passes the batches in, which then have a size of their own."""
        return self.name == "batches"

    def options(self) -> dict[str, Any]:
        """Return the options of the data set that are given: all keys but those of every data set."""
        table = self.model_dump(exclude_unset=True, exclude_none=True, exclude={*EVERY_DATA_SET})
        return {**table, **(self.model_extra or {})}


EVERY_DATA_SET = ("name", "classes", "broken", "workers", "holdout")
"""Keys of `[data]` that go with every data set; its own options are called otherwise."""
PLAIN_SECTIONS: dict[str, type[Section]] = {"train": Train, "optimizer": Optimizer, "data": Data}
"""The sections that have the same keys in every recipe."""
