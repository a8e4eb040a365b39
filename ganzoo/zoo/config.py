"""`config.json` of a model folder. It may come from a stranger, so every value is checked."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from ganzoo._reading import read_json
from ganzoo._version import __version__
from ganzoo.errors import BadInput

FORMAT = 1
MAX_INPUTS_BYTES = 20_000_000
"""The largest file of real inputs."""
MAX_CONFIG_BYTES = 1_000_000
"""The largest config.json that is read."""
AXES = {"image": 3, "point": 1}
"""Length of the shape of one sample, for each kind of data that has a shape."""
UNKNOWN_LICENSE = "unknown"
"""The licence of imported weights of which nobody has said one; the Hub knows it under this name."""

KindName = Annotated[str, Field(pattern=r"^([\w.-]+:)?[a-z0-9._-]+$", max_length=100)]
Key = Annotated[str, Field(min_length=1, max_length=100)]
Word = Annotated[str, Field(pattern=r"^[\w.+!-]+$", max_length=100)]  # {1,100} takes 30 ms to compile


class Checked(BaseModel):
    """A table of config.json. Values must have exactly the declared types: the string "1" is not an integer."""

    model_config = ConfigDict(strict=True, defer_build=True)


class CheckedArchitecture(Checked):
    """What to build."""

    name: Word
    distribution: Word
    version: Word
    options: dict[str, Any]
    given_as: Literal["file", "object"] | None = None
    """How the generator's class was given, if no plugin registers it; `distribution` is then its file or module."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The hash of the file."""


class CheckedSpec(Checked):
    """What one key of the data holds."""

    kind: KindName = "other"
    shape: Annotated[list[PositiveInt], Field(max_length=8)] = Field(default_factory=list)
    range: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    classes: list[str] = Field(default_factory=list)


class CheckedData(Checked):
    """What the generator learned from."""

    name: Annotated[str, Field(max_length=200)] = "unknown"
    opened_as: Literal["data set", "folder", "batches"] | None = None
    """How the data were opened; earlier configs do not say."""
    kind: KindName
    shape: Annotated[list[PositiveInt], Field(min_length=1, max_length=8)] | None = None
    classes: list[str]
    specs: dict[str, CheckedSpec] | None = None
    """What each key holds; earlier configs do not say."""
    facts: dict[str, Any] | None = None
    """All arguments that networks may take from the data; earlier configs do not have them."""
    holdout: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The share of the samples that the training never saw."""

    @model_validator(mode="after")
    def _require_shape(self) -> Self:
        if self.kind in AXES and len(self.shape or ()) != AXES[self.kind]:
            raise ValueError(f"{self.kind}s need a shape, of length {AXES[self.kind]}")
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments for the generator's constructor: the shape of each key, the number of its classes, further facts.

        Earlier configs have "image" or "point", and "classes".
        """
        found: dict[str, Any] = {"classes": len(self.classes) or None, **(self.facts or {})}
        if self.specs is None:
            return found | ({self.kind: tuple(self.shape)} if self.kind in AXES and self.shape else {})
        # JSON has no tuples.
        return found | {key: tuple(spec.shape) for key, spec in self.specs.items() if key in found and spec.shape}


class CheckedWeights(Checked):
    """The one file with the weights, beside config.json."""

    file: Literal["model.safetensors"]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: NonNegativeInt


class CheckedInput(CheckedSpec):
    """What the generator is given beside its latents. Nobody knows what it holds where the shape is null."""

    shape: Annotated[list[PositiveInt], Field(max_length=8)] | None = None  # type: ignore[assignment]
    needed: bool


class CheckedKept(Checked):
    """The file with real inputs, beside config.json."""

    file: Literal["inputs.safetensors"]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0, le=MAX_INPUTS_BYTES)]
    count: PositiveInt


class CheckedDiscriminatorWeights(Checked):
    """The file with the weights of the discriminator."""

    file: Literal["discriminator.safetensors"]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: NonNegativeInt


class CheckedDiscriminator(CheckedArchitecture):
    """The discriminator beside the generator, if it was kept."""

    weights: CheckedDiscriminatorWeights
    seen_facts: dict[str, Any] | None = None
    """What its constructor received in place of the data's own facts, since a view changed them, as packing does."""


class CheckedTraining(Checked):
    """How the generator was trained, as far as its maker says."""

    recipe: str | None = None
    steps: NonNegativeInt | None = None
    seed: int | None = None
    init: str | None = None
    """The model that the training began with."""
    init_license: Word | None = None
    """The licence of the weights of that model, "unknown" if nobody has said it; None for a model of one's own."""
    uses_pretrained: list[Word] = Field(default_factory=list)
    """The pretrained networks that the training has seen, in a network or a loss."""


class CheckedImport(Checked):
    """Where the weights come from, if another program has trained the generator."""

    format: Word
    """The importer's name."""
    distribution: Word
    version: Word
    file: Annotated[str, Field(max_length=255)]
    """The name of the file that was imported."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: NonNegativeInt
    license: Word = UNKNOWN_LICENSE
    """The licence of the weights, as whoever imported them says."""
    notes: list[str] = Field(default_factory=list)


class CheckedConfig(Checked):
    """All that loading looks at; further keys are left alone."""

    format: int
    architecture: CheckedArchitecture
    latent: dict[str, list[int]]
    data: CheckedData
    inputs: dict[Key, CheckedInput] = Field(default_factory=dict)
    """What the generator is given beside its latents; earlier configs do not say."""
    weights: CheckedWeights
    kept_inputs: CheckedKept | None = None
    """Real inputs; a run has them in a file of its own."""
    discriminator: CheckedDiscriminator | None = None
    """The network that judged the generator; only some models have it."""
    training: CheckedTraining = Field(default_factory=CheckedTraining)
    imported: CheckedImport | None = None
    """What was imported; a generator that ganzoo has trained has nothing here."""
    _table: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def pins(self) -> list[CheckedWeights | CheckedKept]:
        """The files beside config.json that samples are made with."""
        return [self.weights, *([self.kept_inputs] if self.kept_inputs else [])]

    @property
    def table(self) -> dict[str, Any]:
        """The whole content of the file as plain values, further keys included."""
        return self._table


def read_config(folder: Path) -> CheckedConfig:
    """Read and check the config of a model folder. Raises `BadInput` where this version cannot read it."""
    path = folder / "config.json"
    table = read_json(path, MAX_CONFIG_BYTES)
    if table.get("format", FORMAT) != FORMAT:
        raise BadInput(f"{path} has format {table['format']!r:.20}, this ganzoo {__version__} reads {FORMAT}")
    try:
        config = CheckedConfig.model_validate(table)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "all of it"
        raise BadInput(f"{path} is not the config of a ganzoo model: {place}: {fault['msg']}") from error
    config._table = table
    return config
