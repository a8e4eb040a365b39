"""The errors a user may meet, each with the exit code of the command line, and the nearest-name hint."""

import difflib
import signal
from collections.abc import Iterable
from typing import Self


class Deprecated(DeprecationWarning):
    """A plugin uses what a later ganzoo will lack; the sentence says what takes its place, and since when."""


class Error(Exception):
    """One clear sentence for the person at the keyboard: what was wrong, what is allowed, the nearest match."""

    exit_code = 1

    def __init__(self, text: str = "", *, reported_by_me: bool | None = None) -> None:
        super().__init__(text)
        self.reported_by_me = reported_by_me
        """Of several processes of a training, whether this one says it; None where they have not agreed on it."""

    def append(self, text: str) -> Self:
        """The same error with half a sentence more."""
        return type(self)(f"{self}; {text}", reported_by_me=self.reported_by_me)


class BadInput(Error, ValueError):
    """What was asked for cannot be done as asked."""

    exit_code = 2


class Diverged(Error):
    """A loss term or a weight is no longer a finite number."""

    exit_code = 3


class Failed(Error):
    """What a plugin or the data brought broke down; the sentence names it."""

    exit_code = 1


class PeerLost(Failed):
    """Another process of the same training has ended or cannot be reached."""


class Unavailable(Error):
    """The network, the Hub or a download failed, or what arrived is not what was pinned."""

    exit_code = 4


class Interrupted(Error):
    """Somebody stopped the work, by Ctrl-C or a signal; what was done is saved."""

    def __init__(self, text: str, signal_number: int = signal.SIGTERM, *, reported_by_me: bool | None = None) -> None:
        super().__init__(text, reported_by_me=reported_by_me)
        self.exit_code = 128 + signal_number


def suggest(word: str, allowed: Iterable[str]) -> str:
    """The second half of a sentence about an unknown `word`: the nearest allowed names, or all of them."""
    names = sorted(set(allowed))
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(f"'{name}'" for name in near) + "?"
    return "allowed: " + ", ".join(names) if names else "there is none to choose from"
