"""Labels that a file gives to the images of a folder: a table (CSV), or StyleGAN's dataset.json."""

import csv
import io
import json
import math
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganzoo._io import sha256
from ganzoo._names import composed
from ganzoo.data.archive import is_archive
from ganzoo.data.attributes import number_words, to_key
from ganzoo.data.base import count_of, quote_some
from ganzoo.dataset import LABEL
from ganzoo.errors import BadInput, suggest

STYLEGAN_FILE = "dataset.json"
"""What StyleGAN's dataset tool writes beside its images."""
FILE_COLUMNS = ("file", "filename", "file_name", "path", "image", "image_id", "img", "name", "id")
"""Names of the column that holds the files, in lower case; without any of them it is the first."""
CLASS_COLUMNS = ("label", "class")
"""Columns whose numbers are classes and not amounts, in lower case."""
TAKEN = ("image", "z", "n", "seed")
"""Keys that have a meaning already."""
MOST_CLASSES_PER_ROW, FEW_CLASSES = 0.5, 100
"""A column with more different words than this share of the rows, and than this number, holds no classes."""
File = Path | zipfile.Path
DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Labels:
    """What a file says of images by key: a tensor (n,), int64 for classes and float32 for amounts.

    `classes` are the names of the classes of those keys that have some; the other keys are amounts. `kept` are the
    places of the images that the file has a row for; the tensors are of these.
    """

    values: Mapping[str, Tensor]
    classes: Mapping[str, Sequence[str]]
    kept: Sequence[int]

    @property
    def said(self) -> str:
        """A hash of all keys, names and values."""
        said = [repr((key, self.classes.get(key), each.tolist())) for key, each in sorted(self.values.items())]
        return sha256("\n".join(said).encode())

    def describe(self, file: str, names: Sequence[str]) -> list[str]:
        """Return messages on the keys, and on the images without a row."""
        keys = [self._describe_key(key) for key in self.values]
        notes = [f"labels by {file}: {', '.join(keys[:5])}" + f" and {len(keys) - 5} more" * (len(keys) > 5)]
        if left := [name for place, name in enumerate(names) if place not in {*self.kept}]:
            notes.append(f"left out {count_of(len(left), 'image')} without a row in {file}: {quote_some(left)}")
        return notes

    def _describe_key(self, key: str) -> str:
        if key in self.classes:
            return f"{key} ({len(self.classes[key])} classes)"
        return f"{key} ({self.values[key].min():g} to {self.values[key].max():g})"


@dataclass(frozen=True)
class Table:
    """The rows of a file by the name of an image, and the lines they stand in, for messages."""

    path: File
    columns: Sequence[str]
    rows: Mapping[str, Sequence[str]]
    lines: Mapping[str, int]


def read_labels(path: File, found: Sequence[str], inner: str, chosen: str | Sequence[str] | None) -> Labels:
    """Read the labels of images from a file.

    `found` are the paths of all images in the folder that the user gave; those below `inner` are the ones to learn
    from, in this order. `chosen` is the column that is the label, or a list of columns
    that become keys of their own; by default all. Raises `BadInput`.
    """
    table = read_json_labels(path) if path.name.lower().endswith(".json") else read_table(path)
    places = find_rows(table, sorted(found), inner)
    kept = [place for place, row in enumerate(places) if row is not None]
    rows = [row for row in places if row is not None]
    values: dict[str, Tensor] = {}
    classes: dict[str, list[str]] = {}
    for column, key in choose_columns(table, chosen):
        cells = [(table.rows[row][table.columns.index(column)], table.lines[row]) for row in rows]
        values[key], found = read_column(table.path, column, cells)
        classes |= {key: found} if found else {}
    return Labels(values, classes, kept)


def find_label_file(top: Path, given: str | None) -> File | None:
    """Return the file of labels of a folder or ZIP file: the given one, StyleGAN's where it is there, or None."""
    folder = zipfile.Path(top) if is_archive(top) else top
    if given is None:
        found = folder / STYLEGAN_FILE
        return found if found.is_file() else None
    for path in (folder / given, Path(given).expanduser()):
        if path.is_file():
            return path
    raise BadInput(f"data.labels: there is no file '{given}', neither in '{top}' nor here")


def read_table(path: File) -> Table:
    """Read a CSV file with a row of names; commas, semicolons, tabs or bars between the cells."""
    text = read_text(path)
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise BadInput(f"'{path}' is no CSV file: {error} in line {reader.line_num}") from error
    if len(lines) < 2:
        raise BadInput(f"'{path}' has no rows below its first line, which names the columns")
    (_, header), *rows = lines
    check_header(path, header)
    place = next((place for place, name in enumerate(header) if name.lower() in FILE_COLUMNS), 0)
    for number, row in rows:
        if len(row) != len(header):
            raise BadInput(f"'{path}': line {number} has {count_of(len(row), 'cell')}, the first line {len(header)}")
    return make_table(path, header, place, rows)


def check_header(path: File, header: Sequence[str]) -> None:
    """Raise `BadInput` for a table without columns beside the files, and for one with two of a name."""
    if len(header) < 2:
        raise BadInput(f"'{path}' has one column alone; it needs one with file names, and others with labels")
    if twice := [name for name, count in Counter(header).items() if count > 1 or not name]:
        what = f"has the column '{twice[0]}' twice" if twice[0] else "has a column without a name"
        raise BadInput(f"'{path}' {what}")


