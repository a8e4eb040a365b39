"""Numbers that are known beforehand, in place of those that a step draws, and pictures in float64."""

import pytest
import torch

from ganzoo_augment.numbers import Numbers


class Script:
    """A step that draws these numbers, one after the other: of `rand`, and of `randn`."""

    def __init__(self, uniform, normal):
        self.numbers = {"rand": iter(uniform), "randn": iter(normal)}

    def rand(self, *shape):
        return self._next("rand", shape)

    def randn(self, *shape):
        return self._next("randn", shape)

    def _next(self, which, shape):
        found = torch.as_tensor(next(self.numbers[which]), dtype=torch.float64)
        return found.expand(shape) if found.dim() == 0 else found.reshape(shape)


@pytest.fixture
def script():
    """`script(pictures, uniform, normal)` draws these numbers."""
    return lambda pictures, uniform=(), normal=(): Numbers(Script(uniform, normal), pictures)


@pytest.fixture
def pictures():
    """`pictures(n, channels, height, width)` makes random ones in [-1, 1]."""

    def make(*shape):
        return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1

    return make
