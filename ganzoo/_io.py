"""Whole files and folders: written completely or not at all, and errors of the file system in one sentence."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganzoo.errors import BadInput


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` inside, such as no space or no permission, into a `BadInput` that names the path."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"cannot write {error.filename or path}: {error.strerror or error}") from error


def check_writable(path: Path) -> None:
    """Raise `BadInput` if no file can be written at a path; to be called before the work whose result goes there."""
    with write_errors(path):
        if path.is_dir():
            raise BadInput(f"cannot write {path}: it is a folder")
        if not path.parent.is_dir():
            raise BadInput(f"cannot write {path}: there is no folder {path.parent}")
        tempfile.TemporaryFile(dir=path.parent).close()


def expand_user(path: Path) -> Path:
    """Return a path with its ~ expanded. Raises `BadInput` if there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise BadInput(f"cannot read {path}: {error}") from error


def exists(path: Path) -> bool:
    """Return whether a file or folder exists at a path. Raises `BadInput` if the file system does not let us look."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    return True


def read_bytes(path: Path) -> bytes:
    """Return the content of a file. Raises `BadInput` that names it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error


def sha256(content: bytes) -> str:
    """Return the SHA-256 hash of a file's content, as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file completely or not at all: under a temporary name, flushed to the disk, then renamed."""
    temporary = path.with_name(f".{path.name}.part")
    with write_errors(path):
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)


@contextmanager
def replace_folder(target: Path) -> Iterator[Path]:
    """Yield a new, empty folder to be filled; afterwards it replaces `target`, completely or not at all."""
    part, old = (target.with_name(f".{target.name}.{word}") for word in ("part", "old"))
    with write_errors(target):
        for left_over in (part, old):
            shutil.rmtree(left_over, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            yield part
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        sync_folder(part)
        if target.exists():
            target.replace(old)
        part.replace(target)
        sync_folder(target.parent)
        shutil.rmtree(old, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk; without this, a loss of power may undo a rename."""
    if os.name == "nt":  # Windows cannot open a folder
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def to_json(value: Any) -> bytes:
    """Return plain values as indented JSON, in UTF-8."""
    return (json.dumps(value, indent=2) + "\n").encode()


def write_json(path: Path, value: Any) -> None:
    """Write plain values as indented JSON, completely or not at all."""
    write_bytes(path, to_json(value))
