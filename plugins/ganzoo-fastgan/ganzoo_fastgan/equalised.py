"""Layers with an equalised learning rate (Karras et al. 2018, section 4.1)."""

import math
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import conv2d, linear


class EqualisedConv2d(nn.Conv2d):
    """Convolution whose weights are drawn from normal(0, 1) and scaled at run time by He's constant.

    The constant is gain / sqrt(fan in): all weights then have the same range, and learn at the same speed. Biases start
    at 0.
    """

    def __init__(self, before: int, after: int, kernel: int, gain: float = math.sqrt(2), **more: Any) -> None:
        super().__init__(before, after, kernel, **more)
        self.scale = start_equalised(self, gain)

    def forward(self, features: Tensor) -> Tensor:
        """Return the convolution of features (n, before, height, width)."""
        return conv2d(features, self.weight * self.scale, self.bias, padding=self.padding)


class EqualisedLinear(nn.Linear):
    """The same for a linear layer."""

    def __init__(self, before: int, after: int, gain: float = math.sqrt(2)) -> None:
        super().__init__(before, after)
        self.scale = start_equalised(self, gain)

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, after) for features (n, before)."""
        return linear(features, self.weight * self.scale, self.bias)


def start_equalised(layer: nn.Conv2d | nn.Linear, gain: float) -> float:
    """Draw the first weights of a layer; return the constant by which they are scaled."""
    nn.init.normal_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return gain / math.sqrt(layer.weight[0].numel())
