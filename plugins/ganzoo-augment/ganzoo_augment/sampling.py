"""Pictures sampled at moved positions, differentiable as often as wanted: torch's `grid_sample` is so only once.

Sampling is linear in the picture, so that its derivative is its transpose, whose derivative is sampling again.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

How = tuple[str, str]
"""Interpolation ("bilinear" or "nearest") and what is beyond the edges ("reflection" or "zeros"), in torch's words."""


def warp(pictures: Tensor, source: Tensor, how: How, size: tuple[int, int] | None = None, scale: int = 1) -> Tensor:
    """Return pictures whose pixel at x is the given pictures' at `source` @ x, of shape (n, channels, *size).

    `source` (n, 3, 3) maps homogeneous positions (x, y, 1), in pixels from the middle of a picture. With a `scale`,
    `pictures` have so many times the resolution that positions count in; so has what is returned. "reflection" mirrors
    pictures at their outer edges, so that the pixel at the edge comes twice.
    """
    height, width = pictures.shape[-2:]
    rows, columns = size or (height, width)
    # Torch's positions run from -1 to 1 from edge to edge, in the result and in the pictures.
    to_pixels = source.new_tensor([columns / 2 / scale, rows / 2 / scale, 1.0]).diag()
    from_pixels = source.new_tensor([2 * scale / width, 2 * scale / height, 1.0]).diag()
    theta = (from_pixels @ source @ to_pixels)[:, :2]
    grid = affine_grid(theta, [*pictures.shape[:2], rows, columns], align_corners=False)
    sampled: Tensor = _Sample.apply(pictures, grid, how)
    return sampled


def _sample(pictures: Tensor, grid: Tensor, how: How) -> Tensor:
    mode, padding = how
    return grid_sample(pictures, grid, mode, padding, align_corners=False)


class _Sample(torch.autograd.Function):
    """Samples pictures (n, channels, height, width) at a grid (n, rows, columns, 2)."""

    @staticmethod
    def forward(ctx: Any, pictures: Tensor, grid: Tensor, how: How) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.how, ctx.shape = how, pictures.shape
        return _sample(pictures, grid, how)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return _Spread.apply(gradients[0], ctx.saved_tensors[0], ctx.how, ctx.shape), None, None


class _Spread(torch.autograd.Function):
    """Adds values (n, channels, rows, columns) to the pixels that they would be sampled from: the transpose."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, grid: Tensor, how: How, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.how = how
        with torch.enable_grad():
            pictures = values.new_zeros(shape).requires_grad_()
            sampled = _sample(pictures, grid, how)
        return torch.autograd.grad(sampled, pictures, values)[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        return _Sample.apply(gradients[0], ctx.saved_tensors[0], ctx.how), None, None, None
