"""Read, write and extend the logs of a run, which are files of JSON lines."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ganzoo._io import read_bytes, write_bytes, write_errors

COUNTERS = ("step", "images", "images_per_second")
"""The keys of a line of the log that are neither terms nor measures."""


def append_line(path: Path, line: Mapping[str, Any]) -> None:
    """Append one line to a log and flush it to the disk: no checkpoint may exist without the lines before it."""
    with write_errors(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a log, except one that is not completely written; empty if there is no such file."""
    lines = read_bytes(path).splitlines() if path.exists() else []
    return [line for line in map(parse_line, lines) if line]


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write a whole log."""
    write_bytes(path, "".join(json.dumps(line) + "\n" for line in lines).encode())


def parse_line(line: bytes) -> dict[str, Any]:
    """Return the values of a line of a log; empty if it is not one."""
    try:
        values = json.loads(line)
    except ValueError:
        return {}
    return values if isinstance(values, dict) and "step" in values else {}
