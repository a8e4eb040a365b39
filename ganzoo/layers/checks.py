"""Checks of a constructor's options, for networks and losses. Each raises `ValueError` with a sentence for the user."""

import math


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
    """Raise `ValueError` unless images (channels, height, width) halve down to 4 x 4: 28, 16, 32, 64, ... pixels."""
    _, height, side = image
    if height != side or not (side == 28 or (side >= 16 and side.bit_count() == 1)):
        raise ValueError(f"images must be square, 28 pixels wide or a power of two from 16 up, got {height} x {side}")
