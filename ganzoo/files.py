"""Reading and writing whole files, so that what is there is complete and what fails is said in one sentence."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganzoo.errors import BadInput


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system refuses (no space, no permission) into `BadInput` naming the path."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"cannot write {error.filename or path}: {error.strerror or error}") from error


def reading(path: Path) -> bytes:
    """The content of a file, or `BadInput` naming it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole: under another name, onto the disk, then renamed."""
    temporary = path.with_name(f".{path.name}.part")
    with writing(path):
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write plain values as readable JSON, whole."""
    write_bytes(path, (json.dumps(value, indent=2) + "\n").encode())
