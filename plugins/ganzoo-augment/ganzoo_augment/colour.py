"""Changes of colour (Karras et al. 2020, appendix B), as one affine map (n, 4, 4) of red, green and blue in [-1, 1]."""

import math

import torch
from torch import Tensor

from ganzoo_augment.geometry import matrix
from ganzoo_augment.numbers import Numbers

BRIGHTNESS, CONTRAST, SATURATION = 0.2, 0.5, 1.0
"""Deviations: of what is added, and of the logarithms to base 2 of what is multiplied."""


def recolour(pictures: Tensor, numbers: Numbers, p: Tensor | float) -> Tensor:
    """Change brightness and contrast, flip the luma, turn the hue and change the saturation.

    A picture of one channel is treated as grey in colour: hue and saturation do not change it.
    """
    colours = draw_colours(pictures, numbers, p)[:, :3]
    if pictures.shape[1] == 1:  # grey stays grey: all three rows add up to the same
        colours = torch.stack([colours[:, :1, :3].sum(2), colours[:, :1, 3]], 2)
    return torch.baddbmm(colours[:, :, -1:], colours[:, :, :-1], pictures.flatten(2)).view_as(pictures)


def draw_colours(pictures: Tensor, numbers: Numbers, p: Tensor | float) -> Tensor:
    """Draw what happens to colours, (n, 4, 4)."""
    brightness = numbers.sometimes(p, numbers.normal(BRIGHTNESS))
    contrast = numbers.sometimes(p, numbers.normal(CONTRAST)).exp2()
    flipped = 1 - 2 * numbers.sometimes(p, numbers.whole(0, 1))
    hue = numbers.sometimes(p, numbers.uniform(-math.pi, math.pi))
    saturation = numbers.sometimes(p, numbers.normal(SATURATION)).exp2()
    one, zero = torch.ones_like(contrast), torch.zeros_like(contrast)
    brighter = linear(contrast, contrast, zero, brightness * contrast)
    return linear(one, saturation * hue.cos(), saturation * hue.sin()) @ linear(flipped, one, zero) @ brighter


def linear(along: Tensor, across: Tensor, turned: Tensor, added: Tensor | float = 0.0) -> Tensor:
    """Return maps (n, 4, 4) that multiply grey by `along` and what differs from it by `across`, all (n,).

    `turned` is how much of what differs is turned by a right angle around grey; `added` goes to each colour.
    """
    grey, third = (along - across) / 3 + across, (along - across) / 3
    side, zero = turned / math.sqrt(3), torch.zeros_like(along)
    low, high, plus = third - side, third + side, zero + added
    rows = [[grey, low, high, plus], [high, grey, low, plus], [low, high, grey, plus], [zero, zero, zero, zero + 1]]
    return matrix(rows)
