"""Models on the Hugging Face Hub, in its client's own cache: every byte is verified before anything is read.

The client compares sizes only, so a file counts once its hash is the pinned one or, where nothing pins it, the one by
which the Hub and the cache name its content.
"""

import errno
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

import ganzoo
from ganzoo.config import LARGEST, read_config
from ganzoo.errors import BadInput, Unavailable
from ganzoo.pinned import NEEDED, OPTIONAL, Entry
from ganzoo.references import OnHub

COMMIT = re.compile("[0-9a-f]{40}")
Say = Callable[[str], None]


def pull_entry(entry: Entry, offline: bool = False) -> Path:
    """The folder of a registered model, every file of it as pinned. Raises `Unavailable`."""
    for file, pin in entry.files.items():
        path = verified(entry.repository, file, entry.commit, pin["sha256"], offline)
    return path.parent


def pull_repository(wanted: OnHub, offline: bool = False, say: Say = lambda sentence: None) -> Path:
    """The folder of a model that nothing pins: the config first, then the weights that it names, then the rest.

    What is no commit is resolved once, and `say` tells to which. Raises `Unavailable`, and `BadInput` where the
    repository holds no model that this version reads.
    """
    repository, revision = wanted.repository, wanted.revision or "main"
    if not (offline or is_offline()):
        revision = resolved(repository, revision)
        if revision != wanted.revision:
            say(f"hub:{repository} is at {revision[:12]}; pin it as hub:{repository}@{revision}")
    config = verified(repository, "config.json", revision, None, offline)
    pinned = read_config(config.parent)["weights"]
    verified(repository, pinned["file"], revision, pinned["sha256"], offline)
    for file in OPTIONAL:
        with suppress(Missing):
            verified(repository, file, revision, None, offline)
    return config.parent


def resolved(repository: str, revision: str) -> str:
    """The commit of a branch or tag, once its config is known to be there and small enough to be one."""
    found = asked(repository, "config.json", revision, dry_run=True)
    if found.file_size > LARGEST:
        size = f"{found.file_size:,} bytes"
        raise BadInput(f"config.json of hub:{repository} is too large for a config: {size} of {LARGEST:,}")
    # The client's offline mode finds a branch or tag by what an ordinary download of it left behind.
    asked(repository, "config.json", revision)
    return found.commit_hash


def verified(repository: str, file: str, revision: str, sha256: str | None, offline: bool) -> Path:
    """A file whose hash is `sha256`, and the one by which the cache names it. Downloaded anew once where it is not."""
    path = asked(repository, file, revision, local_files_only=offline)
    if wrong(path, sha256) and not (offline or is_offline()):
        path = asked(repository, file, revision, force_download=True)
    if faults := wrong(path, sha256):
        raise Unavailable(f"{file} of hub:{repository}@{revision:.12} is not what it should be: {faults} ({path})")
    return path


def wrong(path: Path, sha256: str | None) -> str:
    """What is wrong with a file in the cache: the hash that was expected and the one found, else an empty string."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if sha256 not in (None, found):
        return f"expected sha256 {sha256}, found {found}"
    named = path.resolve().name
    own = {64: found, 40: git_hash(content)}.get(len(named))
    if own and re.fullmatch("[0-9a-f]+", named) and named != own:
        return f"expected hash {named}, found {own}"
    return ""


def git_hash(content: bytes) -> str:
    """The name that git, and so the Hub, has for a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def asked(repository: str, file: str, revision: str, **options: Any) -> Any:
    """`hf_hub_download`, what it raises turned into one sentence."""
    with hub_faults(repository, f"{file} of hub:{repository}@{revision:.12}"):
        found = hf_hub_download(
            repository,
            file,
            revision=revision,
            library_name="ganzoo",
            library_version=ganzoo.__version__,
            **options,
        )
        return found if options.get("dry_run") else Path(found)


def is_cached(repository: str, file: str, revision: str) -> bool:
    """Whether a file is on this machine already."""
    return isinstance(try_to_load_from_cache(repository, file, revision=revision), str)


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE says that no request may be sent."""
    return constants.HF_HUB_OFFLINE


class Missing(Unavailable):
    """The repository, or offline the cache, has no such file."""


@contextmanager
def hub_faults(repository: str, what: str) -> Iterator[None]:
    """Turn what the Hub's client raises into `Unavailable` (`Missing` where there is no such file), in one sentence."""
    where = f"at {constants.ENDPOINT}"
    try:
        yield
    except (Unavailable, BadInput):
        raise
    except HFValidationError as error:
        raise BadInput(f"'{repository}' is no name of a repository: {error}") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise unreachable(error, what, where) from error
    except GatedRepoError as error:
        advice = "accept its terms there and log in with 'hf auth login'"
        raise Unavailable(f"{repository} {where} is gated: {advice}") from error
    except RepositoryNotFoundError as error:
        raise Unavailable(f"there is no repository {repository} {where}, or it is private: {LOG_IN}") from error
    except RevisionNotFoundError as error:
        raise Unavailable(f"there is no such revision: {what}") from error
    except (RemoteEntryNotFoundError, EntryNotFoundError) as error:
        raise Missing(f"there is no {what}: it holds no model of ganzoo, which is {' and '.join(NEEDED)}") from error
    except LocalTokenNotFoundError as error:
        raise Unavailable(f"nobody is logged in to the Hub {where}; 'hf auth login' comes first") from error
    except HfHubHTTPError as error:
        raise Unavailable(answered(error, what, where)) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise Unavailable(f"no space left for {what} in {constants.HF_HUB_CACHE}") from error
        raise Unavailable(f"cannot download {what}: {first_line(error)}") from error
    except Exception as error:
        if not type(error).__module__.startswith("httpx"):
            raise
        raise Unavailable(f"the connection to the Hub {where} broke ({first_line(error)}); try again") from error


LOG_IN = "if it is, log in with 'hf auth login'"


def unreachable(error: Exception, what: str, where: str) -> Unavailable:
    """Nothing in the cache, and nothing came of asking."""
    cause = error.__cause__
    if isinstance(error, OfflineModeIsEnabled) or cause is None or isinstance(cause, OfflineModeIsEnabled):
        return Missing(f"{what} is not in the cache, and offline nothing is downloaded; 'ganzoo pull' it first")
    if isinstance(cause, HfHubHTTPError):
        return Unavailable(answered(cause, what, where))
    return Unavailable(f"cannot reach the Hub {where} for {what} ({first_line(cause)}); check the network")


def answered(error: HfHubHTTPError, what: str, where: str) -> str:
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
