"""A model folder on this machine. No torch here."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ganzoo._io import exists, final_name
from ganzoo._reading import read_toml
from ganzoo.errors import BadInput, Error
from ganzoo.plugins.entries import INPUTS_FILE

if TYPE_CHECKING:
    from ganzoo.zoo.config import CheckedConfig

T = TypeVar("T")
MAX_SECONDS_OF_TRIES = 10
"""Seconds for which a model is read again that a training replaces meanwhile."""
EXCHANGE_SECONDS = 2
"""Seconds in which a training has surely put a new folder in the place of an old one."""
RUN_FOLDERS = ("model", "best")
"""The model folders in a run."""


@dataclass(frozen=True)
class LocalModel:
    """A model folder on this machine."""

    folder: Path

    @classmethod
    def find(cls, path: Path) -> Self:
        """Find the model folder at a path: itself, or the one in a run. Raises `BadInput` where there is none."""
        if exists(path) and not path.is_dir():
            raise BadInput(f"'{path}' is {describe_file(path)}")
        folders = (path, path / "model")

        def find() -> Path:
            for folder in folders:
                if exists(folder / "config.json"):
                    return folder
            raise BadInput(f"'{path}' is neither a run with a saved model nor a model folder: it has no config.json")

        return cls(read_settled(folders, find))

    @cached_property
    def config(self) -> "CheckedConfig":
        """The content of config.json, read and checked when first needed. Raises `BadInput` as `read_config` does."""
        from ganzoo.zoo.config import read_config  # slow to import

        return read_settled([self.folder], lambda: read_config(self.folder))

    def read(self, read: Callable[["LocalModel"], T]) -> T:
        """Return `read(model)`, which reads files of a folder; again, with a new config, where they were replaced."""
        if "config" in vars(self):  # it may be that of the files before
            with suppress(Error, OSError):
                return read(self)
        return read_settled([self.folder], lambda: read(LocalModel(self.folder)))

    @property
    def run_data(self) -> dict[str, Any]:
        """The section [data] of the run that the model is in; empty outside a run.

        A run knows paths. A config does not: a published model must not contain a path of this machine.
        """
        data = next((read_toml(run / "recipe.toml").get("data") for run in self._runs()), None)
        return data if isinstance(data, dict) else {}

    @property
    def folder_data(self) -> dict[str, Any]:
        """That section of a run that learned from a folder of images; empty for other data."""
        data = self.run_data
        return data if Path(str(data.get("name"))).is_absolute() else {}

    @property
    def inputs_file(self) -> Path | None:
        """The file of real inputs: that of the folder if the config pins one, else that of its run; None without."""
        pinned = "kept_inputs" in self.config.table
        files = [run / INPUTS_FILE for run in self._runs()]
        return self.folder / INPUTS_FILE if pinned else next((file for file in files if file.is_file()), None)

    def _runs(self) -> list[Path]:
        """Return the run that the folder is in."""
        places = self.folder.absolute(), self.folder.resolve()  # a link may lead to the run, or out of it
        runs = [place.parent for place in places if place.name in RUN_FOLDERS]
        return [run for run in runs if (run / "recipe.toml").is_file()]


def describe_file(path: Path) -> str:
    """Return what a path to no folder is, and what a model is instead."""
    inside = f", such as '{path.parent}'" if exists(path.parent / "config.json") else ""
    return f"{'a file' if path.is_file() else 'not a folder'}; a model is a folder with a config.json{inside}"


def read_settled(folders: Iterable[Path], read: Callable[[], T]) -> T:
    """Return `read()`; call it again if it fails while a training replaces one of these model folders."""
    folders, until = list(folders), time.monotonic() + MAX_SECONDS_OF_TRIES
    while True:
        before = [identify(folder) for folder in folders]
        try:
            return read()
        except (Error, OSError):
            changed = before != [identify(folder) for folder in folders] or any(map(is_in_exchange, folders))
            if not changed or time.monotonic() > until:
                raise
            time.sleep(0.01)


def identify(folder: Path) -> tuple[int, ...] | None:
    """Return numbers that are others after a model folder was replaced; None where there is none."""
    with suppress(OSError):
        about = (folder / "config.json").stat()
        return about.st_ino, about.st_mtime_ns, about.st_ctime_ns
    return None


def is_in_exchange(folder: Path) -> bool:
    """Return True if a folder does not exist, and its old or new content just got a temporary name beside it."""
    with suppress(OSError):
        paths = [path for path in folder.parent.iterdir() if final_name(path.name) == folder.name]
        recent = time.time() - EXCHANGE_SECONDS
        return folder not in paths and any(path.lstat().st_ctime > recent for path in paths)
    return False
