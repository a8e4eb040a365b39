"""Read, write and extend the logs of a run, which are files of JSON lines."""

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganzoo._io import open_file, read_bytes, read_errors, write_bytes, write_errors
from ganzoo._names import printable
from ganzoo._reading import parse_json
from ganzoo.engine.settings import SIDES
from ganzoo.errors import BadInput

COUNTERS = ("step", "images", "images_per_second", "minutes")
"""The keys of a line of the log that are neither terms nor measures."""
BLOCK_BYTES = 2**16
"""Bytes that are read at once from the end of a log."""


class Event(BaseModel):
    """A line of a run's history. What the version that wrote it did not know is empty; more keys may follow."""

    model_config = ConfigDict(strict=True, extra="allow")

    event: str = ""
    step: int
    changed: dict[str, Any] = Field(default_factory=dict)
    circumstances: dict[str, Any] = Field(default_factory=dict)
    recipe: dict[str, Any] = Field(default_factory=dict)


def append_line(path: Path, line: Mapping[str, Any]) -> None:
    """Append one line to a log and flush it to the disk: no checkpoint may exist without the lines before it."""
    with write_errors(path), open_file(path, "ab") as file:
        file.write(json.dumps(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a log, except one that is not completely written; empty if there is no such file."""
    lines = read_bytes(path).splitlines() if path.exists() else []
    return [line for line in map(parse_line, lines) if line]


def read_events(path: Path) -> list[dict[str, Any]]:
    """Read the history of a run. Raises `BadInput` for a line that is no event: a stranger may have written it."""
    try:
        return [{**Event.model_validate(line).model_dump(), **line} for line in read_lines(path)]
    except ValidationError as error:
        place, fault = error.errors()[0]["loc"], error.errors()[0]["msg"]
        raise BadInput(f"{path} is not the history of a run: {'.'.join(map(str, place))}: {fault}") from error


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write a whole log."""
    write_bytes(path, "".join(json.dumps(line) + "\n" for line in lines).encode())


def cut_lines(path: Path, step: int) -> None:
    """Delete the lines after a step, at the end of a log; however long it is, only these are read."""
    if not path.exists():
        return
    with write_errors(path), open_file(path, "r+b") as file:
        kept = (offset + len(line) for offset, line in lines_from_end(file) if is_until(line, step))
        file.truncate(next(kept, 0))
        if file.seek(0, os.SEEK_END):
            file.write(b"\n")
        file.flush()
        os.fsync(file.fileno())


def last_step(path: Path) -> int:
    """Return the training step of the last line of a log; 0 where there is none."""
    if not path.exists():
        return 0
    with read_errors(path), open_file(path) as file:
        found: int = next((parse_line(line)["step"] for _, line in lines_from_end(file) if parse_line(line)), 0)
        return found


def lines_from_end(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file from the last to the first, without their ends, each with its place in the file."""
    end, later = file.seek(0, os.SEEK_END), b""
    while end:
        start = max(0, end - max(BLOCK_BYTES, len(later)))  # more at once where a line is longer than that
        file.seek(start)
        block = file.read(end - start) + later
        first, *lines = block.split(b"\n")
        offset = start + len(block) + 1
        for line in reversed(lines):
            offset -= len(line) + 1
            yield offset, line
        end, later = start, first
    yield 0, later


def read_thinned(path: Path, most: int) -> list[dict[str, Any]]:
    """Read the numbers of a log in flat memory.

    Of lines with the same keys these are at most about `2 * most`, evenly spread, and the last.
    """
    kinds: dict[int, ThinnedLines] = {}
    if not path.exists():
        return []
    with read_errors(path), open_file(path) as file:
        for line in file:
            # As many quotes, as many keys: lines with a measure are rare, and thinned by themselves.
            kinds.setdefault(line.count(b'"'), ThinnedLines(most)).add(line)
    lines = [only_numbers(parse_line(line)) for kind in kinds.values() for line in kind.all()]
    return sorted((line for line in lines if line), key=lambda line: line["step"])


def only_numbers(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a curve can show of a line."""
    return {key: value for key, value in line.items() if isinstance(value, int | float)}


class ThinnedLines:
    """Keeps of any number of lines every k-th, with k a power of two such that at most `2 * most` are kept."""

    def __init__(self, most: int) -> None:
        self.most, self.every, self.count = most, 1, 0
        self.kept: list[bytes] = []
        self.last = b""

    def add(self, line: bytes) -> None:
        """Add a line."""
        if self.count % self.every == 0:
            self.kept.append(line)
        if len(self.kept) > 2 * self.most:
            self.kept, self.every = self.kept[::2], 2 * self.every
        self.count, self.last = self.count + 1, line

    def all(self) -> list[bytes]:
        """Return the lines that are kept, and the last one."""
        return self.kept if self.kept[-1:] == [self.last] else [*self.kept, self.last]


def format_csv(lines: Iterable[Mapping[str, Any]]) -> str:
    """Return lines of a log as CSV text, with a column for each key in the order in which they come."""
    lines, file = list(lines), io.StringIO()
    writer = csv.DictWriter(file, list(dict.fromkeys(key for line in lines for key in line)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return file.getvalue()


def shorten_name(key: str, with_loss: bool = False) -> str:
    """Return a term's name without its loss: `D real` for `discriminator/non-saturating/real`.

    A number that varies loses its section, `lr` for `schedule/optimizer.lr`; other keys stay as they are.
    """
    side, _, term = key.partition("/")
    if is_varying(key):
        return term.partition(".")[2]
    if side not in SIDES:
        return key
    return f"{side[0].upper()} {term if with_loss else term.rpartition('/')[2]}"


def format_terms(line: Mapping[str, Any]) -> list[str]:
    """Return the terms and measures of a line of the log for people: "D real 0.693".

    Terms of several losses that would read alike have the names of their losses: "D hinge/real 0.693".
    """
    shown = [key for key in line if key not in COUNTERS]
    counts = Counter(map(shorten_name, shown))
    names = {key: shorten_name(key, counts[shorten_name(key)] > 1) for key in shown}
    return [printable(f"{names[key]} {line[key]:{'.3g' if is_varying(key) else '.3f'}}") for key in shown]


def is_varying(key: str) -> bool:
    """Return True for the key of a number that varies by a schedule, such as the learning rate."""
    return key.startswith("schedule/")


def is_until(line: bytes, step: int) -> bool:
    """Return True for a complete line of a training step up to `step`."""
    values = parse_line(line)
    return bool(values) and values["step"] <= step


def parse_line(line: bytes) -> dict[str, Any]:
    """Return the values of a line of a log; empty if it is not one."""
    try:
        values = parse_json(line, "the line")
    except BadInput:
        return {}
    return values if isinstance(values.get("step"), int) else {}
