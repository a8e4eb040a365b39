"""What the Hub says of a file, and its bytes: every answer is checked, every byte is counted."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
from huggingface_hub.utils import tqdm

from ganzoo._version import __version__
from ganzoo.errors import Unavailable
from ganzoo.zoo.hub.cache import ABSENT, COMMIT, HASH, remember
from ganzoo.zoo.hub.errors import hub_errors, seconds_to_wait
from ganzoo.zoo.hub.session import make_headers, open_session, where

if TYPE_CHECKING:
    from httpx2 import Response

T = TypeVar("T")

PAUSES_SECONDS = (0.5, 2.0)
"""The pauses before a request is made again."""
MAX_WAIT_SECONDS = 30
"""The longest wait that a server may ask for; a longer one is an error that says how long."""
MIN_PROGRESS_BYTES = 1_000_000
"""The progress that makes up for a broken connection."""
CODINGS = ("", "identity", "gzip", "deflate")
"""The content codings that are decoded. None is asked for, but there are proxies that use them; others, and two of
them on top of each other, can make far too much memory of a few bytes."""


@dataclass(frozen=True)
class HubFile:
    """A file of a repository at a commit, branch or tag."""

    repository: str
    revision: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} of hub:{self.repository}@{self.revision:.12}"

    @property
    def url(self) -> str:
        """Where the Hub has it."""
        return hf_hub_url(self.repository, self.name, revision=self.revision)


@dataclass(frozen=True)
class Described:
    """What the Hub says of a file: its commit, its hash, and its size in bytes where that is known."""

    commit: str
    hash: str
    size: int | None


def ask(file: HubFile) -> Described:
    """Ask the Hub for a file, without its content; what is said of a commit is remembered.

    Raises `Unreachable` where the Hub gives no answer, `Missing` where there is no such file, and `Unavailable` for an
    answer that is not one of a Hub.
    """
    with hub_errors(file.repository, str(file)):
        found = check_described(file, retry(lambda: request_description(file)))
        remember(file.repository, found.commit, file.name, found.hash)
        return found


def request_description(file: HubFile) -> Described:
    """Send one request for what the Hub says of a file."""
    open_session()
    try:
        found = get_hf_file_metadata(file.url, library_name="ganzoo", library_version=__version__)
    except EntryNotFoundError:
        if COMMIT.fullmatch(file.revision):
            remember(file.repository, file.revision, file.name, ABSENT)
        raise
    return Described(found.commit_hash or "", found.etag or "", found.size)


def check_described(file: HubFile, found: Described) -> Described:
    """Return a description whose values can be names of files. Raises `Unavailable` otherwise."""
    if not COMMIT.fullmatch(found.commit):
        raise Unavailable(f"{file}: the server {where()} is not a Hub: it sent an invalid commit {found.commit[:80]!r}")
    if COMMIT.fullmatch(file.revision) and found.commit != file.revision:
        raise Unavailable(f"{file}: the Hub {where()} answers from another commit, {found.commit:.12}")
    if not HASH.fullmatch(found.hash):
        raise Unavailable(f"{file}: the Hub {where()} sent an invalid ETag {found.hash[:80]!r}")
    return found


def download(file: HubFile, path: Path, size: int | None, max_bytes: int) -> None:
    """Write the content of a file to a new path, at most `max_bytes`; `size` is what is expected, if anything is.

    Where the connection breaks, it goes on from there. Raises `Unavailable`.
    """
    check_space(file, path.parent, size or 0)
    with hub_errors(file.repository, str(file)), path.open("xb") as content, make_bar(file, size) as bar:

        def receive_rest() -> None:
            if size is None or content.tell() < size:
                receive(file, content, max_bytes, bar)

        retry(receive_rest, content.tell)


def make_bar(file: HubFile, size: int | None) -> Any:
    """Return a progress bar of the Hub's client for the bytes of a file, which shows itself on terminals only."""
    untyped: Any = tqdm
    return untyped(total=size, desc=file.name, unit="B", unit_scale=True, disable=None)


def check_space(file: HubFile, folder: Path, size: int) -> None:
    """Raise `Unavailable` where a file is larger than what is free."""
    free = shutil.disk_usage(folder).free
    if size > free:
        cache = constants.HF_HUB_CACHE
        raise Unavailable(f"{file} has {size:,} bytes, and only {free:,} are free (the cache is {cache})")


def receive(file: HubFile, content: BinaryIO, max_bytes: int, bar: Any) -> None:
    """Receive a file from where its content ends until now."""
    begun = content.tell()
    headers = make_headers() | {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begun}-"} if begun else {})
    timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
    with open_session().stream("GET", file.url, headers=headers, timeout=timeout, follow_redirects=True) as response:
        check_response(file, response, max_bytes)
        if not response.headers.get("Content-Range", "").startswith(f"bytes {begun}-"):
            content.seek(0)  # the whole file comes again
            content.truncate()
        for chunk in response.iter_bytes():
            if content.tell() + len(chunk) > max_bytes:
                raise Unavailable(f"{file} has more than {max_bytes:,} bytes")
            content.write(chunk)
            bar.update(content.tell() - bar.n)


def check_response(file: HubFile, response: "Response", max_bytes: int) -> None:
    """Raise an error unless a response has the content of this file. Its body is not read yet: it may have no end."""
    for each in (*response.history, response):
        if (commit := each.headers.get("X-Repo-Commit", file.revision)) != file.revision:
            raise Unavailable(f"{file}: the Hub {where()} answers from another commit, {commit:.12}")
    if not response.is_success:
        raise HfHubHTTPError(f"{response.status_code} {response.reason_phrase}", response=response)
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in CODINGS:
        raise Unavailable(
            f"{file}: the server {where()} answers in the coding {coding[:40]!r}, which was not asked for"
        )
    check_size(file, response.headers.get("Content-Length", ""), max_bytes)


def check_size(file: HubFile, length: str, max_bytes: int) -> None:
    """Raise `Unavailable` for a length of a response, as its header says it, beyond the limit."""
    if length.isdecimal() and int(length) > max_bytes:
        raise Unavailable(f"{file} has {int(length):,} bytes, more than {max_bytes:,}")


def retry(request: Callable[[], T], progress: Callable[[], int] = lambda: 0) -> T:
    """Return what a request returns; make it again after errors that may pass, unless a server asks for a long wait.

    A request that has made progress, in bytes, may fail as often again.
    """
    pauses, done = iter(PAUSES_SECONDS), 0
    while True:
        try:
            return request()
        except Exception as error:
            if progress() > done + MIN_PROGRESS_BYTES:
                pauses, done = iter(PAUSES_SECONDS), progress()
            pause = next(pauses, None)
            wait = None if pause is None else seconds_to_wait(error, pause)
            if wait is None or wait > MAX_WAIT_SECONDS:
                raise
        time.sleep(wait)
