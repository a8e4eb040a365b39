"""Errors of plugins and data, raised again with the name of the code at fault."""

import re
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ganzoo.errors import BadInput, Error, Failed

P = ParamSpec("P")
T = TypeVar("T")

USER_IN_URL = re.compile(r"(?<=://)[^/\s]*@")
"""The user, perhaps with a password, in a URL."""


def call_plugin(
    culprit: str | Callable[[], str], function: Callable[P, T], *arguments: P.args, **options: P.kwargs
) -> T:
    """Return `function(*arguments, **options)`; an error that this code of a plugin or of the data raises names it.

    A `ValueError` is a refusal and becomes `BadInput`, any other error `Failed`; both begin with `culprit`, a name or a
    function that finds it. Three kinds pass unchanged, as the function is not at fault: errors of ganzoo, lack of
    memory, the death of a data worker.
    """
    try:
        return function(*arguments, **options)
    except Error:
        raise
    except ValueError as error:
        raise BadInput(f"{find_name(culprit)}: {error}") from error
    except (Exception, SystemExit) as error:  # a script that became a plugin may end the process
        if is_out_of_memory(error) or worker_died(error):
            raise
        raise Failed(f"{find_name(culprit)} failed: {type(error).__name__}: {reason(error)}") from error


def find_name(culprit: str | Callable[[], str]) -> str:
    """Return the name of what is at fault."""
    return culprit if isinstance(culprit, str) else culprit()


def reason(error: BaseException) -> str:
    """Return what an error says, without the frames of C++ that torch adds; lack of memory in words."""
    if is_out_of_memory(error):
        return "not enough memory"
    return str(error).partition("\nException raised from ")[0]


def network_name(network: object) -> str:
    """Return the name of a network in messages: its class with its module."""
    return f"{type(network).__module__}.{type(network).__qualname__}"


def worker_died(error: BaseException) -> bool:
    """Return whether torch reports the death of a data worker, which it raises in whatever code runs at that moment."""
    return isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory, of the computer or of the device, was insufficient."""
    words = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "ALLOC_FAILED")
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


def hide_passwords(text: str) -> str:
    """Remove users and passwords from the URLs in a text."""
    return USER_IN_URL.sub("", text)
