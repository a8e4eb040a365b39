"""Counts, seeds and sizes that a user gives: the same are allowed in Python and on the command line."""

import operator
import re
import reprlib
from collections.abc import Sequence
from typing import Any

from ganzoo.errors import BadInput

MAX_COUNT = 10**12
"""The most samples that are drawn."""
MAX_DIGITS = 40
"""The most digits of an integer in a file; seeds may have 128 bits."""
TOO_LARGE = 10**MAX_DIGITS
"""Integers from here on are refused: Python does not even print one of thousands of digits."""
SIZE_IN_WORDS = re.compile(r"\s*(\d+)\s*[xX,;*]\s*(\d+)\s*")
"""A height and a width as other programs write them: 32x48."""
MAX_SEED = TOO_LARGE
"""The largest seed; 128 bits are enough for anybody."""


def check_count(value: Any) -> int:
    """Return how many samples to draw, as an int. Raises `BadInput` for anything else."""
    return whole_number("n", value, 1, MAX_COUNT)


MAX_SCALE = 64
"""The most that pictures are enlarged."""


def check_scale(value: Any) -> int:
    """Return by how much pictures are enlarged. Raises `BadInput` for anything but a whole number from 1 to 64."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_SCALE:
        raise BadInput(f"scale must be a whole number from 1 to {MAX_SCALE}, got {value!r}")
    return value


def check_seed(value: Any) -> int:
    """Return a seed as an int. Raises `BadInput` for anything else."""
    return whole_number("seed", value, 0, MAX_SEED)


def parse_size(size: Any) -> tuple[int, int]:
    """Return height and width of a size, one number for both or [height, width].

    Raises `ValueError` that says what a size is for anything else.
    """
    sides = tuple(size) if isinstance(size, Sequence) and not isinstance(size, str) else (size, size)
    try:
        height, width = (whole_number("a side", side, 1, MAX_COUNT) for side in sides)
    except (BadInput, ValueError):
        what = "the height and width of the images in pixels, one number or [height, width], at least 1"
        two = SIZE_IN_WORDS.fullmatch(size) if isinstance(size, str) else None
        meant = f"; did you mean [{two[1]}, {two[2]}]?" if two else ""
        raise ValueError(f"{what}, got {reprlib.repr(size)}{meant}") from None
    return height, width


def short_size(height: int, width: int) -> int | list[int]:
    """Return a size as a recipe writes it: one number if the sides are equal, else [height, width]."""
    return height if height == width else [height, width]


def write_size(height: int, width: int) -> str:
    """Return a size in words: "32 x 32", and with the order of its sides if they differ."""
    return f"{height} x {width}" + " (height x width)" * (height != width)


def whole_number(name: str, value: Any, least: int, most: int) -> int:
    """Return a whole number as an int. Raises `BadInput` for anything else, and for one outside `least` to `most`."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is not None and number > most:
        limit = f"{most:,}" if most < 10**6 else f"{most:.0e}"
        raise BadInput(f"{name} must be a whole number, at most {limit}")
    if number is None or number < least:
        raise BadInput(f"{name} must be a whole number, {least} or more, got {reprlib.repr(value)}")
    return number
