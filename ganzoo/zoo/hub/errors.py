"""Errors of the Hub's client, each turned into one sentence that says what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from huggingface_hub import constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import parse_ratelimit_headers

from ganzoo.errors import BadInput, Unavailable
from ganzoo.plugins.entries import NEEDED_FILES
from ganzoo.zoo.hub.session import first_line, proxy_variable, where

PASSING_STATUSES = (408, 429, 500, 502, 503, 504)
"""Statuses of responses that may be better a moment later."""


class Missing(Unavailable):
    """The repository, or offline the cache, has no such file."""


class Unreachable(Unavailable):
    """The Hub gives no answer."""


class Refused(Unreachable):
    """The Hub does not tell this user: the token has expired, or never was enough."""


@contextmanager
def hub_errors(repository: str, what: str) -> Iterator[None]:
    """Turn errors of the Hub's client into `Unreachable`, `Missing` where a file does not exist, or `Unavailable`.

    An invalid name of a repository becomes `BadInput`. `what` is the file or repository that was asked for.
    """
    try:
        yield
    except (Unavailable, BadInput):
        raise
    except HFValidationError as error:
        raise BadInput(f"'{repository}' is not a name of a repository: {first_line(error)}") from error
    except (HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled) as error:
        raise explain_refusal(error, repository, what) from error
    except OSError as error:
        full = "no space left" if error.errno == errno.ENOSPC else first_line(error)
        raise Unavailable(f"{what}: {full} (the cache is {constants.HF_HUB_CACHE})") from error
    except (ValueError, TypeError, KeyError) as error:
        raise Unavailable(f"{what}: the server {where()} does not answer like a Hub ({first_line(error)})") from error
    except RuntimeError as error:  # the client's own for an upload that failed
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else ConnectionError(str(error))
        with hub_errors(repository, f"{what}: {first_line(error)}"):
            raise cause from error
    except Exception as error:
        if not type(error).__module__.startswith("httpx"):
            raise
        raise explain_connection(error, what) from error


def explain_refusal(error: Exception, repository: str, what: str) -> Unavailable:
    """Explain why the Hub, or the client itself, does not do what was asked for."""
    match error:
        case GatedRepoError():
            advice = "accept its terms there and log in with 'hf auth login'"
            return Refused(f"{repository} {where()} is gated: {advice}")
        case RepositoryNotFoundError():
            private = "or it is private: if it is, log in with 'hf auth login'"
            return Refused(f"there is no repository {repository} {where()}, {private}")
        case RevisionNotFoundError():
            return Unavailable(f"there is no such revision: {what}")
        case EntryNotFoundError():
            needed = " and ".join(NEEDED_FILES)
            return Missing(f"there is no {what}: a repository with a model of ganzoo has {needed}")
        case LocalTokenNotFoundError():
            return Unavailable(f"you are not logged in to the Hub {where()}; run 'hf auth login' first")
        case HfHubHTTPError():
            kind = Refused if error.response.status_code in (401, 403) else Unreachable
            return kind(explain_response(error, what))
    return Missing(f"{what} is not in the cache, and offline nothing is asked for; 'ganzoo pull' it first")


def explain_response(error: HfHubHTTPError, what: str) -> str:
    """Say what an error response of the Hub means."""
    code, said = error.response.status_code, " ".join((error.server_message or "").split())[:200]
    meaning = {
        401: "does not know this token, which may have expired, or requires one; log in with 'hf auth login'",
        403: f"does not allow it ({said}): the token lacks the permission, or the name belongs to another account",
        409: "reports a conflict with what is there",
        412: "reports that the repository changed meanwhile; look, and try again",
        429: f"refuses so many requests; wait{describe_wait(error)}, and try again",
    }.get(code, "failed; try again later" if code >= 500 else f"refuses this: {said or first_line(error)}")
    return f"{what}: the Hub {where()} {meaning} ({code})"


def explain_connection(error: Exception, what: str) -> Unreachable:
    """Explain an error of the client's HTTP library, by its name: it is not for us to say which library that is."""
    names, reason = {cls.__name__ for cls in type(error).__mro__}, first_line(error)
    proxy = proxy_variable()
    through = f" through the proxy of {proxy}" if proxy else ""
    if "ProxyError" in names:
        return Unreachable(f"there is no way to the Hub {where()}{through} ({reason})")
    if names & {"ConnectError", "ConnectTimeout"}:
        check = f"check {proxy} and the network" if proxy else "check the network"
        return Unreachable(f"cannot reach the Hub {where()}{through} for {what} ({reason}); {check}")
    return Unreachable(f"the connection to the Hub {where()}{through} broke ({reason}); try again")


def seconds_to_wait(error: Exception, pause: float) -> float | None:
    """Return how long to wait before a request is made again: `pause`, or what the server asks for.

    None for an error that the same request would meet again.
    """
    if isinstance(error, HfHubHTTPError):
        asked = asked_pause(error)
        return (pause if asked is None else asked) if error.response.status_code in PASSING_STATUSES else None
    names = {cls.__name__ for cls in type(error).__mro__}
    passing = "TransportError" in names and not names & {"ConnectError", "ProxyError", "UnsupportedProtocol"}
    closed = type(error) is RuntimeError  # the session, by another thread that met an error
    return pause if passing or closed else None


def asked_pause(error: HfHubHTTPError) -> int | None:
    """Return the seconds that a response asks to wait, None where it does not say."""
    headers = error.response.headers
    limit = parse_ratelimit_headers(headers)
    if limit and limit.remaining == 0:
        return limit.reset_in_seconds
    after = headers.get("Retry-After", "").strip()
    return int(after) if after.isdecimal() else None


def describe_wait(error: HfHubHTTPError) -> str:
    """Return how long a response asks to wait, as the end of a sentence."""
    asked = asked_pause(error)
    return f" for {timedelta(seconds=min(asked, 10**9))}" if asked else ""
