"""What a check of a plugin is, and how it ends: passed, failed in one sentence, or skipped with a reason."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from ganzoo._names import one_line
from ganzoo.errors import Error


class Skipped(Exception):
    """A check that cannot be made here; the text is the reason."""


class Unplayable(Skipped):
    """Nothing can be played with this thing. One check fails for that reason; the others are skipped."""


@dataclass(frozen=True)
class Check:
    """One promise of the contract that one thing of a plugin must keep.

    Calling it returns nothing, or raises `AssertionError` with a sentence that says what is wrong and what to do, or
    `Skipped` with the reason. Torch's global random generator is afterwards as it was.
    """

    kind: str
    name: str
    title: str
    function: Callable[[], None]

    @property
    def id(self) -> str:
        """Such as `architecture-dcgan-same-seed-same-sample`."""
        return "-".join([self.kind, self.name, re.sub(r"\W+", "-", self.title)])

    def __call__(self) -> None:
        """Make the check."""
        try:
            with torch.random.fork_rng([]), torch.enable_grad():
                torch.manual_seed(0)
                self.function()
        except Unplayable as reason:
            raise Skipped(f"it cannot be played: {reason}") from reason
        except (Skipped, AssertionError):
            raise
        except (Exception, SystemExit) as error:
            raise AssertionError(sentence_of(error)) from error

    def result(self) -> tuple[str, str]:
        """How it ends, as "ok", "failed" or "skipped", and the reason."""
        try:
            self()
        except Skipped as reason:
            return "skipped", str(reason)
        except AssertionError as error:
            return "failed", str(error)
        return "ok", ""


def title_of(function: Callable[..., Any]) -> str:
    """A check's title: the name of its function in words."""
    return function.__name__.replace("_", " ")


def require(holds: object, sentence: str) -> None:
    """Raise `AssertionError` with that sentence unless something holds."""
    if not holds:
        raise AssertionError(sentence)


@contextmanager
def saying(where: str) -> Iterator[None]:
    """Whatever fails inside says where."""
    try:
        yield
    except Skipped:
        raise
    except (Exception, SystemExit) as error:
        raise AssertionError(f"{where}: {sentence_of(error)}" if where else sentence_of(error)) from error


def describe_options(options: Mapping[str, Any]) -> str:
    """Options as a sentence begins with them; nothing where there are none."""
    return f"with {', '.join(f'{key} = {value!r}' for key, value in options.items())}" if options else ""


def sentence_of(error: BaseException) -> str:
    """An error in one line; a bare one with its type."""
    return " ".join(str(error).split()) if isinstance(error, Error | AssertionError) else one_line(error)
