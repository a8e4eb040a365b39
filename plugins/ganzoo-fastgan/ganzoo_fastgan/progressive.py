"""Networks that grow (Karras et al. 2018, Progressive growing of GANs): sections 2 to 4, figure 2, appendix A.

Images always have the full size: what the networks have grown to is shown with repeated pixels, and the discriminator
averages these again. So a training, its pictures and its models have images of one size from the first step on.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

import ganzoo
from ganzoo.layers import EqualisedConv2d, EqualisedLinear, MinibatchDeviation, PixelNorm, check_at_least_one
from ganzoo_fastgan.sizes import list_maps, list_widths

HE = math.sqrt(2)
"""Gain of a layer before LeakyReLU (He et al. 2015)."""


class Generator(ganzoo.Generator):
    """Map latents of length `latent_size` to images of shape (n, channels, height, width), by the levels grown to.

    From the paper: two 3 x 3 convolutions for each size, doubling by repeated pixels, LeakyReLU of slope 0.2, pixel
    norm, equalised learning rate, a linear 1 x 1 convolution to colours for each size, of which two are mixed while a
    level fades in. Without a loss that lets it grow, such as `growing`, it is fully grown from the beginning.

    `width` is the number of channels of the largest map, each smaller one has twice as many, up to `max_width`. Raises
    `ValueError` for a size that `check_sides` refuses, or an option out of range.
    """

    growth: Tensor

    def __init__(
        self, *, image: tuple[int, int, int], latent_size: int = 512, width: int = 64, max_width: int = 512
    ) -> None:
        super().__init__()
        check_at_least_one(latent_size=latent_size)
        self.latent_size = latent_size
        maps = list_maps(image)
        channels = list_widths(maps, width, max_width)
        first = EqualisedLinear(latent_size, channels[0] * math.prod(maps[0]), gain=HE)
        unflatten = nn.Unflatten(1, (channels[0], *maps[0]))
        self.first = nn.Sequential(
            PixelNorm(), first, unflatten, nn.LeakyReLU(0.2), PixelNorm(), *generator_layer(channels[0], channels[0])
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2), *generator_layer(*pair), *generator_layer(pair[1], pair[1]))
            for pair in pairwise(channels)
        )
        self.to_image = nn.ModuleList(EqualisedConv2d(each, image[0], 1) for each in channels)
        self.register_buffer("growth", torch.full((), float(len(self.blocks))))

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for `given["z"]` of shape (n, latent_size)."""
        level, share = level_and_share(self.growth, len(self.blocks))
        features = before = self.first(given["z"])
        for block in self.blocks[:level]:
            features, before = block(features), features
        image: Tensor = self.to_image[level](features)
        if share < 1:
            image = fade_in(interpolate(self.to_image[level - 1](before), scale_factor=2.0), image, share)
        missing = len(self.blocks) - level
        return interpolate(image, scale_factor=2.0**missing) if missing else image


class Discriminator(nn.Module):
    """Map images of shape (n, channels, height, width) to raw scores of shape (n,): the generator's mirror.

    From the paper: a 1 x 1 convolution from colours for each size, two 3 x 3 convolutions and an average of pixels for
    each level, and at the smallest map the standard deviation over groups of 4 samples (`deviation=False` leaves it
    out: a sample's score then does not depend on others). Options and growth as in `Generator`.
    """

    growth: Tensor

    def __init__(
        self, *, image: tuple[int, int, int], width: int = 64, max_width: int = 512, deviation: bool = True
    ) -> None:
        super().__init__()
        maps = list_maps(image)
        channels = list_widths(maps, width, max_width)
        self.from_image = nn.ModuleList(nn.Sequential(*judge_layer(image[0], each, 1)) for each in channels)
        self.blocks = nn.ModuleList(
            nn.Sequential(*judge_layer(after, after), *judge_layer(after, before), nn.AvgPool2d(2))
            for before, after in pairwise(channels)
        )
        deviations = [MinibatchDeviation()] * deviation
        hidden = EqualisedLinear(channels[0] * math.prod(maps[0]), channels[0], gain=HE)
        self.last = nn.Sequential(
            *deviations,
            *judge_layer(channels[0] + deviation, channels[0]),
            nn.Flatten(),
            hidden,
            nn.LeakyReLU(0.2),
            EqualisedLinear(channels[0], 1),
            nn.Flatten(0),
        )
        self.register_buffer("growth", torch.full((), float(len(self.blocks))))

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return one raw score per image; `given` is not used."""
        level, share = level_and_share(self.growth, len(self.blocks))
        missing = len(self.blocks) - level
        images = avg_pool2d(images, 2**missing) if missing else images
        features = self.from_image[level](images)
        if level:
            features = self.blocks[level - 1](features)
        if share < 1:
            features = fade_in(self.from_image[level - 1](avg_pool2d(images, 2)), features, share)
        for block in reversed(self.blocks[: max(0, level - 1)]):
            features = block(features)
        scores: Tensor = self.last(features)
        return scores


def level_and_share(growth: Tensor, levels: int) -> tuple[int, float]:
    """Return the level that is reached or fades in, and the share of it in the image, in (0, 1]."""
    grown = min(max(growth.item(), 0.0), float(levels))
    level = math.ceil(grown)
    return level, 1.0 if level == grown else grown - (level - 1)


def fade_in(before: Tensor, new: Tensor, share: float) -> Tensor:
    """Return (1 - share) * before + share * new (figure 2, where the share is called alpha)."""
    return torch.lerp(before, new, share)


def generator_layer(before: int, after: int) -> list[nn.Module]:
    """Return a 3 x 3 convolution, LeakyReLU and pixel norm."""
    return [EqualisedConv2d(before, after, 3, gain=HE), nn.LeakyReLU(0.2), PixelNorm()]


def judge_layer(before: int, after: int, kernel: int = 3) -> list[nn.Module]:
    """Return a convolution that keeps the size, and LeakyReLU."""
    return [EqualisedConv2d(before, after, kernel, gain=HE), nn.LeakyReLU(0.2)]
