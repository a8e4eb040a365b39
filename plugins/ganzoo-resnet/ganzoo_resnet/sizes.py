"""Sides and channels of the feature maps, which follow from the size of the images.

The generator's first map has a shorter side of 4 to 7 pixels and is doubled block by block. The discriminator halves
images of more than 32 pixels until the shorter side is 4 (3 for 48 pixels), and smaller ones until it is 8, as in the
tables of Miyato et al. 2018, appendix B.4.
"""

from ganzoo.layers import check_size

SMALLEST_SIDE = 16
"""Height or width in pixels of the smallest images."""
SMALL = 32
"""Images whose shorter side has up to so many pixels count as small: the discriminator halves them less often."""

Image = tuple[int, int, int]
"""(channels, height, width)"""


def doublings(side: int) -> int:
    """Return how many blocks of a generator lead to images with this shorter side."""
    return (side // 4).bit_length() - 1


def check_sides(image: Image) -> None:
    """Raise `ValueError` unless the generator's blocks can double up to this size; it names the nearest one."""
    nearest = nearest_sides(*image[1:])
    unit = 1 << doublings(min(nearest))
    rule = f"images of about this size must be multiples of {unit} pixels, high and wide, and {SMALLEST_SIDE} or more"
    check_size(image[1:], nearest, rule)


def nearest_sides(height: int, width: int) -> tuple[int, int]:
    """Return the nearest height and width that are both multiples of what the blocks multiply by."""
    unit = 1 << doublings(max(SMALLEST_SIDE, min(height, width)))
    nearest = max(SMALLEST_SIDE, unit * round(height / unit)), max(SMALLEST_SIDE, unit * round(width / unit))
    return nearest if nearest == (height, width) else nearest_sides(*nearest)


def halvings(image: Image) -> int:
    """Return how many blocks of a discriminator halve the image."""
    height, width = image[1:]
    count = 0
    end = 8 if min(height, width) <= SMALL else 4
    while min(height, width) > end and height % 2 == width % 2 == 0:
        height, width, count = height // 2, width // 2, count + 1
    return count


def plain_blocks(image: Image) -> int:
    """Return how many blocks of a discriminator keep the size, after those that halve it."""
    return 2 if min(image[1:]) <= SMALL else 1


def choose_attention(attention: int | None, image: Image, most: int) -> int:
    """Return the shorter side of the map that gets attention, 0 for none; by default the largest one up to `most`.

    The image itself has none. Raises `ValueError` for a side that is not one of a map of both networks.
    """
    check_sides(image)
    shorter = min(image[1:])
    allowed = [shorter // 2**depth for depth in range(1, 1 + min(doublings(shorter) - 1, halvings(image)))]
    if attention is None:
        attention = next((side for side in allowed if side <= most), allowed[-1])
    if attention not in (0, *allowed):
        sides, nearest = ", ".join(map(str, allowed)), min(allowed, key=lambda side: abs(side - attention))
        raise ValueError(f"attention is the side of a map ({sides}), or 0 for none, got {attention}; try {nearest}")
    return attention
