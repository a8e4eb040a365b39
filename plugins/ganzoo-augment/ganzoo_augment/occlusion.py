"""Noise and holes in pictures (Karras et al. 2020, appendix B)."""

import torch
from torch import Tensor

from ganzoo_augment.numbers import Numbers

NOISE = 0.1
"""Deviation of the deviation of the noise, for images in [-1, 1]."""
HOLE = 1 / 2
"""Height and width of a hole, as a share of those of the picture."""


def add_noise(pictures: Tensor, numbers: Numbers, p: Tensor | float) -> Tensor:
    """Add normal noise to each element, stronger in some pictures than in others."""
    strength = numbers.sometimes(p, numbers.normal(NOISE).abs())
    return pictures + strength.view(-1, 1, 1, 1) * numbers.noise()


def cut_out(pictures: Tensor, numbers: Numbers, p: Tensor | float) -> Tensor:
    """Set a rectangle of half the height and width to 0, with its middle anywhere in the picture."""
    cut = numbers.chance(p)
    rows, columns = (inside(size, numbers.uniform()) for size in pictures.shape[-2:])
    hole = rows[:, :, None] & columns[:, None, :] & cut[:, None, None]
    return pictures.masked_fill(hole[:, None], 0.0)


def inside(size: int, middle: Tensor) -> Tensor:
    """Return which rows, or columns, are in a hole around `middle` (n,), a share of the size: (n, size)."""
    positions = (torch.arange(size).to(middle) + 0.5) / size
    return (positions - middle[:, None]).abs() < HOLE / 2
