"""Which latents are fixed for samples: row by row, in the name of a picture, and as the sub-folders of a folder."""

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
"""Names of classes that may become folders; a stranger may have chosen them."""
LONGEST = 100
"""Bytes of a name that is made of what somebody wrote."""


def each_row(model: Model, rows: str, fixed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What to fix for each row of `key=value,value,...`, or of `key` for all values of a categorical one.

    Without rows, what is fixed for all. Raises `BadInput` for rows of what is fixed, or of nothing.
    """
    if not rows:
        return [dict(fixed)]
    key, _, values = (part.strip() for part in rows.partition("="))
    if not key or key in fixed:
        raise BadInput(f"rows of '{rows}' are of no latent" if not key else f"'{key}' is fixed, and cannot have rows")
    if not values and not model.categories(key):
        raise BadInput(f"'{key}' is not categorical here; say which values, such as {key}=-1,0,1")
    return [{**fixed, key: value} for value in (values.split(",") if values else range(model.categories(key)))]


def stem(name: str, seed: int, n: int, rows: str, fixed: Mapping[str, Any]) -> str:
    """What a picture is called that was given no name: model, seed, count, and what was not left to chance."""
    words = [f"{key}{value}" for key, value in fixed.items()] + ([f"rows-{rows}"] if rows else [])
    return "-".join([name, f"seed{seed}", f"n{n}", re.sub(r"[^\w.+-]+", "-", "-".join(words))[:LONGEST]]).rstrip("-")


class Folders:
    """The sub-folder that each sample belongs in: that of its class or of its row, if it has one.

    Folders of classes have their names, so that the samples are training data with the same classes; their numbers,
    where not every name can be a folder's.
    """

    def __init__(self, model: Model, rows: str) -> None:
        self.key = rows.partition("=")[0].strip() or "label"
        self.classes = model.classes if model.categories("label") == len(model.classes) else []
        if not are_folders(self.classes):
            self.classes = []

    def of(self, given: Mapping[str, Tensor], place: int) -> str:
        """The name of the folder of one sample, empty where it has none."""
        if self.key not in given:
            return ""
        value = given[self.key][place].item()
        if self.key != "label":
            return f"{self.key}={value:g}"
        return self.classes[value] if self.classes else str(value)

    def earlier(self, folder: Path) -> Iterator[Path]:
        """The single images that were written into a folder before, with these or other labels."""
        names = {*self.classes} if self.key == "label" else set()
        for path in (folder, *folder.iterdir()):
            mine = path.name in names or path.name.isdecimal() or path.name.startswith(f"{self.key}=")
            if path == folder or (mine and path.is_dir()):
                yield from (each for each in path.iterdir() if NUMBERED.fullmatch(each.name))


def are_folders(names: list[str]) -> bool:
    """Whether each name can be a folder's, on any file system, and another than a single image's."""
    fit = all(FOLDER.fullmatch(n) and len(n.encode()) <= LONGEST and not NUMBERED.fullmatch(n) for n in names)
    return fit and len({name.casefold() for name in names}) == len(names)
