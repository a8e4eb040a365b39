"""Models on the Hugging Face Hub, in its client's own cache: every byte is verified before anything is read.

The client compares sizes only and takes what a Hub answers for the name of a file in its cache. So
`ResponseGuard` checks each answer first, and a file counts once its hash is the pinned one, or the Hub's own.
"""

import errno
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from huggingface_hub import constants, get_session, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from ganzoo import _io
from ganzoo._version import __version__
from ganzoo.errors import BadInput, Unavailable
from ganzoo.plugins.entries import NEEDED, OPTIONAL, Entry
from ganzoo.zoo.config import LARGEST, read_config
from ganzoo.zoo.references import OnHub

COMMIT = re.compile("[0-9a-f]{40}")
HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
LARGEST_BESIDE = 20_000_000
"""Bytes that a file beside config and weights may have."""
Say = Callable[[str], None]


class Missing(Unavailable):
    """The repository, or offline the cache, has no such file."""


class ResponseGuard:
    """Stands between the client and what a Hub answers for one file of at most `largest` bytes.

    Refuses hashes and commits that are none, since the client makes paths of them, and sizes beyond the limit. `hash`
    is the one by which the Hub named the file, None if it was not asked.
    """

    def __init__(self, largest: int) -> None:
        self.largest, self.hash = largest, None

    def __enter__(self) -> Self:
        self.session = get_session()
        self.hooks = self.session.event_hooks
        self.session.event_hooks = self.hooks | {"response": [*self.hooks["response"], self.look]}
        return self

    def __exit__(self, *error: object) -> None:
        self.session.event_hooks = self.hooks

    def look(self, response: Any) -> None:
        """Raise `Unavailable` for an answer that the client should not see."""
        about = response.headers
        named = (about.get("X-Linked-Etag") or about.get("ETag") or "").removeprefix("W/").strip('"')
        if "/resolve/" in response.url.path and response.request.method == "HEAD":
            if named and not HASH.fullmatch(named):
                raise Unavailable(f"the Hub names a file by {named[:80]!r}, which is no hash")
            self.hash = named or self.hash
        if not COMMIT.fullmatch(about.get("X-Repo-Commit", "0" * 40)):
            raise Unavailable(f"the Hub names a commit {about['X-Repo-Commit'][:80]!r}, which is none")
        for key in ("X-Linked-Size", "Content-Length"):
            if not response.is_error and int(about.get(key, 0)) > self.largest:
                raise Unavailable(f"{response.url.path} has {int(about[key]):,} bytes, more than {self.largest:,}")


def pull_entry(entry: Entry, offline: bool = False, everything: bool = False) -> Path:
    """The folder of a registered model, config and weights or `everything` as pinned. Raises `Unavailable`."""
    for file in entry.files if everything else NEEDED:
        pin = entry.files[file]
        path = fetch_verified(entry.repository, file, entry.commit, offline, pin["sha256"], pin["size"])
    return path.parent


def pull_repository(
    wanted: OnHub, offline: bool = False, everything: bool = False, say: Say = lambda sentence: None
) -> Path:
    """The folder of a model that nothing pins: the config, then the weights that it names, then perhaps the rest.

    What is no commit is resolved once, and `say` tells to which. Raises `Unavailable`, and `BadInput` where the
    repository holds no model that this version reads.
    """
    repository, revision = wanted.repository, wanted.revision or "main"
    offline = offline or constants.HF_HUB_OFFLINE
    named = None if offline or COMMIT.fullmatch(revision) else revision
    revision = resolve_revision(repository, revision, say) if named else revision
    config = fetch_verified(repository, "config.json", revision, offline, largest=LARGEST)
    pinned = read_config(config.parent)["weights"]
    fetch_verified(repository, pinned["file"], revision, offline, pinned["sha256"], pinned["size"])
    for file in OPTIONAL if everything else ():
        with suppress(Missing):
            fetch_verified(repository, file, revision, offline, largest=LARGEST_BESIDE)
    if named:
        # Now that all is there: the client's offline mode finds a name by what an ordinary download of it leaves.
        request_file(repository, "config.json", named, LARGEST)
    return config.parent


def resolve_revision(repository: str, revision: str, say: Say) -> str:
    """The commit of a branch or tag."""
    found, named = request_file(repository, "config.json", revision, LARGEST, dry_run=True)
    pin = f"pin it as hub:{repository}@{found.commit_hash}"
    reached = "is" if named else "cannot be reached now, and was"
    say(f"hub:{repository}@{revision} {reached} at {found.commit_hash[:12]}; {pin}")
    return found.commit_hash


def fetch_verified(
    repository: str, file: str, revision: str, offline: bool, sha256: str | None = None, largest: int = LARGEST
) -> Path:
    """A file with this `sha256`, else with the hash by which the Hub names it. Downloaded anew once where it is not."""
    offline = offline or constants.HF_HUB_OFFLINE
    what = f"{file} of hub:{repository}@{revision:.12}"
    known = try_to_load_from_cache(repository, file, revision=revision)
    if known is not None and not isinstance(known, str):
        raise Missing(f"there is no {what}")
    path, named = request_file(repository, file, revision, largest, local_files_only=offline)
    with hub_errors(repository, what):
        faults = mismatch(path, sha256 or named)
    if faults and not offline:
        path, named = request_file(repository, file, revision, largest, force_download=True)
        faults = mismatch(path, sha256 or named)
    if faults:
        raise Unavailable(f"{what} is not what it should be: {faults} ({path})")
    return path


