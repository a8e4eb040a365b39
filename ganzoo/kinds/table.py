"""Tables: a sample is a row of numbers; a CSV file holds many."""

import csv
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganzoo._io import read_bytes, write_bytes
from ganzoo._names import printable
from ganzoo.dataset import NOTHING, Spec
from ganzoo.kind import Array, Kind
from ganzoo.pictures.lines import draw_lines

MAX_LINES = 40
"""Rows in a picture."""
CARD_LINES = 8


class Table(Kind):
    """Rows (columns,) of numbers in the data's own units. The fact `columns` is a list with the names of the columns.

    A kind of a plugin's own whose rows hold more than numbers derives from this and overrides `to_array`, which may
    return strings.
    """

    plural, suffix, together = "rows", ".csv", True
    shown, by_class = 1000, False

    def __init__(self, spec: Spec, facts: Mapping[str, Any] = NOTHING) -> None:
        super().__init__(spec, facts)
        if len(spec.shape) != 1:
            raise ValueError(f"rows have the shape (columns,), not {spec.shape}")
        self.columns = [str(name) for name in facts.get("columns") or range(spec.shape[0])]
        """The names of the columns; numbers where the data do not name them."""
        if len(self.columns) != spec.shape[0]:
            raise ValueError(f"the fact 'columns' names {len(self.columns)} columns, and a row has {spec.shape[0]}")

    def write(self, path: Path, sample: Array, mark: Mapping[str, str]) -> None:
        """Write rows under a line with the names of the columns; a CSV file has no place for the mark."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([write_cell(value) for value in row] for row in sample)
        write_bytes(path, buffer.getvalue().encode())

    def read(self, path: Path) -> Array:
        """Read the rows of a CSV file whose first line names the columns, in any order; others are left out."""
        try:
            reader = csv.DictReader(io.StringIO(read_bytes(path).decode("utf-8-sig")))
            rows, named = list(reader), reader.fieldnames or ()
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"is not a CSV file that can be read ({error})") from error
        if missing := [name for name in self.columns if name not in named]:
            raise ValueError(f"has no column '{missing[0]}'")
        try:
            found = [[float(row[name]) for name in self.columns] for row in rows]
        except (TypeError, ValueError) as error:
            raise ValueError(f"has a cell that is not a number ({error})") from error
        return np.array(found, dtype=np.float32).reshape(-1, len(self.columns))

    def draw(
        self, samples: Array, columns: int = 0, row_names: Sequence[str] = (), title: str = ""
    ) -> Image.Image | None:
        """Draw the first rows as a table."""
        rows = [self.columns, *([write_cell(value) for value in row] for row in samples[:MAX_LINES])]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        return draw_lines(["  ".join(map(str.rjust, row, widths)) for row in rows])

    def describe(self) -> str:
        """Return the number of columns in words."""
        return f"rows of {self.spec.shape[0]} columns"

    def card(self, files: Mapping[str, Array]) -> str:
        """Return the first rows of each file as a table, and a link to it."""
        parts = []
        for name, samples in files.items():
            rows = [self.columns, ["---"] * len(self.columns)]
            rows += [[write_cell(value) for value in row] for row in samples[:CARD_LINES]]
            lines = "\n".join(f"| {' | '.join(write_html(cell) for cell in row)} |" for row in rows)
            parts.append(f"{lines}\n\n[{name}]({name})")
        return "\n\n".join(parts)


def write_html(cell: str) -> str:
    """Return a cell as Markdown and HTML show it as it is."""
    return html.escape(printable(cell)).replace("|", "&#124;")


def write_cell(value: object) -> str:
    """Return one value of a row as text."""
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)