def make_table(path: File, header: Sequence[str], place: int, rows: Iterable[tuple[int, Sequence[str]]]) -> Table:
    """Return a table by the names in one column. Raises `BadInput` for a file that is named twice."""
    found: dict[str, Sequence[str]] = {}
    lines: dict[str, int] = {}
    for number, row in rows:
        name = composed(row[place].replace("\\", "/").removeprefix("./"))
        if name in found:
            raise BadInput(f"'{path}' names '{name}' twice, in lines {lines[name]} and {number}")
        found[name], lines[name] = [*row[:place], *row[place + 1 :]], number
    return Table(path, [*header[:place], *header[place + 1 :]], found, lines)


def read_json_labels(path: File) -> Table:
    """Read StyleGAN's dataset.json: {"labels": [["00000/img.png", 6], ...]}, the label a whole number."""
    form = 'it needs {"labels": [["file.png", 6], ...]} with a whole number for each file'
    try:
        found = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput(f"'{path}' is no JSON file: {error}") from error
    pairs = found.get("labels") if isinstance(found, dict) else None
    if not isinstance(pairs, list) or not pairs:
        raise BadInput(f"'{path}' has no labels; {form}")
    rows = []
    for number, pair in enumerate(pairs, 1):
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and type(pair[1]) is int):
            raise BadInput(f"'{path}': label {number} is {json.dumps(pair)[:60]}; {form}")
        rows.append((number, [pair[0], str(pair[1])]))
    return make_table(path, ["file", LABEL], 0, rows)


def read_text(path: File) -> str:
    """Read a file as UTF-8. Raises `BadInput` where that fails."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read '{path}' as UTF-8 text: {error}") from error


def find_rows(table: Table, found: Sequence[str], inner: str) -> list[str | None]:
    """Return the name that a table has for each image below `inner`, None where it has none.

    A table may name a file by its path, also below `inner`, by its own name alone or without ending. Raises `BadInput`
    for a row without an image, for one with several, and for no row at all.
    """
    forms: dict[str, list[str]] = {}
    for name in found:
        own = name.rpartition("/")[2]
        for form in dict.fromkeys(map(composed, (name, name.removeprefix(inner), own, own.rpartition(".")[0] or own))):
            forms.setdefault(form, []).append(name)
    if lost := [name for name in table.rows if name not in forms]:
        what = f"{len(lost):,} files that are" if len(lost) > 1 else "a file that is"
        raise BadInput(f"'{table.path}' names {what} not there: {quote_some(lost)}")
    rows: dict[str, str] = {}
    for row in table.rows:
        if len(files := forms[row]) > 1:
            raise BadInput(f"'{table.path}': '{row}' may be any of {quote_some(files)}; write paths")
        if (other := rows.setdefault(files[0], row)) != row:
            raise BadInput(f"'{table.path}' has two rows for '{files[0]}': '{other}' and '{row}'")
    places = [rows.get(name) for name in found if name.startswith(inner)]
    if not any(places):
        raise BadInput(f"'{table.path}' has no row for any image in '{inner.rstrip('/')}', which is learned from")
    return places


def choose_columns(table: Table, chosen: str | Sequence[str] | None) -> list[tuple[str, str]]:
    """Return columns with the keys that they become: one alone is the label."""
    if chosen is None:
        chosen = table.columns if len(table.columns) > 1 else table.columns[0]
    asked = [chosen] if isinstance(chosen, str) else list(chosen)
    for name in asked:
        if name not in table.columns:
            raise BadInput(f"'{table.path}' has no column '{name}' for data.label; {suggest(str(name), table.columns)}")
        if to_key(name) in TAKEN and not isinstance(chosen, str):
            raise BadInput(f"'{table.path}': a column cannot be called '{name}', which has a meaning; rename it")
    return [(name, LABEL if isinstance(chosen, str) else to_key(name)) for name in asked]


def read_column(path: File, column: str, cells: Sequence[tuple[str, int]]) -> tuple[Tensor, list[str]]:
    """Return the values of a column, and the names of its classes; none for a column of numbers."""
    if empty := [line for cell, line in cells if not cell]:
        raise BadInput(f"'{path}': line {empty[0]} has no '{column}'")
    numbers = [to_number(cell) for cell, _ in cells]
    words = [each for each, number in zip(cells, numbers, strict=True) if number is None]
    if words and len(words) < len(cells):
        word, line = words[0]
        mixed = f"the column '{column}' has numbers, and '{word}' in line {line}"
        raise BadInput(f"'{path}': {mixed}; write numbers alone, or words alone for classes")
    if words or column.lower() in CLASS_COLUMNS:
        return number_classes(path, column, [cell for cell, _ in cells])
    return torch.tensor(numbers), []


def number_classes(path: File, column: str, cells: Sequence[str]) -> tuple[Tensor, list[str]]:
    """Return the number of the class of each cell, int64, and the names of the classes."""
    numbers, names = number_words([*map(composed, cells)])
    if len(names) > max(FEW_CLASSES, MOST_CLASSES_PER_ROW * len(cells)):
        many = f"{len(names):,} different words for {len(cells):,} images"
        raise BadInput(
            f"'{path}': the column '{column}' has {many}, so they are no classes; data.label chooses columns"
        )
    return torch.from_numpy(numbers), names


def to_number(cell: str) -> float | None:
    """Return a finite number, None for other text."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in cell else None