def mismatch(path: Path, expected: str | None) -> str:
    """What is wrong with a file in the cache: the hash that was expected and the one found, else an empty string.

    What was downloaded earlier is named by its hash there, except where the file system has no links.
    """
    if expected is None and path.is_symlink():
        expected = path.readlink().name
    if expected is None or not HASH.fullmatch(expected):
        return ""
    content = path.read_bytes()
    found = git_hash(content) if len(expected) == 40 else _io.sha256(content)
    return "" if found == expected else f"expected {'sha1' if len(found) == 40 else 'sha256'} {expected}, found {found}"


def git_hash(content: bytes) -> str:
    """The name that git, and so the Hub, has for a content."""
    made = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    made.update(content)
    return made.hexdigest()


def request_file(repository: str, file: str, revision: str, largest: int, **options: Any) -> tuple[Any, str | None]:
    """What `hf_hub_download` returns, and the hash by which the Hub named the file, None where it was not asked."""
    with hub_errors(repository, f"{file} of hub:{repository}@{revision:.12}"), ResponseGuard(largest) as gate:
        found = hf_hub_download(
            repository, file, revision=revision, library_name="ganzoo", library_version=__version__, **options
        )
        return (found if options.get("dry_run") else Path(found)), gate.hash


def is_cached(repository: str, file: str, revision: str) -> bool:
    """Whether a file is on this machine already."""
    return isinstance(try_to_load_from_cache(repository, file, revision=revision), str)


@contextmanager
def hub_errors(repository: str, what: str) -> Iterator[None]:
    """Turn what the Hub's client raises into `Unavailable` (`Missing` where there is no such file), in one sentence."""
    where = f"at {constants.ENDPOINT}"
    try:
        yield
    except (Unavailable, BadInput):
        raise
    except HFValidationError as error:
        raise BadInput(f"'{repository}' is no name of a repository: {first_line(error)}") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise explain_unreachable(error, what, where) from error
    except GatedRepoError as error:
        advice = "accept its terms there and log in with 'hf auth login'"
        raise Unavailable(f"{repository} {where} is gated: {advice}") from error
    except RepositoryNotFoundError as error:
        said = "or it is private: if it is, log in with 'hf auth login'"
        raise Unavailable(f"there is no repository {repository} {where}, {said}") from error
    except RevisionNotFoundError as error:
        raise Unavailable(f"there is no such revision: {what}") from error
    except EntryNotFoundError as error:
        raise Missing(f"there is no {what}: it holds no model of ganzoo, which is {' and '.join(NEEDED)}") from error
    except LocalTokenNotFoundError as error:
        raise Unavailable(f"nobody is logged in to the Hub {where}; 'hf auth login' comes first") from error
    except HfHubHTTPError as error:
        raise Unavailable(explain_response(error, what, where)) from error
    except OSError as error:
        full = "no space left" if error.errno == errno.ENOSPC else first_line(error)
        raise Unavailable(f"{what}: {full} (the cache is {constants.HF_HUB_CACHE})") from error
    except (ValueError, TypeError, KeyError) as error:
        raise Unavailable(f"{what}: what answers {where} is no Hub ({first_line(error)})") from error
    except Exception as error:
        if not type(error).__module__.startswith("httpx"):
            raise
        raise Unavailable(f"the connection to the Hub {where} broke ({first_line(error)}); try again") from error


def explain_unreachable(error: Exception, what: str, where: str) -> Unavailable:
    """Nothing in the cache, and nothing came of asking."""
    cause = error.__cause__
    if isinstance(error, OfflineModeIsEnabled) or cause is None or isinstance(cause, OfflineModeIsEnabled):
        return Missing(f"{what} is not in the cache, and offline nothing is asked for; 'ganzoo pull' it first")
    if isinstance(cause, HfHubHTTPError):
        return Unavailable(explain_response(cause, what, where))
    return Unavailable(f"cannot reach the Hub {where} for {what} ({first_line(cause)}); check the network")


def explain_response(error: HfHubHTTPError, what: str, where: str) -> str:
    """A sentence about an answer that is none."""
    code = error.response.status_code
    said = {
        401: "does not know this token, or wants one; log in with 'hf auth login'",
        403: "does not allow it: the token lacks the right, or the name is somebody else's",
        409: "says that this is in conflict with what is there",
        412: "says that somebody else changed the repository meanwhile; look, and try again",
        429: "wants fewer requests; wait, and try again",
    }.get(code, "failed; try again later" if code >= 500 else first_line(error))
    return f"{what}: the Hub {where} {said} ({code})"


def first_line(error: BaseException) -> str:
    """The beginning of what an error says."""
    return (str(error) or type(error).__name__).strip().partition("\n")[0][:200]
