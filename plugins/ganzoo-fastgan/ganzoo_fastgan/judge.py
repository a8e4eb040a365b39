"""FastGAN's self-supervised discriminator (Liu et al. 2021, section 3.2 and figure 4)."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.parametrizations import spectral_norm as normalise_spectrally

from ganzoo.layers import initialise_normal
from ganzoo_fastgan.blocks import normalise_and_gate
from ganzoo_fastgan.sizes import list_maps, list_widths

Convolution = Callable[..., nn.Module]
"""Makes a convolution from channels before, channels after, kernel, stride and padding."""

SMALL, LARGE = 1, 2
"""Places of the two maps that are decoded, of 8 and of 16 pixels, among all maps of an image."""
STEM_HALVES = 64
"""Images of this shorter side or more are halved by the first layer."""
LARGEST_DECODED = 128
"""Largest shorter side of decoded images; smaller images are decoded at half their size."""


class Discriminator(nn.Module):
    """Map images to a map of raw scores (n, 5, 5), wider where images are, and to the features that are decoded.

    From the paper: residual blocks with two paths down to 8 x 8, where a 1 x 1 and a 4 x 4 convolution give the scores,
    and `decoders` of the maps of 16 and 8 pixels, four convolutions each at 256 pixels, which the loss `reconstruction`
    trains. `width` and `max_width` as in the generator. `batch_norm=False` is for losses that need the gradient of each
    image by itself. `spectral_norm` normalises each convolution but those of the decoders (Miyato et al. 2018).
    Raises `ValueError` for a size that `check_sides` refuses, or an option out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        width: int = 64,
        max_width: int = 1024,
        batch_norm: bool = True,
        spectral_norm: bool = True,
    ) -> None:
        super().__init__()
        maps = list_maps(image)
        channels = list_widths(maps, width, max_width)
        convolution = make_spectral if spectral_norm else make_plain
        top = len(maps) - (2 if min(maps[-1]) >= STEM_HALVES else 1)
        self.stem = make_stem(image[0], channels[top], top < len(maps) - 1, convolution)
        self.to_large = nn.Sequential(
            *(Halve(channels[i], channels[i - 1], batch_norm, convolution) for i in range(top, LARGE, -1))
        )
        self.to_small = Halve(channels[LARGE], channels[SMALL], batch_norm, convolution)
        score = convolution(channels[SMALL], 1, 4, 1, 0)
        self.score = nn.Sequential(*make_layer(channels[SMALL], channels[SMALL], 1, 1, batch_norm, convolution), score)
        doublings = (min(*maps[-1], 2 * LARGEST_DECODED) // 16).bit_length() - 1
        self.decoders = nn.ModuleDict(
            {
                "whole": Decoder(channels[SMALL], doublings, image[0], batch_norm),
                "part": Decoder(channels[LARGE], doublings, image[0], batch_norm),
            }
        )
        self.decoders.apply(initialise_normal)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return scores and extras: the images that were "seen", and the "large" and the "small" map of features."""
        large = self.to_large(self.stem(images))
        small = self.to_small(large)
        return self.score(small)[:, 0], {"seen": images, "large": large, "small": small}


class Halve(nn.Module):
    """The mean of two paths to half the size: two convolutions, and a 1 x 1 convolution of averaged pixels."""

    def __init__(self, before: int, after: int, batch_norm: bool, convolution: Convolution) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *make_layer(before, after, 4, 2, batch_norm, convolution),
            *make_layer(after, after, 3, 1, batch_norm, convolution),
        )
        self.short = nn.Sequential(nn.AvgPool2d(2), *make_layer(before, after, 1, 1, batch_norm, convolution))

    def forward(self, features: Tensor) -> Tensor:
        """Return features (n, after, height / 2, width / 2)."""
        mean: Tensor = (self.main(features) + self.short(features)) / 2
        return mean


class Decoder(nn.Module):
    """Make a small image in [-1, 1] from a map of 8 pixels: doubled by repeated pixels, a convolution for each size."""

    def __init__(self, channels: int, doublings: int, colours: int, batch_norm: bool) -> None:
        super().__init__()
        widths = [channels, *(max(8, channels >> depth + 1) for depth in range(1, doublings + 1))]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, 2 * after, 3, padding=1), *normalise_and_gate(after, batch_norm))
            for before, after in pairwise(widths)
        )
        self.to_image = nn.Conv2d(widths[-1], colours, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return images for features (n, channels, 8, 8)."""
        for layer in self.layers:
            features = layer(interpolate(features, scale_factor=2.0))
        return torch.tanh(self.to_image(features))


def make_stem(colours: int, after: int, halves: bool, convolution: Convolution) -> nn.Sequential:
    """Return the first layer, without batch norm: of half the image's size or of all of it."""
    kernel, stride = (4, 2) if halves else (3, 1)
    return nn.Sequential(convolution(colours, after, kernel, stride, 1), nn.LeakyReLU(0.2))


def make_layer(
    before: int, after: int, kernel: int, stride: int, batch_norm: bool, convolution: Convolution
) -> list[nn.Module]:
    """Return a convolution, batch norm and LeakyReLU of slope 0.2."""
    norm = [nn.BatchNorm2d(after)] * batch_norm
    return [convolution(before, after, kernel, stride, (kernel - 1) // 2), *norm, nn.LeakyReLU(0.2)]


def make_plain(before: int, after: int, kernel: int, stride: int, padding: int) -> nn.Module:
    """Return a convolution with DCGAN's initial weights."""
    return nn.Conv2d(before, after, kernel, stride, padding).apply(initialise_normal)


def make_spectral(before: int, after: int, kernel: int, stride: int, padding: int) -> nn.Module:
    """Return a convolution whose weights are divided by their largest singular value."""
    return normalise_spectrally(make_plain(before, after, kernel, stride, padding))
