"""`config.json` of a model folder, checked: it may come from a stranger."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, ValidationError, model_validator

from ganzoo._io import read_bytes
from ganzoo._version import __version__
from ganzoo.errors import BadInput

FORMAT = 1
LARGEST = 1_000_000
"""Bytes that are read at most."""
AXES = {"image": 3, "point": 1}
"""Numbers in the shape of one sample, for each kind of data that has a shape."""

Word = Annotated[str, Field(pattern=r"^[\w.+!-]{1,100}$")]


class Checked(BaseModel):
    """A table of config.json, which may come from a stranger: every value has the type it should have."""

    model_config = ConfigDict(strict=True)


class CheckedArchitecture(Checked):
    """What to build."""

    name: Word
    distribution: Word
    version: Word
    options: dict[str, Any]


class CheckedData(Checked):
    """What the generator learned from."""

    name: Annotated[str, Field(max_length=200)] = "unknown"
    kind: Literal["image", "point", "other"]
    shape: Annotated[list[PositiveInt], Field(min_length=1, max_length=3)] | None = None
    classes: list[str]

    @model_validator(mode="after")
    def _the_kind_has_its_shape(self) -> Self:
        if self.kind in AXES and len(self.shape or ()) != AXES[self.kind]:
            raise ValueError(f"{self.kind}s need a shape, of length {AXES[self.kind]}")
        return self


class CheckedWeights(Checked):
    """The one file with the weights, beside config.json."""

    file: Literal["model.safetensors"]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: NonNegativeInt


class CheckedConfig(Checked):
    """All that loading looks at; further keys are left alone."""

    format: int
    architecture: CheckedArchitecture
    latent: dict[str, list[int]]
    data: CheckedData
    weights: CheckedWeights
    training: dict[str, Any] = Field(default_factory=dict)


def read_config(folder: Path) -> dict[str, Any]:
    """The checked config of a model folder. Raises `BadInput` where it is none that this version reads."""
    path = folder / "config.json"
    config = parse_json(path)
    if isinstance(config, dict) and config.get("format", FORMAT) != FORMAT:
        raise BadInput(f"{path} has format {config['format']!r:.20}, this ganzoo {__version__} reads {FORMAT}")
    try:
        CheckedConfig.model_validate(config)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "all of it"
        raise BadInput(f"{path} is not the config of a ganzoo model: {place}: {fault['msg']}") from error
    return config


def parse_json(path: Path) -> Any:
    """The content of a JSON file of at most `LARGEST` bytes."""
    if path.stat().st_size > LARGEST:
        raise BadInput(f"{path} is too large for a config: more than {LARGEST:,} bytes")
    content = read_bytes(path)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not the config of a ganzoo model: {error}") from error
