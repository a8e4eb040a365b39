"""Reading and writing whole files and folders: what is there is complete, what fails is said in one sentence."""

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
    """Turn what the file system refuses (no space, no permission) into `BadInput` naming the path."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"cannot write {error.filename or path}: {error.strerror or error}") from error


def check_writable(path: Path) -> None:
    """Raise `BadInput` where no file can be written at a path, before there is anything to write."""
    with write_errors(path):
        if path.is_dir():
            raise BadInput(f"cannot write {path}: it is a folder")
        if not path.parent.is_dir():
            raise BadInput(f"cannot write {path}: there is no folder {path.parent}")
        tempfile.TemporaryFile(dir=path.parent).close()


def expand_user(path: Path) -> Path:
    """A path with its ~ replaced. Raises `BadInput` where there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise BadInput(f"cannot read {path}: {error}") from error


def exists(path: Path) -> bool:
    """Whether there is anything at a path. Raises `BadInput` where that cannot be looked at."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    return True


def read_bytes(path: Path) -> bytes:
    """The content of a file, or `BadInput` naming it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error


def sha256(content: bytes) -> str:
    """The hash that files are known by, as hex digits."""
    return hashlib.sha256(content).hexdigest()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole: under another name, onto the disk, then renamed."""
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
    """A new folder to be filled, which takes the place of `target` whole once everything in it is on the disk."""
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
    """Have the names in a folder reach the disk, without which a rename may not outlive a loss of power."""
    if os.name == "nt":  # no folder can be opened there
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def to_json(value: Any) -> bytes:
    """Plain values as readable JSON."""
    return (json.dumps(value, indent=2) + "\n").encode()


def write_json(path: Path, value: Any) -> None:
    """Write plain values as readable JSON, whole."""
    write_bytes(path, to_json(value))
