"""The errors that users see, each with its exit code at the command line, and the hint at the nearest names."""

import difflib
import signal
from collections.abc import Iterable, Sequence
from typing import Self

from ganzoo._names import natural_key


class Deprecated(DeprecationWarning):
    """A plugin uses a name that a later version removes; the message says what replaces it, and since which version."""


class Error(Exception):
    """An error for the user, in one sentence: what was wrong, what is allowed, the nearest match.

    `exit_code` is that of the command line.
    """

    exit_code = 1

    def __init__(self, text: str = "", *, reported_by_me: bool | None = None) -> None:
        super().__init__(text)
        self.reported_by_me = reported_by_me
        """Whether this rank reports the error to the user; None until the ranks of a training have agreed on one."""

    def append(self, text: str) -> Self:
        """Return the same error with `text` added to its message."""
        return type(self)(f"{self}; {text}", reported_by_me=self.reported_by_me)


class BadInput(Error, ValueError):
    """The request cannot be carried out as given."""

    exit_code = 2


class MissingPackage(BadInput):
    """What is asked for needs a package that is not installed."""


class NoLabels(BadInput):
    """A network or a loss needs labels, which the data do not have."""


class Diverged(Error):
    """A loss term or a weight is not a finite number any more."""

    exit_code = 3


class Failed(Error):
    """Code of a plugin or of the data failed; the message names it."""

    exit_code = 1


class PeerLost(Failed):
    """Another process of the same training has ended or cannot be reached."""


class Unavailable(Error):
    """The network, the Hub or a download failed, or a file does not match its pinned hash."""

    exit_code = 4


class Interrupted(Error):
    """The user stopped the work with Ctrl-C or a signal; the finished part is saved. Exit code 128 + signal."""

    def __init__(self, text: str, signal_number: int = signal.SIGTERM, *, reported_by_me: bool | None = None) -> None:
        super().__init__(text, reported_by_me=reported_by_me)
        self.exit_code = 128 + signal_number


def suggest(word: str, allowed: Iterable[str], listed: Iterable[str] | None = None) -> str:
    """Return the second half of a message about an unknown `word`: the nearest allowed names, or all of them.

    `listed` are named in place of all, where these would be too many.
    """
    names = sorted(set(allowed), key=natural_key)
    if near := find_near(word, names):
        return accept(near)
    return allow(names if listed is None else listed)


def find_near(word: str, names: Sequence[str]) -> list[str]:
    """Return the few names that an unknown `word` may stand for; none where no name is near."""
    same = [name for name in names if name.lower() == word.lower()]
    return same or difflib.get_close_matches(word, names, n=3, cutoff=0.6)


def needs_package(what: str, *packages: str) -> MissingPackage:
    """Return the error for packages that are not installed and that `what` cannot do without.

    They are named and not ganzoo's extra: on an index the name `ganzoo` is somebody else's.
    """
    named = f"package{'s' * (len(packages) > 1)} {' and '.join(packages)}"
    return MissingPackage(f"{what} needs the {named}: pip install {' '.join(packages)}")


def accept(names: Iterable[str]) -> str:
    """Return the second half of a message that asks whether one of a few names was meant."""
    return "did you mean " + " or ".join(f"'{name}'" for name in names) + "?"


def allow(names: Iterable[str]) -> str:
    """Return the second half of a message that lists all allowed names."""
    ordered = sorted(set(names), key=natural_key)
    return "allowed: " + ", ".join(ordered) if ordered else "there is nothing to choose from"
