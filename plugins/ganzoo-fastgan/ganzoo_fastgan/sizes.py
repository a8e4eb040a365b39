"""The sizes of images that the networks of this package are made for, and of the feature maps in them."""

import math

from ganzoo.layers import check_size, list_channels

BASE = 4
"""Shorter side of the smallest feature map."""
SMALLEST = 32
"""Shorter side in pixels of the smallest images."""

Size = tuple[int, int]
"""Height and width."""


def check_sides(image: tuple[int, int, int]) -> None:
    """Raise `ValueError` unless the shorter side of images (channels, height, width) is a power of two from 32 up.

    The longer side is a multiple of a quarter of the shorter one. The sentence names the nearest size that is allowed.
    """
    _, height, width = image
    short = max(SMALLEST, 2 ** round(math.log2(min(height, width))))
    high, wide = (max(short, short // BASE * round(side * BASE / short)) for side in (height, width))
    rule = f"the shorter side of images must be a power of two from {SMALLEST} up"
    check_size((height, width), (high, wide), f"{rule} and the longer one a multiple of a quarter of it")


def list_maps(image: tuple[int, int, int]) -> list[Size]:
    """Return the sizes of all feature maps, each twice as large as the one before, from 4 x 4 to that of the image.

    >>> list_maps((3, 32, 48))
    [(4, 6), (8, 12), (16, 24), (32, 48)]

    Raises `ValueError` as `check_sides` does.
    """
    check_sides(image)
    _, height, width = image
    depth = int(math.log2(min(height, width) // BASE))
    return [(height >> shift, width >> shift) for shift in range(depth, -1, -1)]


def list_widths(maps: list[Size], width: int, max_width: int) -> list[int]:
    """Return the channels of each map: `width` in the largest, twice as many in each smaller one, up to `max_width`.

    Raises `ValueError` for a width that is not between 1 and `max_width`.
    """
    return list_channels(len(maps), width, max_width)[::-1]
