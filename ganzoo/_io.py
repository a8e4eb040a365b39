"""Whole files and folders: written completely or not at all, and errors of the file system in one sentence."""

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ganzoo.errors import BadInput

TEMPORARY_NAME = re.compile(r"\.(?P<name>.+?)(?P<unique>\.[0-9a-f]{8})?\.(part|old)")
"""The names of what is being written. Those of early versions were not unique."""
CHUNK = 1 << 20
"""Bytes of a large file that are read at once."""
ABANDONED_SECONDS = 3600
"""The age at which a temporary file is taken for one that a killed process has left."""


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


def is_utf8(name: str | os.PathLike[str]) -> bool:
    """Return whether a name is UTF-8, as recipes and models must be; files may have other names."""
    try:
        os.fspath(name).encode()
    except UnicodeEncodeError:
        return False
    return True


def check_utf8(what: str, name: str | os.PathLike[str]) -> None:
    """Raise `BadInput` for a name that is not UTF-8."""
    if not is_utf8(name):
        shown = os.fsencode(name).decode(errors="backslashreplace")
        raise BadInput(f"{what} '{shown}' has a name that is not UTF-8; rename it")


def expand_user(path: Path) -> Path:
    """Return a path with its ~ expanded. Raises `BadInput` if there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise BadInput(f"cannot read {path}: {error}") from error


class NoHome(BadInput):
    """This user has no home folder, as in a container that runs with an unknown user id."""


def home_folder(find: Callable[[str], Path], variable: str) -> Path:
    """Return ganzoo's folder of a kind that platformdirs finds, such as `user_cache_path`.

    Raises `NoHome`, which names the variable that sets it, where there is no home folder.
    """
    try:
        return find("ganzoo")
    except RuntimeError as error:
        raise NoHome(f"this user has no home folder; set HOME to one, or {variable}") from error


def find_data_root(root: str | Path | None = None) -> Path:
    """Return the folder of downloaded data sets: `root`, or the variable GANZOO_DATA, or one in the user's cache."""
    chosen = root or os.environ.get("GANZOO_DATA")
    if chosen:
        return expand_user(Path(chosen))
    from platformdirs import user_cache_path  # seldom needed

    return home_folder(user_cache_path, "GANZOO_DATA to a folder for data sets") / "data"


def exists(path: Path) -> bool:
    """Return whether a file or folder exists at a path. Raises `BadInput` if the file system does not let us look."""
    with read_errors(path):
        try:
            path.stat()
        except FileNotFoundError:
            return False
    return True


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Turn errors of the file system inside, such as no permission, into a `BadInput` that names the path."""
    try:
        yield
    except BadInput:
        raise
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # of a character that no path has
        raise BadInput(f"cannot read {path!r}: {error}") from error


def open_file(path: Path, mode: Literal["rb", "r+b", "ab"] = "rb") -> BinaryIO:
    """Open a file. Raises `BadInput` for what is neither file nor folder: a pipe would be waited for."""
    if not path.is_dir() and path.exists() and not path.is_file():
        raise BadInput(f"cannot read {path}: it is not a file")
    return path.open(mode)


def read_bytes(path: Path, limit: int | None = None) -> bytes:
    """Return the content of a file. Raises `BadInput` that names it, also where it has more than `limit` bytes."""
    with read_errors(path), open_file(path) as file:
        content = file.read() if limit is None else file.read(limit + 1)
    if limit is not None and len(content) > limit:
        raise BadInput(f"cannot read {path}: it is too large, more than {limit:,} bytes")
    return content


def sha256(content: bytes) -> str:
    """Return the SHA-256 hash of a file's content, as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def hash_file(path: Path) -> tuple[str, int]:
    """Return the SHA-256 hash and the size of a file that may be large. Raises `BadInput` that names it."""
    with read_errors(path), open_file(path) as file:
        digest, size = hashlib.sha256(), 0
        while part := file.read(CHUNK):
            digest.update(part)
            size += len(part)
    return digest.hexdigest(), size


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file completely or not at all: under a temporary name, flushed to the disk, then renamed."""
    with write_errors(path):
        temporary = make_temporary_name(path, "part")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)


@contextmanager
def replace_folder(target: Path) -> Iterator[Path]:
    """Yield a new, empty folder to be filled; afterwards it replaces `target`, completely or not at all."""
    with write_errors(target):
        part = make_temporary_name(target, "part")
        part.mkdir(parents=True)
        try:
            yield part
            sync_folder(part)
            while not put_in_place(part, target):
                pass
        finally:
            shutil.rmtree(part, ignore_errors=True)
        sync_folder(target.parent)


def put_in_place(part: Path, target: Path) -> bool:
    """Rename a folder to `target` and remove what was there; return False where another process was quicker."""
    old = make_temporary_name(target, "old")
    try:
        with suppress(FileNotFoundError):
            target.replace(old)
        part.replace(target)
    except BaseException as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            remove(old)
            return False
        with suppress(OSError):  # there was nothing
            old.replace(target)
        raise
    remove(old)
    return True


def make_temporary_name(path: Path, ending: str) -> Path:
    """Return a name beside a path that nothing else uses."""
    remove_abandoned_once(path.parent)
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.{ending}")


def final_name(name: str) -> str:
    """Return the name whose temporary name this is; any other name unchanged."""
    match = TEMPORARY_NAME.fullmatch(name)
    return match["name"] if match else name


def remove_abandoned(folder: Path, min_age_seconds: float = 0) -> None:
    """Remove temporary files and folders that a killed process has left in a folder."""
    with suppress(OSError):  # they are in nobody's way
        for path in folder.iterdir():
            match = TEMPORARY_NAME.fullmatch(path.name)
            only_copy = path.suffix == ".old" and not os.path.lexists(folder / final_name(path.name))
            if match and match["unique"] and not only_copy and time.time() - path.stat().st_mtime >= min_age_seconds:
                remove(path)


@cache
def remove_abandoned_once(folder: Path) -> None:
    """Remove what was abandoned in a folder long ago. A list of the folder is too slow for every file in it."""
    remove_abandoned(folder, ABANDONED_SECONDS)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder as far as that is possible."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes and threads that lock the same path waiting: for reading it, changing it and writing it."""
    from filelock import FileLock  # seldom needed

    with write_errors(path), FileLock(path.with_name(f".{path.name}.lock")):
        yield


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
