"""The synthesis network of StyleGAN3-T: from styles w to images, by layers that go with translations.

Karras et al. 2021, section 3 and figure 4b.
"""

from math import pi, sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from ganzoo.layers import EqualisedConv2d, EqualisedLinear, list_channels
from ganzoo_stylegan.bands import Band, list_bands
from ganzoo_stylegan.filters import FilteredLeakyReLU, centred
from ganzoo_stylegan.mapping import GAIN
from ganzoo_stylegan.synthesis import ToImage, demodulation, per_channel

MARGIN = 10
"""Samples around the picture on each side of a map, so that the zeros beyond the map do not reach the picture."""
OUTPUT_SCALE = 0.25
"""What images are multiplied with: about the standard deviation of new ones."""


class FourierFeatures(nn.Module):
    """Waves in place of a learned constant, on a plane that the style turns and moves (section 3.1, appendix F).

    Frequencies are uniform in the disc up to the cutoff of `band`, phases in all of a period. A linear layer finds from
    w by how much the plane is turned (its first two numbers are a direction) and moved; at first it is neither. A
    learned matrix mixes the waves.
    """

    frequencies: Tensor
    phases: Tensor
    axis: Tensor

    def __init__(self, channels: int, band: Band, w_size: int) -> None:
        super().__init__()
        radius, angle = band.cutoff * torch.rand(channels).sqrt(), 2 * pi * torch.rand(channels)
        self.register_buffer("frequencies", torch.stack([radius * angle.cos(), radius * angle.sin()]))
        self.register_buffer("phases", torch.rand(channels))
        axis = centred(band.rate + 2 * MARGIN) / band.rate
        self.register_buffer("axis", axis.to(torch.get_default_dtype()), persistent=False)
        self.place = EqualisedLinear(w_size, 4)
        nn.init.zeros_(self.place.weight)
        nn.init.ones_(self.place.bias[:1])
        self.mix = EqualisedConv2d(channels, channels, 1, bias=False)

    def forward(self, w: Tensor, shift: Tensor) -> Tensor:
        """Return (n, channels, side, side) for styles (n, w_size), moved by `shift` (n, 2), in sides of the picture."""
        place = self.place(w)[:, :, None]
        cos, sin = (place[:, :2] / place[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        across, down = self.frequencies
        turned = torch.stack([cos * across + sin * down, cos * down - sin * across], 1)
        start = self.phases - (self.frequencies * place[:, 2:]).sum(1) - (turned * shift[:, :, None]).sum(1)
        columns, rows = (turned[..., None] * self.axis).unbind(1)
        waves = torch.sin(2 * pi * (columns[:, :, None] + (rows + start[..., None])[..., None]))
        mixed: Tensor = self.mix(waves)
        return mixed


class Magnitude(nn.Module):
    """The running mean of the square of all features, with `decay` for each batch in training (section 3.1)."""

    mean_square: Tensor

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("mean_square", torch.ones(()))

    def forward(self, features: Tensor) -> Tensor:
        """Return what scales the features to a mean square of 1."""
        if self.training:
            found = features.detach().to(self.mean_square.dtype).square().mean()
            self.mean_square.lerp_(found, 1 - self.decay)
        return self.mean_square.rsqrt()


class ContinuousLayer(nn.Module):
    """A 3 x 3 convolution with a style, a bias, and LeakyReLU between filters.

    Weights are modulated and demodulated as in StyleGAN2; what comes in is divided by its running magnitude, so that
    sizes of features neither grow nor vanish (section 3.1). The gain of sqrt(2) after the activation is applied before.
    """

    def __init__(self, before: int, after: int, w_size: int, decay: float, activation: FilteredLeakyReLU) -> None:
        super().__init__()
        self.style = EqualisedLinear(w_size, before, start=1.0)
        self.weight = nn.Parameter(torch.randn(after, before, 3, 3))
        self.bias = nn.Parameter(torch.zeros(after))
        self.scale = 1 / sqrt(9 * before)
        self.magnitude, self.activation = Magnitude(decay), activation

    def forward(self, features: Tensor, w: Tensor) -> Tensor:
        """Return features (n, after, ...) for features (n, before, ...) and styles (n, w_size)."""
        style, weight = self.style(w), self.weight * self.scale
        scaled = features * per_channel(style * self.magnitude(features), features)
        # Padded by 2, since the map reaches a sample further when a kernel of 3 has gone over its edge.
        features = conv2d(scaled, weight, padding=2) * per_channel(demodulation(style, weight) * GAIN, features)
        activated: Tensor = self.activation(features + per_channel(self.bias[None] * GAIN, features))
        return activated


class ContinuousSynthesis(nn.Module):
    """Make images of `side` pixels from waves, through `layers` layers that carry more and finer details.

    A layer with cutoff f has width x (side / 2) / f channels, up to `max_width` (appendix F). Maps have a margin around
    the picture, which the last of these layers leaves out. The waves take style 0, layer i style i + 1, the image the
    last. Raises `ValueError` for a width that is not between 1 and `max_width`.
    """

    def __init__(
        self, channels: int, side: int, layers: int, width: int, max_width: int, w_size: int, decay: float
    ) -> None:
        super().__init__()
        list_channels(1, width, max_width)  # checks them
        bands = list_bands(side, layers)
        widths = [min(round(width * side / 2 / band.cutoff), max_width) for band in bands]
        sizes = [*(band.rate + 2 * MARGIN for band in bands[:-1]), side]
        self.waves = FourierFeatures(widths[0], bands[0], w_size)
        self.layers = nn.ModuleList()
        for number, (band, after, size) in enumerate(zip(bands, widths, sizes, strict=True)):
            last = max(number - 1, 0)
            activation = FilteredLeakyReLU(bands[last], band, sizes[last] + 2, size)
            self.layers.append(ContinuousLayer(widths[last], after, w_size, decay, activation))
        self.magnitude = Magnitude(decay)
        self.to_image = ToImage(widths[-1], channels, w_size)

    def forward(self, styles: Tensor, shift: Tensor) -> Tensor:
        """Return images for styles (n, layers + 2, w_size), moved by `shift` (n, 2), in sides of the picture."""
        first, *inner, last = styles.unbind(1)
        features: Tensor = self.waves(first, shift)
        for layer, w in zip(self.layers, inner, strict=True):
            features = layer(features, w)
        images: Tensor = self.to_image(features * self.magnitude(features).to(features.dtype), last)
        return images * OUTPUT_SCALE
