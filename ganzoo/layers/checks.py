"""Checks for networks and losses. Each raises `ValueError` with a sentence for the user."""

import math

from torch import Tensor

from ganzoo.layers.conditions import find_conditions

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


def check_share(**options: float) -> None:
    """Raise `ValueError` for the first option that is not between 0 and 1, both included: `check_share(p=p)`."""
    for name, value in options.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must lie between 0 and 1, got {value}")


def check_below_one(**options: float) -> None:
    """Raise `ValueError` for the first option that is not in [0, 1): `check_below_one(decay=decay)`."""
    for name, value in options.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} must be at least 0 and below 1, got {value}")


def check_dropout(dropout: float) -> None:
    """Raise `ValueError` unless this is a probability in [0, 1)."""
    check_below_one(dropout=dropout)


def check_classes(conditional: bool, classes: int | None) -> int | None:
    """Return the number of classes that a network knows: None unless it is conditional.

    Raises `ValueError` for a conditional network where the data have no labels.
    """
    known = find_conditions(conditional, classes)
    return known.count if known else None


def check_image(image: tuple[int, int, int]) -> None:
    """Raise `ValueError` unless both sides of images (channels, height, width) are multiples of 4, 16 pixels or more.

    The sentence names the nearest size that is.
    """
    _, height, width = image
    nearest = max(SMALLEST_SIDE, BASE * round(height / BASE)), max(SMALLEST_SIDE, BASE * round(width / BASE))
    rule = f"images must be multiples of {BASE} pixels from {SMALLEST_SIDE} up, high and wide"
    check_size((height, width), nearest, rule)


def check_size(size: tuple[int, int], nearest: tuple[int, int], rule: str) -> None:
    """Raise `ValueError` unless `nearest`, the nearest height and width that a network takes, is the size itself.

    `rule` begins the sentence: "images must be multiples of 4 pixels".
    """
    if nearest != size:
        got, better = (f"{height} x {width}" for height, width in (size, nearest))
        value = nearest[0] if nearest[0] == nearest[1] else list(nearest)
        raise ValueError(f"{rule}, got {got}; the nearest is {better}, data.size = {value}")


def single(images: Tensor | dict[str, Tensor]) -> Tensor:
    """Return the images as they are. Raises `ValueError` if they are of several kinds."""
    if isinstance(images, dict):
        raise ValueError(f"it needs one kind of image, but the generator makes {' and '.join(images)}")
    return images
