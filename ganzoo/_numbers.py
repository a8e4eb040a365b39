"""Whole numbers that a user gives: the same are allowed in Python and on the command line."""

import operator
import reprlib
from typing import Any

from ganzoo.errors import BadInput


def whole_number(name: str, value: Any, least: int) -> int:
    """Return a whole number as an int. Raises `BadInput` for anything else, and for one below `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or number < least:
        raise BadInput(f"{name} must be a whole number, {least} or more, got {reprlib.repr(value)}")
    return number
