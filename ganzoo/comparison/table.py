"""A table of runs or models: which values are better, and the table as text, CSV, Markdown and JSON. No torch here."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo._io import check_writable, write_bytes
from ganzoo.comparison.titles import write_value
from ganzoo.errors import BadInput

SUFFIXES = (".csv", ".md", ".json")
"""Files that a table is written to."""
ERROR = "_error"
"""Ending of the column with the standard error of another column."""
NOISE_ERRORS = 2
"""Two means are within noise if they differ by less than this many standard errors of their difference."""


@dataclass
class Table:
    """Rows of plain values by column; None for what is not known.

    `better` says for a column of numbers whether "higher" or "lower" values are better. Only rows whose `ranked` is
    true compete, all if `ranked` is empty. `notes` are sentences about the table. The columns of `unshown` are for
    programs: only CSV and JSON have them.
    """

    rows: list[dict[str, Any]]
    better: Mapping[str, str] = field(default_factory=dict)
    ranked: Sequence[bool] = ()
    notes: Sequence[str] = ()
    unshown: Sequence[str] = ()

    @property
    def columns(self) -> list[str]:
        """The columns of which any row has a value, without those of standard errors."""
        names = dict.fromkeys(name for row in self.rows for name, value in row.items() if value is not None)
        errors = {f"{name}{ERROR}" for name in names}
        return [name for name in names if name not in errors and name not in self.unshown]

    def mark(self, place: int, column: str) -> str:
        """Return "best", "worst" or "within noise" for one value, "" for others.

        Within noise is what differs from the best by no more than chance would do, where standard errors are known.
        """
        values = self._competing(column)
        if place not in values or len(set(values.values())) < 2:
            return ""
        best, worst = (choose(values.values()) for choose in self._extremes(column))
        if values[place] == best:
            return "best"
        if self._is_near(column, place, next(row for row, value in values.items() if value == best)):
            return "within noise"
        return "worst" if values[place] == worst else ""

    def _extremes(self, column: str) -> tuple[Any, Any]:
        return (max, min) if self.better[column] == "higher" else (min, max)

    def _competing(self, column: str) -> dict[int, float]:
        if column not in self.better:
            return {}
        ranked = self.ranked or [True] * len(self.rows)
        found = {place: row.get(column) for place, row in enumerate(self.rows) if ranked[place]}
        return {place: value for place, value in found.items() if value is not None and math.isfinite(value)}

    def _is_near(self, column: str, place: int, other: int) -> bool:
        errors: list[float] = [self.rows[row].get(f"{column}{ERROR}") or math.nan for row in (place, other)]
        difference: float = abs(self.rows[place][column] - self.rows[other][column])
        return difference < NOISE_ERRORS * math.hypot(*errors)  # false where an error is not known

    def cell(self, place: int, column: str, marked: bool = True) -> str:
        """Return one value as text, with its standard error and its mark."""
        row = self.rows[place]
        text, error = write_cell(row.get(column)), row.get(f"{column}{ERROR}")
        text = f"{text} +- {write_cell(error)}" if error is not None else text
        mark = self.mark(place, column) if marked else ""
        return f"{text} ({mark})" if mark else text

    def texts(self) -> list[dict[str, str]]:
        """Return the rows as texts."""
        columns = self.columns
        return [{name: self.cell(place, name) for name in columns} for place in range(len(self.rows))]

    def legend(self) -> list[str]:
        """Return the notes, and which values are better."""
        sides = {
            side: [name for name in self.columns if self.better.get(name) == side and self._competing(name)]
            for side in ("lower", "higher")
        }
        said = [f"{side} is better: {', '.join(names)}" for side, names in sides.items() if names]
        return [*self.notes, "; ".join(said)] if said else [*self.notes]

    def plain(self) -> list[dict[str, Any]]:
        """Return the rows as plain values; each has the columns in which it is best, worst or within noise."""
        columns, found = self.columns, []
        for place, row in enumerate(self.rows):
            marks = {name: mark for name in columns if (mark := self.mark(place, name))}
            found.append({**{key: to_json_number(value) for key, value in row.items()}, "marks": marks})
        return found

    def write(self, path: Path) -> None:
        """Write the table as the ending of a path says."""
        text = {".csv": self._csv, ".md": self._markdown, ".json": self._json}[path.suffix]()
        write_bytes(path, text.encode())

    def _csv(self) -> str:
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow([*names, "best"])
        for place, row in enumerate(self.rows):
            best = [name for name in names if self.mark(place, name) == "best"]
            writer.writerow([*(write_plain(row.get(name)) for name in names), " ".join(best)])
        return buffer.getvalue()

    def _markdown(self) -> str:
        columns = self.columns
        lines = [columns, ["---"] * len(columns)]
        for place in range(len(self.rows)):
            lines.append([self._markdown_cell(place, name) for name in columns])
        table = [f"| {' | '.join(line)} |" for line in lines]
        return "\n".join([*table, "", *self.legend()]) + "\n"

    def _markdown_cell(self, place: int, name: str) -> str:
        mark, text = self.mark(place, name), self.cell(place, name, marked=False).replace("|", "\\|")
        return {"best": f"**{text}**", "": text}.get(mark, f"{text} ({mark})")

    def _json(self) -> str:
        return json.dumps({"rows": self.plain(), "better": dict(self.better), "notes": [*self.notes]}, indent=2) + "\n"


def check_files(paths: Iterable[Path], suffixes: Sequence[str] = SUFFIXES) -> None:
    """Raise `BadInput` for a file that a comparison cannot be written to; to be called before the work."""
    for path in paths:
        if path.suffix not in suffixes:
            raise BadInput(f"'{path}' is not a {', '.join(suffixes[:-1])} or {suffixes[-1]} file")
        check_writable(path)


def write_cell(value: Any) -> str:
    """Return a value for people; a dash for what is not known."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else write_value(value)


def write_plain(value: Any) -> str:
    """Return a value for programs; empty for what is not known."""
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else write_value(value)


def to_json_number(value: Any) -> Any:
    """Return a value that JSON can hold: None for a number that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def summarise(numbers: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean of numbers and its standard error, which a single number does not have."""
    mean = math.fsum(numbers) / len(numbers)
    if len(numbers) < 2:
        return mean, None
    variance = math.fsum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1)
    return mean, math.sqrt(variance / len(numbers))


def format_seconds(seconds: float) -> str:
    """Return a time in the largest unit that suits: "40 s", "12 min", "3.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
