"""Models on the Hugging Face Hub, in its client's own cache. Every byte is verified before anything is read.

The client compares sizes only, and makes file names in its cache of headers that the Hub sends. So `ResponseGuard`
checks each response first, and a file counts as downloaded once its hash is the pinned one, or the Hub's own.
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from huggingface_hub import constants, get_session, hf_hub_download, try_to_load_from_cache

from ganzoo import _io
from ganzoo._version import __version__
from ganzoo.errors import Unavailable
from ganzoo.plugins.entries import NEEDED_FILES, OPTIONAL_FILES, Entry
from ganzoo.zoo.config import MAX_CONFIG_BYTES
from ganzoo.zoo.hub_errors import Missing, hub_errors
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.references import OnHub

logger = logging.getLogger(__name__)

COMMIT = re.compile("[0-9a-f]{40}")
HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
MAX_OPTIONAL_BYTES = 20_000_000
"""The largest file beside config and weights that is downloaded."""


class ResponseGuard:
    """Checks what a Hub answers for one file of at most `max_bytes` bytes before the client sees it.

    Refuses malformed hashes and commits, since the client makes paths of them, and sizes beyond the limit. `hash` is
    the file's hash according to the Hub, None if it was not asked.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.hash: str | None = None

    def __enter__(self) -> Self:
        self.session = get_session()
        self.hooks = self.session.event_hooks
        self.session.event_hooks = self.hooks | {"response": [*self.hooks["response"], self.check]}
        return self

    def __exit__(self, *error: object) -> None:
        self.session.event_hooks = self.hooks

    def check(self, response: Any) -> None:
        """Raise `Unavailable` for a response (of the client's HTTP library) that the client must not see."""
        headers = response.headers
        etag = (headers.get("X-Linked-Etag") or headers.get("ETag") or "").removeprefix("W/").strip('"')
        if "/resolve/" in response.url.path and response.request.method == "HEAD":
            if etag and not HASH.fullmatch(etag):
                raise Unavailable(f"the Hub sent an invalid ETag {etag[:80]!r}")
            self.hash = etag or self.hash
        if not COMMIT.fullmatch(headers.get("X-Repo-Commit", "0" * 40)):
            raise Unavailable(f"the Hub sent an invalid commit {headers['X-Repo-Commit'][:80]!r}")
        for key in ("X-Linked-Size", "Content-Length"):
            if not response.is_error and int(headers.get(key, 0)) > self.max_bytes:
                raise Unavailable(f"{response.url.path} has {int(headers[key]):,} bytes, more than {self.max_bytes:,}")


def pull_entry(entry: Entry, offline: bool = False, everything: bool = False) -> LocalModel:
    """Pull a registered model: config and weights, or `everything`, as pinned. Raises `Unavailable`."""
    for file in entry.files if everything else NEEDED_FILES:
        pin = entry.files[file]
        path = fetch_verified(entry.repository, file, entry.commit, offline, pin["sha256"], pin["size"])
    return LocalModel(path.parent)


def pull_repository(wanted: OnHub, offline: bool = False, everything: bool = False) -> LocalModel:
    """Pull a model that no registry pins: the config, then the weights that it pins, then perhaps the other files.

    A branch or tag is resolved to a commit once, and the log says to which. Raises `Unavailable`, and `BadInput` where
    the repository holds no model that this version reads.
    """
    repository, revision = wanted.repository, wanted.revision or "main"
    offline = offline or constants.HF_HUB_OFFLINE
    named = None if offline or COMMIT.fullmatch(revision) else revision
    revision = resolve_revision(repository, revision) if named else revision
    local = LocalModel(fetch_verified(repository, "config.json", revision, offline).parent)
    weights = local.config.weights
    fetch_verified(repository, weights.file, revision, offline, weights.sha256, weights.size)
    for file in OPTIONAL_FILES if everything else ():
        with suppress(Missing):
            fetch_verified(repository, file, revision, offline, max_bytes=MAX_OPTIONAL_BYTES)
    if named:
        # Last, once all files are here: offline, the client finds a name by what an ordinary download of it leaves.
        request_file(repository, "config.json", named, MAX_CONFIG_BYTES)
    return local


