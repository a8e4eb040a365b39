"""Sizes of the feature maps, from the smallest map to the image."""

from ganzoo.layers import check_size

SMALLEST_SIDE = 16
"""Height or width in pixels of the smallest images."""
BASE, LARGEST_BASE = 4, 7
"""A shorter side above the first is halved if it can be, and may not stay above the second: it ends at 3 to 7."""

Size = tuple[int, int]
"""Height and width."""


def map_sizes(image: tuple[int, int, int]) -> list[Size]:
    """Return the sizes of the maps for images (channels, height, width), the smallest first, each twice the last.

    >>> map_sizes((3, 32, 64))
    [(4, 8), (8, 16), (16, 32), (32, 64)]

    Both sides are halved while they are even and the shorter one is above 4. Raises `ValueError`, with the nearest size
    that works, for a side below 16 and where the shorter side of the smallest map would be above 7.
    """
    sizes = [image[1:]]
    while min(sizes[0]) > BASE and not any(side % 2 for side in sizes[0]):
        height, width = sizes[0]
        sizes.insert(0, (height // 2, width // 2))
    if min(image[1:]) < SMALLEST_SIDE or min(sizes[0]) > LARGEST_BASE:
        rule = f"images must have sides of {SMALLEST_SIDE} pixels or more that halve evenly down to 3 to {LARGEST_BASE}"
        check_size(image[1:], find_nearest(image[1:]), rule)
    return sizes


def find_nearest(size: Size) -> Size:
    """Return the nearest size that works to one that does not."""
    unit = 4
    while LARGEST_BASE * unit < min(size):
        unit *= 2
    height, width = (max(SMALLEST_SIDE, unit * round(side / unit)) for side in size)
    return height, width
