"""The sizes of a convolutional pyramid: how images of 28, 32, 48 x 64, ... pixels become a small map, and back."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from ganzoo.layers.checks import BASE, check_image

Size = int | tuple[int, int]
"""Height and width of a feature map: one number where they are equal."""


class Stage(NamedTuple):
    """One change of size. A discriminator goes from the outer to the inner map, a generator the other way."""

    outer: int
    """Channels of the larger map; those of the image in the outermost stage."""
    inner: int
    """Channels of the smaller map."""
    side: Size
    """Height and width of the larger map; the smaller one has half of that, rounded up: 4 where `side` is 7."""


def pyramid(image: tuple[int, int, int], width: int = 64, max_width: int = 512) -> list[Stage]:
    """Return the stages of a pyramid from the image inwards, down to a map of `smallest_map(stages)`.

    `image` is (channels, height, width in pixels). The map next to the image has `width` channels; each further stage
    has twice as many, up to `max_width`. Both sides are halved until the shorter one is 3 or 4: square images of 16,
    28, 32, 64, ... pixels end at 4 x 4. Read the list backwards for a generator.

    >>> pyramid((1, 28, 28))
    [Stage(outer=1, inner=64, side=28), Stage(outer=64, inner=128, side=14), Stage(outer=128, inner=256, side=7)]
    >>> pyramid((3, 16, 48))
    [Stage(outer=3, inner=64, side=(16, 48)), Stage(outer=64, inner=128, side=(8, 24))]

    Raises `ValueError` for images with a side that is no multiple of 4 or below 16, and for a width that is not between
    1 and `max_width`.
    """
    check_image(image)
    sides = [_short(*image[1:])]
    while min(both_sides(sides[-1])) > 2 * BASE:
        sides.append(_half(sides[-1]))
    channels = [image[0], *list_channels(len(sides), width, max_width)]
    return [Stage(outer, inner, side) for (outer, inner), side in zip(pairwise(channels), sides, strict=True)]


def list_channels(count: int, width: int, max_width: int) -> list[int]:
    """Return the channels of `count` maps from the image inwards: `width`, each time twice as many, up to `max_width`.

    >>> list_channels(4, 32, 128)
    [32, 64, 128, 128]

    Raises `ValueError` for a width that is not between 1 and `max_width`.
    """
    if not 1 <= width <= max_width:
        raise ValueError(f"width must be at least 1 and at most max_width ({max_width}), got {width}")
    return [min(width * 2**depth, max_width) for depth in range(count)]


def smallest_map(stages: list[Stage]) -> Size:
    """Return the size of the smallest map of a pyramid: 4 for square images of 28 pixels or a power of two.

    >>> smallest_map(pyramid((1, 28, 28))), smallest_map(pyramid((3, 16, 48)))
    (4, (4, 12))
    """
    return _half(stages[-1].side)


def split_noise(noise: Tensor, sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Return maps (n, 1, height, width) of these sizes, which noise (n, pixels) has one after the other.

    So the noise of all layers of a generator is one latent key: its length is the sum of height * width.
    """
    parts = torch.split(noise, [height * width for height, width in sizes], 1)
    return [torch.unflatten(part, 1, (1, *size)) for part, size in zip(parts, sizes, strict=True)]


def both_sides(size: Size) -> tuple[int, int]:
    """Return height and width of a size."""
    return (size, size) if isinstance(size, int) else size


def _short(height: int, width: int) -> Size:
    return height if height == width else (height, width)


def _half(size: Size) -> Size:
    height, width = (-(-side // 2) for side in both_sides(size))
    return _short(height, width)
