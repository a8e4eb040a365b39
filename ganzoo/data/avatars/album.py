"""Avatars in the data cache: drawn once, in parts, each of which is written completely or not at all.

A part is a folder of PNG files with one file of their attributes. Parts that are there already are kept, so that a
drawing that was interrupted goes on, and more pictures of the same style, seed and size are added to those before.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ganzoo._io import replace_folder
from ganzoo._reading import read_json
from ganzoo.data.avatars.drawing import draw
from ganzoo.data.avatars.styles import PACKAGES, open_style
from ganzoo.errors import BadInput

PART = 250
"""Pictures of a part."""
ATTRIBUTES = "attributes.json"


@dataclass(frozen=True)
class Album:
    """The pictures of one style, seed and size in pixels, below the folder of data sets `root`."""

    root: Path
    style: str
    seed: int
    side: int

    @property
    def folder(self) -> Path:
        """Where the pictures lie: other versions of the packages may draw others."""
        drawn_by = "-".join(version(package) for package in PACKAGES.values())
        return self.root / "avatars" / self.style / f"seed-{self.seed}" / f"{self.side}-pixels" / drawn_by

    def part(self, number: int) -> Path:
        """Return the folder of a part."""
        return self.folder / f"{number:05}"

    def missing(self, count: int) -> list[int]:
        """Return the parts of the first `count` pictures that are not there."""
        return [number for number in range(-(-count // PART)) if not (self.part(number) / ATTRIBUTES).is_file()]

    def draw(self, parts: Sequence[int]) -> Iterator[int]:
        """Draw parts, and yield the number of each when it is there. Raises `BadInput` where it cannot be written."""
        style = open_style(self.style)
        for number in parts:
            with replace_folder(self.part(number)) as folder:
                attributes = {}
                for index in range(number * PART, (number + 1) * PART):
                    png, attributes[file_name(index)] = draw(style, self.seed, index, self.side)
                    (folder / file_name(index)).write_bytes(png)
                (folder / ATTRIBUTES).write_text(json.dumps(attributes, indent=0))
            yield number

    def names(self, count: int) -> list[str]:
        """Return the files of the first `count` pictures, as paths below the folder."""
        return [f"{self.part(index // PART).name}/{file_name(index)}" for index in range(count)]

    def attributes(self, count: int) -> dict[str, list[str]]:
        """Read the values of each attribute of the first `count` pictures. Raises `BadInput` where they are damaged."""
        rows: list[dict[str, str]] = []
        for number in range(-(-count // PART)):
            rows += self.read_part(number)
        return {key: [row[key] for row in rows[:count]] for key in rows[0]}

    def read_part(self, number: int) -> list[dict[str, str]]:
        """Read the attributes of each picture of a part. Raises `BadInput` where they are damaged."""
        path = self.part(number) / ATTRIBUTES
        with suppress(BadInput):
            rows = list(read_json(path).values())
            if len(rows) == PART and all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows):
                return rows
        raise BadInput(f"{path} is damaged; remove the folder '{path.parent}', and these pictures are drawn again")


def file_name(index: int) -> str:
    """Return the name of a picture's file."""
    return f"{index:07}.png"
