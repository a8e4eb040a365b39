"""FastGAN's generator (Liu et al. 2021, Towards faster and stabilized GAN training, section 3.1 and figure 3)."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

import ganzoo
from ganzoo.layers import check_at_least_one, initialise_normal, split_noise
from ganzoo_fastgan.blocks import Noise, SkipExcitation, normalise_and_gate
from ganzoo_fastgan.sizes import Size, list_maps, list_widths

EXCITED = (32, 512)
"""Shorter sides of the smallest and the largest map that a smaller one excites."""
DISTANCE = 4
"""Doublings between a map and the one that it excites, at most: 8 excites 128, 16 excites 256."""


class Generator(ganzoo.Generator):
    """Map latents to images in [-1, 1] of shape (n, channels, height, width), by one convolution for each size.

    From the paper: doubling by repeated pixels, 3 x 3 convolutions with batch norm and gated linear units, noise, and
    maps of 8, 16 and 32 pixels that excite those sixteen times as large. Ours: the smallest map excites those of 32 and
    64 pixels, so that small images have an excitation, too; the noise is the latent "noise", so that a sample is a
    function of its latents.

    `width` is the number of channels in the layer nearest the image; each layer further from it has twice as many, up
    to `max_width`. `noise=False` leaves noise out. `batch_norm=False` ties no samples together: several processes then
    train exactly as one does. `tanh=False` leaves out the last activation, and images may leave [-1, 1]: against the
    discriminator `projected`, tanh is soon where it has no slope. Raises `ValueError` for a size that `check_sides`
    refuses, or an option out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        latent_size: int = 256,
        width: int = 64,
        max_width: int = 1024,
        noise: bool = True,
        batch_norm: bool = True,
        tanh: bool = True,
    ) -> None:
        super().__init__()
        check_at_least_one(latent_size=latent_size)
        self.latent_size, self.maps = latent_size, list_maps(image)
        channels = list_widths(self.maps, width, max_width)
        first = nn.ConvTranspose2d(latent_size, 2 * channels[0], self.maps[0], bias=not batch_norm)
        self.first = nn.Sequential(first, *normalise_and_gate(channels[0], batch_norm))
        self.blocks = nn.ModuleList(Double(*pair, noise, batch_norm) for pair in pairwise(channels))
        self.excite = nn.ModuleDict(make_excitations(self.maps, channels))
        self.to_image = nn.Conv2d(channels[-1], image[0], 3, padding=1)
        self.limit = nn.Tanh() if tanh else nn.Identity()
        self.noise_length = sum(map(math.prod, self.maps[1:])) if noise else 0
        self.apply(initialise_normal)

    def latent(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        """Draw {"z": (n, latent_size)}, and "noise": the maps of all sizes but the smallest, one after the other."""
        drawn = super().latent(n, rng)
        return drawn | ({"noise": torch.randn(n, self.noise_length, generator=rng)} if self.noise_length else {})

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for `given["z"]` and `given["noise"]`."""
        features = [self.first(given["z"][:, :, None, None])]
        for depth, (block, noise) in enumerate(zip(self.blocks, self._split_noise(given), strict=True), 1):
            larger = block(features[-1], noise)
            if str(depth) in self.excite:
                larger = self.excite[str(depth)](features[max(0, depth - DISTANCE)], larger)
            features.append(larger)
        images: Tensor = self.limit(self.to_image(features[-1]))
        return images

    def _split_noise(self, given: dict[str, Tensor]) -> list[Tensor | None]:
        if not self.noise_length:
            return [None] * len(self.blocks)
        return list(split_noise(given["noise"], self.maps[1:]))


class Double(nn.Module):
    """Repeat pixels, convolve, add noise, normalise, and gate (figure 3, on the left)."""

    def __init__(self, before: int, after: int, noise: bool, batch_norm: bool) -> None:
        super().__init__()
        self.convolve = nn.Conv2d(before, 2 * after, 3, padding=1, bias=not batch_norm)
        self.noise = Noise() if noise else None
        self.gate = nn.Sequential(*normalise_and_gate(after, batch_norm))

    def forward(self, features: Tensor, noise: Tensor | None) -> Tensor:
        """Return features (n, after, 2 * height, 2 * width) for (n, before, height, width)."""
        features = self.convolve(interpolate(features, scale_factor=2.0))
        if self.noise is not None:
            features = self.noise(features, noise)
        doubled: Tensor = self.gate(features)
        return doubled


def make_excitations(maps: list[Size], channels: list[int]) -> dict[str, SkipExcitation]:
    """Return the excitation of each map that has one, by its place among the maps."""
    found = {}
    for depth, size in enumerate(maps):
        if EXCITED[0] <= min(size) <= EXCITED[1]:
            low = max(0, depth - DISTANCE)
            found[str(depth)] = SkipExcitation(channels[low], channels[depth], maps[low], maps[0])
    return found
