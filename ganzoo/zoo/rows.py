"""Fixed latents of exported samples: a row for each value, in the name of a picture, and as sub-folders."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo._names import composed
from ganzoo.errors import BadInput
from ganzoo.pictures.layout import name_row
from ganzoo.zoo.model import Model
from ganzoo.zoo.sampling import parse_fixed

NUMBERED = re.compile(r"\d{6,}(\.\w+)")
"""Names of the files of single samples, with their ending."""
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
        model.expand_fixed(1, {key: torch.tensor(0)})  # refuses a key that the generator does not have
        raise BadInput(f"'{key}' is not categorical here; give its values, such as {key}=-1,0,1")
    each = split_values(model, key, values) if values else torch.arange(model.categories(key))
    return [{**fixed, key: value} for value in each]


def split_values(model: Model, key: str, text: str) -> list[str]:
    """Split `value,value,...`; the name of a class may contain a comma itself."""
    is_class = composed(text) in map(composed, model.classes_of(key))
    return [text] if is_class else [value.strip() for value in text.split(",")]


def parse_typed(model: Model, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Return fixed latents as `Model.sample` takes them, from what was typed: one value, or one for each sample."""
    split = {key: split_values(model, key, value) for key, value in fixed.items() if isinstance(value, str)}
    return {**fixed, **{key: values if len(values) > 1 else values[0] for key, values in split.items()}}


def row_names(model: Model, rows: str, each_fixed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a name for each row of a picture: that of its class, or the value that is fixed in it."""
    key = rows.partition("=")[0].strip()
    classes = model.classes_of(key)
    numbers = [parse_fixed(key, fixed[key], classes) for fixed in each_fixed]
    return [name_row(key, number, classes) for number in map(float, numbers)]


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
        self.suffix = model.outputs.kind.suffix
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
        """Yield the files of samples that were written into a folder before, with these or other labels."""
        names = {*self.classes} if self.key == "label" else set()
        for path in (folder, *folder.iterdir()):
            mine = path.name in names or path.name.isdecimal() or path.name.startswith(f"{self.key}=")
            if path == folder or (mine and path.is_dir()):
                yield from (each for each in path.iterdir() if self._is_mine(each.name))

    def _is_mine(self, name: str) -> bool:
        match = NUMBERED.fullmatch(name)
        return match is not None and match[1] == self.suffix


def are_folders(names: list[str]) -> bool:
    """Say whether all names are valid for folders on any file system, and none is that of the file of a sample."""
    fit = all(FOLDER.fullmatch(n) and len(n.encode()) <= MAX_NAME_BYTES and not NUMBERED.fullmatch(n) for n in names)
    return fit and len({name.casefold() for name in names}) == len(names)
