"""A model folder on this machine. No torch here."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ganzoo._io import exists
from ganzoo._reading import read_toml
from ganzoo.errors import BadInput
from ganzoo.zoo.config import CheckedConfig, read_config

RUN_FOLDERS = ("model", "best")
"""The model folders in a run."""


@dataclass(frozen=True)
class LocalModel:
    """A model folder on this machine."""

    folder: Path

    @classmethod
    def find(cls, path: Path) -> Self:
        """Find the model folder at a path: itself, or the one in a run. Raises `BadInput` where there is none."""
        for folder in (path, path / "model"):
            if exists(folder / "config.json"):
                return cls(folder)
        raise BadInput(f"'{path}' is neither a run with a saved model nor a model folder: it has no config.json")

    @cached_property
    def config(self) -> CheckedConfig:
        """The content of config.json, read and checked when first needed. Raises `BadInput` as `read_config` does."""
        return read_config(self.folder)

    @property
    def folder_data(self) -> dict[str, Any]:
        """The section [data] of a run that learned from a folder of images; empty outside a run and for other data.

        A run knows the path. A config does not: a published model must not contain a path of this machine.
        """
        folder = self.folder.absolute()
        recipe = folder.parent / "recipe.toml"
        data = read_toml(recipe).get("data") if folder.name in RUN_FOLDERS and recipe.is_file() else None
        return data if isinstance(data, dict) and Path(str(data.get("name"))).is_absolute() else {}
