"""The files of the Hub's client on this machine, in its own layout, and the hashes by which the Hub knows them.

The layout is the client's documented one, so that `hf cache` and every other library see the same files:

    models--owner--name/refs/main                   the commit of a branch or tag
    models--owner--name/blobs/<hash>                contents, by the hashes by which the Hub names them
    models--owner--name/snapshots/<commit>/<file>   links to them

Others may be able to write into that cache. What the Hub said of a commit is remembered elsewhere: in the user's own
cache, by the Hub's address, since a mirror may say something else.
"""

import hashlib
import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
from filelock import FileLock, Timeout
from huggingface_hub import constants

from ganzoo._io import NoHome, home_folder, write_bytes
from ganzoo.errors import BadInput

logger = logging.getLogger(__name__)

COMMIT = re.compile("[0-9a-f]{40}")
HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
"""The hash by which the Hub names a content: git's of a small file, the SHA-256 of a large one."""
LOCK_MODE = 0o664
"""The permissions that the client, too, gives a lock: the users of a group may share a cache."""
PATIENCE_SECONDS = 10.0
"""How long another process is waited for without a word."""
ABSENT = "absent"
"""What is remembered of a file that a commit does not have."""


def repository_folder(repository: str) -> Path:
    """Return the folder of a repository in the client's cache. Raises `NoHome` where that has no place."""
    # Where there is no home folder, the client leaves a ~ as it is.
    folder = home_folder(lambda _: Path(constants.HF_HUB_CACHE).expanduser(), "HF_HOME to a folder for downloads")
    return folder / f"models--{repository.replace('/', '--')}"


def cached_path(repository: str, commit: str, file: str) -> Path:
    """Return the path of a file in the cache, whether it is there or not."""
    return repository_folder(repository) / "snapshots" / commit / file


def is_cached(repository: str, file: str, commit: str) -> bool:
    """Say whether a file is on this machine already."""
    with suppress(NoHome):
        return cached_path(repository, commit, file).is_file()
    return False


def read_ref(repository: str, name: str) -> str | None:
    """Return the commit that a branch or tag was at when it was last asked for; None if it never was."""
    with suppress(OSError, UnicodeDecodeError):
        commit = (repository_folder(repository) / "refs" / name).read_text().strip()
        return commit if COMMIT.fullmatch(commit) else None
    return None


def write_ref(repository: str, name: str, commit: str) -> None:
    """Note the commit of a branch or tag, as far as the cache can be written to."""
    path = repository_folder(repository) / "refs" / name
    with suppress(OSError, BadInput):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != commit:
            write_bytes(path, commit.encode())


def lock_path(repository: str, digest: str) -> Path:
    """Return the lock of a content, which is the one that the client itself takes."""
    folder = repository_folder(repository)
    return folder.parent / ".locks" / folder.name / f"{digest}.lock"


@contextmanager
def locked(repository: str, digest: str, what: str) -> Iterator[None]:
    """Keep other processes that want the same content waiting; they say for what where that takes long."""
    path = lock_path(repository, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, mode=LOCK_MODE)
    try:
        lock.acquire(timeout=PATIENCE_SECONDS)
    except Timeout:
        logger.warning("waiting for another process that downloads %s (it holds %s)", what, path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def blob_path(repository: str, digest: str) -> Path:
    """Return the path of a content, whether it is there or not."""
    return repository_folder(repository) / "blobs" / digest


def temporary_path(blob: Path) -> Path:
    """Return a new name for a content that is being downloaded, as the client itself would choose it."""
    blob.parent.mkdir(parents=True, exist_ok=True)
    return blob.with_name(f"{blob.name}.{uuid.uuid4().hex[:8]}.incomplete")


def put_into_cache(temporary: Path, blob: Path, path: Path) -> None:
    """Move a verified content to its place, where a file of a commit leads to."""
    temporary.replace(blob)
    if not link(blob, path):
        blob.replace(path)  # the client has no blob either


def link_or_copy(blob: Path, path: Path) -> None:
    """Make a file of a commit from a content that is here already."""
    if not link(blob, path):
        copy = temporary_path(blob)
        try:
            shutil.copyfile(blob, copy)
            copy.replace(path)
        finally:
            copy.unlink(missing_ok=True)


def link(blob: Path, path: Path) -> bool:
    """Make a file of a commit a link to its content; return False on a file system, or a Windows, without links."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = temporary_path(blob).with_suffix(".link")
    try:
        new.symlink_to(os.path.relpath(blob, path.parent))
    except OSError:
        return False
    new.replace(path)
    return True


def describe_mismatch(path: Path, *expected: str | None) -> str:
    """Compare a file with the hashes that it should have; return the first that differs, else an empty string."""
    for digest in dict.fromkeys(filter(None, expected)):
        found = git_hash_of(path) if len(digest) == 40 else sha256_of(path)
        if found != digest:
            return f"expected {'sha1' if len(digest) == 40 else 'sha256'} {digest}, found {found}"
    return ""


def blob_hash(path: Path) -> str | None:
    """Return the hash by which the cache itself names a file, None where there are no links."""
    name = path.readlink().name if path.is_symlink() else ""
    return name if HASH.fullmatch(name) else None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 hash of a file, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_hash_of(path: Path) -> str:
    """Return the hash by which git, and so the Hub, names a file."""
    digest = start_git_hash(path.stat().st_size)
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: digest).hexdigest()


def git_hash(content: bytes) -> str:
    """Return the hash by which git, and so the Hub, names a content."""
    digest = start_git_hash(len(content))
    digest.update(content)
    return digest.hexdigest()


def start_git_hash(size: int) -> "hashlib._Hash":
    """Return the beginning of git's hash of a content of that many bytes."""
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)


def remembered_path(repository: str, commit: str, file: str) -> Path:
    """Return where the user's own cache keeps what the Hub at this address said of a file."""
    address = urlsplit(constants.ENDPOINT)
    host = re.sub(r"[^\w.-]", "-", f"{address.hostname}-{address.port or address.scheme}{address.path}")
    folder = home_folder(platformdirs.user_cache_path, "XDG_CACHE_HOME to a folder for downloads") / "hub"
    return folder / host / repository / commit / file


def recall(repository: str, commit: str, file: str) -> str | None:
    """Return the hash that the Hub once gave for a file of a commit, `ABSENT`, or None where it was never asked."""
    with suppress(OSError, UnicodeDecodeError, NoHome):
        known = remembered_path(repository, commit, file).read_text().strip()
        return known if known == ABSENT or HASH.fullmatch(known) else None
    return None


def remember(repository: str, commit: str, file: str, known: str) -> None:
    """Keep what the Hub says of a file of a commit, as far as the user's cache can be written to."""
    with suppress(OSError, BadInput):
        path = remembered_path(repository, commit, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, known.encode())
