"""The parts of R3GAN's networks: residual blocks without normalisation, and bilinear resampling (Huang et al. 2024).

Maps are (n, channels, height, width). Weights start so that variances neither grow nor vanish without normalisation:
as He et al. 2015 say before a leaky ReLU, with 1 / fan-in elsewhere, and inside residual blocks as fix-up says (Zhang
et al. 2019).
"""

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from ganzoo.layers import Size, both_sides

Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)

SLOPE = 0.2
"""Slope of the leaky ReLU below 0."""
FIXUP_LAYERS = 3
"""Layers of a residual branch, which fix-up's exponent follows from: 1 / (2 * 3 - 2) = 1 / 4."""


class Residual(nn.Module):
    """x + branch(x): a 1 x 1, a grouped 3 x 3 and a 1 x 1 convolution, with leaky ReLUs between them.

    Huang et al. 2024, section 4, configuration E: an inverted bottleneck, inside which there are `expansion` times as
    many channels; the 3 x 3 convolution has groups of `group_size` channels. There is no normalisation and, after the
    last convolution, no bias. The block starts as the identity, since that convolution starts at zero; the weights of
    the other two are scaled by `depth` ** (-1/4), where `depth` is the number of residual blocks in the network.
    Raises `ValueError` if the channels inside are no multiple of `group_size`.
    """

    def __init__(self, channels: int, depth: int, expansion: int = 2, group_size: int = 16) -> None:
        super().__init__()
        inside = channels * expansion
        if inside % group_size:
            where = f"{channels} x {expansion} channels inside a block"
            raise ValueError(f"group_size {group_size} does not divide the {where}; give a width that is a multiple")
        self.widen = nn.Conv2d(channels, inside, 1)
        self.mix = nn.Conv2d(inside, inside, 3, padding=1, groups=inside // group_size)
        self.narrow = nn.Conv2d(inside, channels, 1, bias=False)
        for layer in (self.widen, self.mix):
            initialise(layer, slope=SLOPE, scale=depth ** (-1 / (2 * FIXUP_LAYERS - 2)))
        nn.init.zeros_(self.narrow.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        inside = leaky_relu(self.mix(leaky_relu(self.widen(features), SLOPE)), SLOPE)
        changed: Tensor = self.narrow(inside)
        return features + changed


class Resample(nn.Module):
    """Bilinear interpolation to another size, and a 1 x 1 convolution where the number of channels changes.

    Huang et al. 2024, section 4: the transition layer. Half the size is the mean of 2 x 2 pixels. The convolution
    comes on the smaller map, which is the same and costs a quarter: interpolation commutes with it.
    """

    def __init__(self, before: int, after: int, larger: Size, smaller: Size, down: bool) -> None:
        super().__init__()
        self.size, self.down = both_sides(smaller if down else larger), down
        self.change = pointwise(before, after) if before != after else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        """Return features (n, after, height, width) of the other size."""
        if self.down:
            shrunk: Tensor = self.change(self.resize(features))
            return shrunk
        return self.resize(self.change(features))

    def resize(self, features: Tensor) -> Tensor:
        """Return features of the other size, with as many channels."""
        return interpolate(features, size=self.size, mode="bilinear", align_corners=False)


class Basis(nn.Module):
    """The generator's first layer: a learned map of the smallest size, each channel times a linear function of z.

    Huang et al. 2024 call it the basis layer.
    """

    def __init__(self, length: int, channels: int, size: Size) -> None:
        super().__init__()
        self.map = nn.Parameter(torch.randn(channels, *both_sides(size)))
        self.modulate = initialise(nn.Linear(length, channels, bias=False))

    def forward(self, z: Tensor) -> Tensor:
        """Return features (n, channels, height, width) for vectors (n, length)."""
        factors: Tensor = self.modulate(z)
        return self.map * factors[:, :, None, None]


class Head(nn.Module):
    """The discriminator's last layers: a depthwise convolution of the whole smallest map, and a linear layer.

    Huang et al. 2024, section 4. Returns (n, outputs), without bias as only differences of scores count.
    """

    def __init__(self, channels: int, size: Size, outputs: int) -> None:
        super().__init__()
        self.pool = initialise(nn.Conv2d(channels, channels, both_sides(size), groups=channels, bias=False))
        self.judge = initialise(nn.Linear(channels, outputs, bias=False))

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, outputs) for features of the smallest map."""
        outputs: Tensor = self.judge(self.pool(features).flatten(1))
        return outputs


def pointwise(before: int, after: int) -> nn.Conv2d:
    """Return a 1 x 1 convolution without bias that keeps the variance."""
    return initialise(nn.Conv2d(before, after, 1, bias=False))


def initialise(layer: Layer, slope: float = 1.0, scale: float = 1.0) -> Layer:
    """Draw weights from normal(0, scale * sqrt(2 / (1 + slope^2) / fan-in)), set the bias to zero; return the layer.

    He et al. 2015, equation 15; `slope` is that of the leaky ReLU that follows, 1 where none does.
    """
    nn.init.kaiming_normal_(layer.weight, a=slope, nonlinearity="leaky_relu")
    with torch.no_grad():
        layer.weight.mul_(scale)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
