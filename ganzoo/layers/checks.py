"""Checks of a constructor's options, for networks and losses. Each raises `ValueError` with a sentence for the user."""

import math

BASE = 4
"""Height and width of the smallest feature map of square images; the sides of all images are multiples of it."""
SMALLEST_SIDE = 16
"""Height or width in pixels of the smallest images that a pyramid is made for."""


def check_at_least_one(**options: int) -> None:
    """Raise `ValueError` for the first option below 1: `check_at_least_one(latent_size=latent_size)`."""
    for name, value in options.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")


def check_positive(**options: float) -> None:
    """Raise `ValueError` for the first option that is not a finite number above 0: `check_positive(gamma=gamma)`."""
    for name, value in options.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be a number greater than 0, got {value}")


def check_not_negative(**options: float) -> None:
    """Raise `ValueError` for the first option that is not a finite number of 0 or more."""
    for name, value in options.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be a number of 0 or more, got {value}")


def check_dropout(dropout: float) -> None:
    """Raise `ValueError` unless this is a probability in [0, 1)."""
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be at least 0 and below 1, got {dropout}")


def check_image(image: tuple[int, int, int]) -> None:
    """Raise `ValueError` unless both sides of images (channels, height, width) are multiples of 4, 16 pixels or more.

    The sentence names the nearest size that is.
    """
    _, *sides = image
    nearest = [max(SMALLEST_SIDE, BASE * round(side / BASE)) for side in sides]
    if nearest != sides:
        got, better = (" x ".join(map(str, each)) for each in (sides, nearest))
        size = nearest[0] if nearest[0] == nearest[1] else nearest
        allowed = f"multiples of {BASE} pixels from {SMALLEST_SIDE} up, high and wide"
        raise ValueError(f"images must be {allowed}, got {got}; the nearest is {better}, data.size = {size}")
