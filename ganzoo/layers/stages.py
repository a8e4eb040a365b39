"""The sizes of a convolutional pyramid: how images of 28, 16, 32, 64, ... pixels become a map of 4 x 4, and back."""

from itertools import pairwise
from typing import NamedTuple

from ganzoo.layers.checks import check_image

BASE = 4
"""Height and width of the smallest feature map."""


class Stage(NamedTuple):
    """One change of size. A discriminator goes from the outer to the inner map, a generator the other way."""

    outer: int
    """Channels of the larger map; those of the image in the outermost stage."""
    inner: int
    """Channels of the smaller map."""
    side: int
    """Height and width of the larger map; the smaller one has half of that, and 4 where `side` is 7."""


def pyramid(image: tuple[int, int, int], width: int = 64, max_width: int = 512) -> list[Stage]:
    """Return the stages of a pyramid from the image inwards, down to a map of (stages[-1].inner, 4, 4).

    `image` is (channels, height, width in pixels). The map next to the image has `width` channels; each further stage
    has twice as many, up to `max_width`. 28 pixels become 14, 7 and 4. Read the list backwards for a generator.

    >>> pyramid((1, 28, 28))
    [Stage(outer=1, inner=64, side=28), Stage(outer=64, inner=128, side=14), Stage(outer=128, inner=256, side=7)]

    Raises `ValueError` for images that are not square, for a size that is neither 28 nor a power of two from 16 up,
    and for a width that is not between 1 and `max_width`.
    """
    check_image(image)
    if not 1 <= width <= max_width:
        raise ValueError(f"width must be at least 1 and at most max_width ({max_width}), got {width}")
    sides = [image[-1]]
    while sides[-1] > 2 * BASE:
        sides.append(sides[-1] // 2)
    channels = [image[0], *(min(width * 2**depth, max_width) for depth in range(len(sides)))]
    return [Stage(outer, inner, side) for (outer, inner), side in zip(pairwise(channels), sides, strict=True)]
