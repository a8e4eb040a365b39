"""The synthesis network: from styles w and noise to images (Karras et al. 2020, figures 2 and 7).

A convolution with modulated and demodulated weights (equations 1 and 3) is computed on scaled inputs and outputs, which
is the same: scaling weights by input channel is scaling the inputs, and by output channel the outputs. One convolution
then serves the whole batch.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu

from ganzoo.layers import EqualisedLinear, split_noise
from ganzoo_stylegan.mapping import GAIN, SLOPE
from ganzoo_stylegan.resampling import Blur, Doubling
from ganzoo_stylegan.sizes import Size

EPSILON = 1e-8
"""Added to the sum of squares in equation 3."""


class StyledLayer(nn.Module):
    """A 3 x 3 convolution with a style, then noise, bias and LeakyReLU; with `double` the map becomes twice as large.

    Karras et al. 2020, section 2.2. Doubling is a transposed convolution and then the filter 1 3 3 1, as in the
    authors' code. The gain of sqrt(2) after the activation is applied before it, which is the same.
    """

    def __init__(self, before: int, after: int, w_size: int, double: bool = False) -> None:
        super().__init__()
        self.style = EqualisedLinear(w_size, before, start=1.0)
        self.weight = nn.Parameter(torch.randn(after, before, 3, 3))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(after))
        self.blur = Blur(padding=1, gain=4.0) if double else None
        self.scale = 1 / sqrt(9 * before)

    def forward(self, features: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """Return (n, after, height, width) for features, styles (n, w_size) and noise (n, 1, height, width)."""
        style, weight = self.style(w), self.weight * self.scale
        features = self.convolve(features * per_channel(style, features), weight)
        bias, factor = self.bias * GAIN, demodulation(style, weight) * GAIN
        features = torch.addcmul(per_channel(bias[None], features), features, per_channel(factor, features))
        return leaky_relu(features + (noise * (self.noise_strength * GAIN)).to(features.dtype), SLOPE)

    def convolve(self, features: Tensor, weight: Tensor) -> Tensor:
        """Return the convolved features, twice as large if the layer doubles."""
        if self.blur is None:
            return conv2d(features, weight, padding=1)
        doubled: Tensor = self.blur(conv_transpose2d(features, weight.transpose(0, 1), stride=2))
        return doubled


class ToImage(nn.Module):
    """A 1 x 1 convolution with a style from features to channels of an image, without demodulation or activation."""

    def __init__(self, before: int, channels: int, w_size: int) -> None:
        super().__init__()
        self.style = EqualisedLinear(w_size, before, start=1.0)
        self.weight = nn.Parameter(torch.randn(channels, before, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.scale = 1 / sqrt(before)

    def forward(self, features: Tensor, w: Tensor) -> Tensor:
        """Return images (n, channels, height, width)."""
        styled = features * per_channel(self.style(w) * self.scale, features)
        # The bias is added outside, so that the images are in full precision under autocast.
        return conv2d(styled, self.weight) + self.bias[:, None, None]


class Synthesis(nn.Module):
    """Make images from a learned constant: two styled layers for each size, and an image of each, doubled and added up.

    Karras et al. 2020, section 4.1 (skip generator). `sizes` and `widths` are those of the maps, the smallest first.
    Layer i takes style i, and the image of size j, from 0, takes style 2 j + 1, as the first layer of the next size.
    """

    def __init__(self, channels: int, sizes: Sequence[Size], widths: Sequence[int], w_size: int) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.randn(1, widths[0], *sizes[0]))
        layers = [StyledLayer(widths[0], widths[0], w_size)]
        for before, after in pairwise(widths):
            layers += [StyledLayer(before, after, w_size, double=True), StyledLayer(after, after, w_size)]
        self.layers = nn.ModuleList(layers)
        self.to_images = nn.ModuleList(ToImage(width, channels, w_size) for width in widths)
        self.doubling = Doubling()
        self.noise_sizes = [sizes[0], *(size for size in sizes[1:] for _ in range(2))]

    @property
    def noise_length(self) -> int:
        """Length of the noise of one image: one number for each pixel of each layer's map."""
        return sum(map(prod, self.noise_sizes))

    @property
    def style_count(self) -> int:
        """The number of styles of one image."""
        return len(self.layers) + 1

    def forward(self, styles: Tensor, noise: Tensor) -> Tensor:
        """Return images for styles (n, style_count, w_size) and noise (n, noise_length)."""
        maps = split_noise(noise, self.noise_sizes)
        features = self.layers[0](self.constant.expand(len(styles), -1, -1, -1), styles[:, 0], maps[0])
        images: Tensor = self.to_images[0](features, styles[:, 1])
        for number, to_image in enumerate(self.to_images[1:], 1):
            for layer in (2 * number - 1, 2 * number):
                features = self.layers[layer](features, styles[:, layer], maps[layer])
            images = self.doubling(images) + to_image(features, styles[:, 2 * number + 1])
        return images


def demodulation(style: Tensor, weight: Tensor) -> Tensor:
    """Return what divides each channel by the norm of its modulated weights, (n, after), in equation 3."""
    return torch.rsqrt(style.square() @ weight.square().sum((2, 3)).T + EPSILON)


def per_channel(values: Tensor, features: Tensor) -> Tensor:
    """Return values (n, channels) to multiply features (n, channels, height, width) with, in their type."""
    return values[:, :, None, None].to(features.dtype)
