"""One check of a plugin: it passes, fails with one sentence, or is skipped with a reason."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from ganzoo._names import one_line
from ganzoo.errors import BadInput, Error, MissingPackage


class Skipped(Exception):
    """A check that cannot be made here; the text is the reason."""


class Unplayable(Skipped):
    """Nothing can be played with this thing. One check fails for that reason; the others are skipped."""


@dataclass(frozen=True)
class Check:
    """One promise of the contract that one thing of a plugin must keep.

    Calling it returns a remark, most often an empty one, or raises `AssertionError` with a sentence that says what is
    wrong and what to do, or `Skipped` with the reason. It leaves torch's global random generator as it was.
    """

    kind: str
    name: str
    title: str
    function: Callable[[], str | None]

    @property
    def id(self) -> str:
        """The id in pytest, such as `architecture-dcgan-same-seed-same-sample`."""
        return "-".join([self.kind, self.name, re.sub(r"\W+", "-", self.title)])

    def __call__(self) -> str:
        """Make the check."""
        try:
            with torch.random.fork_rng([]), torch.enable_grad():
                torch.manual_seed(0)
                return self.function() or ""
        except Unplayable as reason:
            raise Skipped(f"it cannot be played: {reason}") from reason
        except MissingPackage as reason:
            raise Skipped(str(reason)) from reason
        except (Skipped, AssertionError):
            raise
        except (Exception, SystemExit) as error:
            raise AssertionError(describe_error(error)) from error

    def result(self) -> tuple[str, str]:
        """Make the check and return "ok", "failed" or "skipped", and the remark or the reason."""
        try:
            return "ok", self()
        except Skipped as reason:
            return "skipped", str(reason)
        except AssertionError as error:
            return "failed", str(error)


def title_of(function: Callable[..., Any]) -> str:
    """Return a check's title: the words in the name of its function."""
    name: str = function.__name__
    return name.replace("_", " ")


def require(condition: object, message: str) -> None:
    """Raise `AssertionError` with that message unless the condition holds."""
    if not condition:
        raise AssertionError(message)


@contextmanager
def prefix_failures(where: str) -> Iterator[None]:
    """Begin the message of whatever fails inside with `where`, if that is not empty."""
    try:
        yield
    except Skipped:
        raise
    except (Exception, SystemExit) as error:
        message = describe_error(error)
        raise AssertionError(f"{where}: {message}" if where else message) from error


@contextmanager
def accepting_refusal(options: Mapping[str, Any]) -> Iterator[None]:
    """Let what is built inside refuse these options in a sentence: a value need not go with all others."""
    try:
        yield
    except BadInput:
        if not options:
            raise


def describe_options(options: Mapping[str, Any]) -> str:
    """Return options as the beginning of a sentence; an empty string where there are none."""
    return f"with {', '.join(f'{key} = {value!r}' for key, value in options.items())}" if options else ""


def describe_error(error: BaseException) -> str:
    """Return an error on one line, with its type unless it is a sentence of ganzoo's."""
    return " ".join(str(error).split()) if isinstance(error, Error | AssertionError) else one_line(error)
