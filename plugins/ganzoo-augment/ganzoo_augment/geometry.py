"""Moves of pictures (Karras et al. 2020, appendix B), as matrices (n, 3, 3) of the positions that they come from."""

import math

import torch
from torch import Tensor

from ganzoo_augment.filters import DELAY, MARGIN, doubling, halving, resize
from ganzoo_augment.numbers import Numbers
from ganzoo_augment.sampling import warp

SHIFT = 1 / 8
"""Farthest move by whole pixels, and the deviation of that by fractions, as a share of height and width."""
SCALE = 0.2
"""Deviation of the logarithm to base 2 of a change of size."""


def blit(pictures: Tensor, numbers: Numbers, p: Tensor | float) -> Tensor:
    """Copy pixels: mirror, turn by quarters, move by whole pixels; beyond the edges pictures are mirrored.

    Pictures that are not square turn by halves.
    """
    height, width = pictures.shape[-2:]
    mirrored = 1 - 2 * numbers.sometimes(p, numbers.whole(0, 1))
    quarters = numbers.whole(0, 3) if height == width else 2 * numbers.whole(0, 1)
    angle = numbers.sometimes(p, quarters) * math.pi / 2
    moved = numbers.chance(p)
    x, y = ((numbers.uniform(-SHIFT, SHIFT) * side).round() * moved for side in (width, height))
    source = scale(mirrored, torch.ones_like(mirrored)) @ turn(angle) @ shift(x, y)
    return warp(pictures, source, ("nearest", "reflection"))


def move(pictures: Tensor, numbers: Numbers, p: Tensor | float) -> Tensor:
    """Scale, turn, stretch, turn and move by fractions of pixels, sampled once and at twice the resolution.

    A low pass before and after keeps frequencies that the pixels cannot show from folding. A picture to which nothing
    happens stays exactly as it is.
    """
    height, width = pictures.shape[-2:]
    source = draw_move(pictures, numbers, p)
    delay = torch.full_like(source[:, 0, 0], DELAY)
    where = shift(delay, delay) @ source @ shift(-delay, -delay)
    size = 2 * height + 2 * MARGIN, 2 * width + 2 * MARGIN
    moved = resize(warp(resize(pictures, doubling), where, ("bilinear", "reflection"), size, 2), halving)
    still = (source == torch.eye(3, device=source.device)).all(-1).all(-1)
    return torch.where(still[:, None, None, None], pictures, moved)


def draw_move(pictures: Tensor, numbers: Numbers, p: Tensor | float) -> Tensor:
    """Draw where the pixels of moved pictures come from, (n, 3, 3)."""
    height, width = pictures.shape[-2:]
    size, stretch = (numbers.sometimes(p, numbers.normal(SCALE)).exp2() for _ in range(2))
    one_of_two = 1 - (1 - torch.as_tensor(p)).sqrt()  # so that p is the chance of at least one turn
    first, second = (numbers.sometimes(one_of_two, numbers.uniform(-math.pi, math.pi)) for _ in range(2))
    moved = numbers.chance(p)
    x, y = (numbers.normal(SHIFT) * side * moved for side in (width, height))
    return scale(size, size) @ turn(first) @ scale(stretch, 1 / stretch) @ turn(second) @ shift(x, y)


def shift(x: Tensor, y: Tensor) -> Tensor:
    """Return the source of pictures that move by x to the right and y down, both (n,) in pixels."""
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    return matrix([[one, zero, -x], [zero, one, -y], [zero, zero, one]])


def scale(x: Tensor, y: Tensor) -> Tensor:
    """Return the source of pictures that become x times as wide and y times as high; -1 mirrors."""
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    return matrix([[1 / x, zero, zero], [zero, 1 / y, zero], [zero, zero, one]])


def turn(angle: Tensor) -> Tensor:
    """Return the source of pictures that turn by an angle (n,) in radians, clockwise on the screen."""
    cos, sin, one, zero = angle.cos(), angle.sin(), torch.ones_like(angle), torch.zeros_like(angle)
    return matrix([[cos, sin, zero], [-sin, cos, zero], [zero, zero, one]])


def matrix(rows: list[list[Tensor]]) -> Tensor:
    """Return numbers (n,) in rows and columns as matrices (n, rows, columns)."""
    return torch.stack([torch.stack(row, -1) for row in rows], -2)