def resolve_revision(repository: str, revision: str) -> str:
    """Return the commit of a branch or tag."""
    commit, named = request_commit(repository, revision)
    reached = "is" if named else "cannot be reached now, and was"
    logger.info("hub:%s@%s %s at %.12s; pin it as hub:%s@%s", repository, revision, reached, commit, repository, commit)
    return commit


def fetch_verified(
    repository: str,
    file: str,
    revision: str,
    offline: bool,
    sha256: str | None = None,
    max_bytes: int = MAX_CONFIG_BYTES,
) -> Path:
    """Return a file with this `sha256`, else with the Hub's own hash; a damaged one is downloaded once more."""
    offline = offline or constants.HF_HUB_OFFLINE
    what = f"{file} of hub:{repository}@{revision:.12}"
    known = try_to_load_from_cache(repository, file, revision=revision)
    if known is not None and not isinstance(known, str):
        raise Missing(f"there is no {what}")
    path, named = request_file(repository, file, revision, max_bytes, local_files_only=offline)
    with hub_errors(repository, what):
        fault = describe_mismatch(path, sha256 or named)
    if fault and not offline:
        path, named = request_file(repository, file, revision, max_bytes, force_download=True)
        fault = describe_mismatch(path, sha256 or named)
    if fault:
        raise Unavailable(f"{what} is not what it should be: {fault} ({path})")
    return path


def describe_mismatch(path: Path, expected: str | None) -> str:
    """Compare the hash of a cached file with the expected one; return both if they differ, else an empty string.

    Without an expected hash, the name of the cache's own blob counts, which is its hash (where there are links).
    """
    if expected is None and path.is_symlink():
        expected = path.readlink().name
    if expected is None or not HASH.fullmatch(expected):
        return ""
    content = path.read_bytes()
    found = git_hash(content) if len(expected) == 40 else _io.sha256(content)
    return "" if found == expected else f"expected {'sha1' if len(found) == 40 else 'sha256'} {expected}, found {found}"


def git_hash(content: bytes) -> str:
    """Return the hash by which git, and so the Hub, names a content."""
    digest = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def request_file(
    repository: str,
    file: str,
    revision: str,
    max_bytes: int,
    *,
    local_files_only: bool = False,
    force_download: bool = False,
) -> tuple[Path, str | None]:
    """Ask for a file; return its path in the cache, and its hash according to the Hub, None if it was not asked."""
    with guarded_request(repository, file, revision, max_bytes) as guard:
        path = hf_hub_download(
            repository,
            file,
            revision=revision,
            library_name="ganzoo",
            library_version=__version__,
            local_files_only=local_files_only,
            force_download=force_download,
        )
        return Path(path), guard.hash


def request_commit(repository: str, revision: str) -> tuple[str, str | None]:
    """Ask for the commit of a branch or tag; return it, and a hash as `request_file` does."""
    with guarded_request(repository, "config.json", revision, MAX_CONFIG_BYTES) as guard:
        found = hf_hub_download(
            repository,
            "config.json",
            revision=revision,
            library_name="ganzoo",
            library_version=__version__,
            dry_run=True,
        )
        return found.commit_hash, guard.hash


@contextmanager
def guarded_request(repository: str, file: str, revision: str, max_bytes: int) -> Iterator[ResponseGuard]:
    """Check the responses to what is requested inside, and explain its errors."""
    with hub_errors(repository, f"{file} of hub:{repository}@{revision:.12}"), ResponseGuard(max_bytes) as guard:
        yield guard


def is_cached(repository: str, file: str, revision: str) -> bool:
    """Say whether a file is on this machine already."""
    return isinstance(try_to_load_from_cache(repository, file, revision=revision), str)
