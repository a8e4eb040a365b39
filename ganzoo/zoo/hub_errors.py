"""Errors of the Hub's client, each turned into one sentence that says what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import constants
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

from ganzoo.errors import BadInput, Unavailable
from ganzoo.plugins.entries import NEEDED_FILES


class Missing(Unavailable):
    """The repository, or offline the cache, has no such file."""


@contextmanager
def hub_errors(repository: str, what: str) -> Iterator[None]:
    """Turn errors of the Hub's client into `Unavailable`, or `Missing` where a file does not exist.

    An invalid name of a repository becomes `BadInput`. `what` is the file or repository that was asked for.
    """
    where = f"at {constants.ENDPOINT}"
    try:
        yield
    except (Unavailable, BadInput):
        raise
    except HFValidationError as error:
        raise BadInput(f"'{repository}' is not a name of a repository: {first_line(error)}") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise explain_unreachable(error, what, where) from error
    except GatedRepoError as error:
        advice = "accept its terms there and log in with 'hf auth login'"
        raise Unavailable(f"{repository} {where} is gated: {advice}") from error
    except RepositoryNotFoundError as error:
        private = "or it is private: if it is, log in with 'hf auth login'"
        raise Unavailable(f"there is no repository {repository} {where}, {private}") from error
    except RevisionNotFoundError as error:
        raise Unavailable(f"there is no such revision: {what}") from error
    except EntryNotFoundError as error:
        needed = " and ".join(NEEDED_FILES)
        raise Missing(f"there is no {what}: a repository with a model of ganzoo has {needed}") from error
    except LocalTokenNotFoundError as error:
        raise Unavailable(f"you are not logged in to the Hub {where}; run 'hf auth login' first") from error
    except HfHubHTTPError as error:
        raise Unavailable(explain_response(error, what, where)) from error
    except OSError as error:
        full = "no space left" if error.errno == errno.ENOSPC else first_line(error)
        raise Unavailable(f"{what}: {full} (the cache is {constants.HF_HUB_CACHE})") from error
    except (ValueError, TypeError, KeyError) as error:
        raise Unavailable(f"{what}: the server {where} does not answer like a Hub ({first_line(error)})") from error
    except Exception as error:
        if not type(error).__module__.startswith("httpx"):
            raise
        raise Unavailable(f"the connection to the Hub {where} broke ({first_line(error)}); try again") from error


def explain_unreachable(error: Exception, what: str, where: str) -> Unavailable:
    """Explain why a file that is not in the cache cannot be downloaded either."""
    cause = error.__cause__
    if isinstance(error, OfflineModeIsEnabled) or cause is None or isinstance(cause, OfflineModeIsEnabled):
        return Missing(f"{what} is not in the cache, and offline nothing is asked for; 'ganzoo pull' it first")
    if isinstance(cause, HfHubHTTPError):
        return Unavailable(explain_response(cause, what, where))
    return Unavailable(f"cannot reach the Hub {where} for {what} ({first_line(cause)}); check the network")


def explain_response(error: HfHubHTTPError, what: str, where: str) -> str:
    """Say what an error response of the Hub means."""
    code = error.response.status_code
    meaning = {
        401: "does not know this token, or requires one; log in with 'hf auth login'",
        403: "does not allow it: the token lacks the permission, or the name belongs to another account",
        409: "reports a conflict with what is there",
        412: "reports that the repository changed meanwhile; look, and try again",
        429: "refuses so many requests; wait, and try again",
    }.get(code, "failed; try again later" if code >= 500 else first_line(error))
    return f"{what}: the Hub {where} {meaning} ({code})"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, at most 200 characters."""
    return (str(error) or type(error).__name__).strip().partition("\n")[0][:200]
