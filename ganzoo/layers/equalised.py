"""Layers with an equalised learning rate: weights are scaled when they are used, not when they are drawn."""

from math import prod, sqrt

from torch import Tensor, nn
from torch.nn.functional import conv2d, linear


class EqualisedLinear(nn.Linear):
    """A linear layer whose weights are drawn from normal(0, 1) and divided by sqrt(inputs) when they are used.

    Karras et al. 2018 (Progressive growing of GANs), section 4.1: so all weights of a network learn at one speed,
    whatever the size of their layer. `rate` multiplies the learning rate of this layer (Karras et al. 2019 (StyleGAN),
    appendix C: 0.01 in the mapping): weights are drawn that much larger and used that much smaller. `gain` multiplies
    the result, bias included. The bias begins at `start`.
    """

    def __init__(
        self, before: int, after: int, bias: bool = True, *, rate: float = 1.0, gain: float = 1.0, start: float = 0.0
    ) -> None:
        super().__init__(before, after, bias)
        self.scale, self.bias_scale = gain * rate / sqrt(before), gain * rate
        nn.init.normal_(self.weight, 0.0, 1 / rate)
        if bias:
            nn.init.constant_(self.bias, start / rate)

    def forward(self, input: Tensor) -> Tensor:
        """Return (n, after) for features (n, before)."""
        return linear(input, self.weight * self.scale, scaled(self.bias, self.bias_scale))


class EqualisedConv2d(nn.Conv2d):
    """A convolution whose weights are drawn from normal(0, 1) and divided by sqrt(inputs of a pixel) when used.

    Karras et al. 2018, section 4.1, as `EqualisedLinear`. By default maps keep their size; with a `stride` above 1
    there is no padding. `gain` multiplies the result, bias included: sqrt(2) before a LeakyReLU keeps the variance.
    """

    def __init__(
        self, before: int, after: int, kernel: int, stride: int = 1, bias: bool = True, *, gain: float = 1.0
    ) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(before, after, kernel, stride, padding, bias=bias)
        self.scale, self.bias_scale = gain / sqrt(prod(self.weight.shape[1:])), gain
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return (n, after, height, width) for features (n, before, height, width)."""
        bias = scaled(self.bias, self.bias_scale)
        return conv2d(input, self.weight * self.scale, bias, self.stride, self.padding)


def scaled(bias: Tensor | None, scale: float) -> Tensor | None:
    """Return a bias times its scale, where there is one."""
    return bias if bias is None or scale == 1 else bias * scale
