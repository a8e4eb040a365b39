"""The transforms of DiffAugment (Zhao et al. 2020), and the mirror. Each gets pictures and draws its own numbers."""

from collections.abc import Callable

import torch
from torch import Tensor

from ganzoo_augment.geometry import SHIFT, shift
from ganzoo_augment.numbers import Numbers
from ganzoo_augment.occlusion import HOLE
from ganzoo_augment.sampling import warp

Transform = Callable[[Tensor, Numbers], Tensor]
"""Maps pictures (n, channels, height, width) to pictures of the same shape."""


def mirror(pictures: Tensor, numbers: Numbers) -> Tensor:
    """Mirror every second picture, left to right."""
    return torch.where(each(numbers.chance(0.5)), pictures.flip(-1), pictures)


def translate(pictures: Tensor, numbers: Numbers) -> Tensor:
    """Move each picture by whole pixels, up to an eighth of its size each way; what comes in is 0, grey."""
    height, width = pictures.shape[-2:]
    x, y = (numbers.whole(-most, most) for most in (farthest(width), farthest(height)))
    return warp(pictures, shift(x, y), ("nearest", "zeros"))


def farthest(size: int) -> int:
    """Return the farthest translation in whole pixels."""
    return int(size * SHIFT + 0.5)


def cut_out(pictures: Tensor, numbers: Numbers) -> Tensor:
    """Set a rectangle of half the height and width to 0, with its middle anywhere in the picture."""
    rows, columns = (inside(size, numbers) for size in pictures.shape[-2:])
    return pictures.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


def inside(size: int, numbers: Numbers) -> Tensor:
    """Return which of the rows, or columns, of each picture are in the hole, of shape (n, size)."""
    hole = int(size * HOLE + 0.5)
    begin = numbers.whole(0, size - hole % 2) - hole // 2
    pixels = torch.arange(size, device=begin.device) - begin[:, None]
    return (pixels >= 0) & (pixels < hole)


def recolour(pictures: Tensor, numbers: Numbers) -> Tensor:
    """Change brightness, then saturation, then contrast; grey pictures have no saturation to change."""
    pictures = pictures + each(numbers.uniform(-0.5, 0.5))
    pictures = torch.lerp(pictures.mean(1, keepdim=True).expand_as(pictures), pictures, each(numbers.uniform(0, 2)))
    middle = pictures.mean((1, 2, 3), keepdim=True).expand_as(pictures)
    return torch.lerp(middle, pictures, each(numbers.uniform(0.5, 1.5)))


def each(numbers: Tensor) -> Tensor:
    """Return one number for each picture in a shape that goes with pictures: (n, 1, 1, 1)."""
    return numbers.view(-1, 1, 1, 1)
