"""Fixed latents of exported samples: a row for each value, in the name of a picture, and as sub-folders."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ganzoo.errors import BadInput
from ganzoo.zoo.model import Model

NUMBERED = re.compile(r"\d{6,}\.png")
"""Names of single images."""
FOLDER = re.compile(r"\w[\w .+&'()-]*(?<![ .])")
"""Names of classes that may become folders; they come from a config that anybody may have written."""
MAX_NAME_BYTES = 100
"""The longest name of a file or folder that contains names of classes or typed values."""


def fixed_rows(model: Model, rows: str, fixed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what to fix in each row: of `key=value,value,...` each value, of `key` all values of a categorical latent.

    Without rows, return what is fixed for all. Raises `BadInput` for a key that is fixed already or missing.
    """
    if not rows:
        return [dict(fixed)]
    key, _, values = (part.strip() for part in rows.partition("="))
    if not key or key in fixed:
        raise BadInput(f"rows of '{rows}' name no latent" if not key else f"'{key}' is fixed, and cannot have rows")
    if not values and not model.categories(key):
        raise BadInput(f"'{key}' is not categorical here; give its values, such as {key}=-1,0,1")
    return [{**fixed, key: value} for value in (values.split(",") if values else range(model.categories(key)))]


def stem(name: str, seed: int, n: int, rows: str, fixed: Mapping[str, Any]) -> str:
    """Return the name of a picture without --out: model, seed, count, and what is fixed."""
    words = [f"{key}{value}" for key, value in fixed.items()] + ([f"rows-{rows}"] if rows else [])
    safe = re.sub(r"[^\w.+-]+", "-", "-".join(words))[:MAX_NAME_BYTES]
    return "-".join([name, f"seed{seed}", f"n{n}", safe]).rstrip("-")


class Folders:
    """Chooses the sub-folder of each sample: that of its class or row, if it has one.

    Folders are named after classes, so that the samples are training data with the same classes; after the classes'
    numbers where not every name is valid for a folder.
    """

    def __init__(self, model: Model, rows: str) -> None:
        self.key = rows.partition("=")[0].strip() or "label"
        self.classes = model.classes if model.categories("label") == len(model.classes) else []
        if not are_folders(self.classes):
            self.classes = []

    def of(self, given: Mapping[str, Tensor], place: int) -> str:
        """Return the name of the folder of one sample, empty where it has none."""
        if self.key not in given:
            return ""
        value = given[self.key][place].item()
        if self.key != "label":
            return f"{self.key}={value:g}"
        return self.classes[int(value)] if self.classes else str(value)

    def earlier(self, folder: Path) -> Iterator[Path]:
        """Yield the single images that were written into a folder before, with these or other labels."""
        names = {*self.classes} if self.key == "label" else set()
        for path in (folder, *folder.iterdir()):
            mine = path.name in names or path.name.isdecimal() or path.name.startswith(f"{self.key}=")
            if path == folder or (mine and path.is_dir()):
                yield from (each for each in path.iterdir() if NUMBERED.fullmatch(each.name))


def are_folders(names: list[str]) -> bool:
    """Say whether all names are valid for folders on any file system, and none is that of a single image."""
    fit = all(FOLDER.fullmatch(n) and len(n.encode()) <= MAX_NAME_BYTES and not NUMBERED.fullmatch(n) for n in names)
    return fit and len({name.casefold() for name in names}) == len(names)
