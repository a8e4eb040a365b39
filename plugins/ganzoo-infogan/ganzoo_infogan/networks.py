"""InfoGAN: a DCGAN whose generator also takes codes, and whose discriminator also guesses them.

From the paper (Chen et al. 2016, sections 4 to 6 and appendix C.1): the codes, and a recognition network that shares
the discriminator's convolutions. Ours: the layers are DCGAN's (Radford et al. 2016), and the codes reach the generator
through a linear map as wide as the noise, so that they matter from the start. As a few more entries of the noise they
changed only details, and the same code drew any digit.
"""

from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

import ganzoo
from ganzoo.layers import (
    both_sides,
    check_at_least_one,
    dcgan_downsampling,
    dcgan_upsampling,
    initialise_normal,
    linear_stem,
    pyramid,
    smallest_map,
)

RECOGNITION_WIDTH = 128
"""Units of the recognition network's hidden layer."""


class Generator(ganzoo.Generator):
    """Map noise and codes to images in [-1, 1] of shape (n, channels, height, width).

    The codes are "code", a whole number below `codes`, and `continuous` numbers in [-1, 1] named "c1", "c2" and so on.
    `latent_size` is the length of the noise "z", `width` the number of channels in the layer nearest the image; each
    layer further from it has twice as many, up to `max_width`.
    Raises `ValueError` for an image side that is no multiple of 4 or below 16, or an option out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        codes: int = 10,
        continuous: int = 2,
        latent_size: int = 62,
        width: int = 64,
        max_width: int = 512,
    ) -> None:
        super().__init__()
        check_at_least_one(latent_size=latent_size)
        self.continuous = continuous_keys(codes, continuous)
        self.latent_size, self.categorical = latent_size, {"code": codes}
        stages = pyramid(image, width, max_width)
        self.tell = nn.Linear(codes + continuous, latent_size, bias=False)
        stem = linear_stem(2 * latent_size, stages[-1].inner, smallest_map(stages))
        self.network = nn.Sequential(*stem, *dcgan_upsampling(stages))
        self.apply(initialise_normal)
        nn.init.normal_(self.tell.weight)

    def latent(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        """Draw {"z": (n, latent_size) normal, "code": (n,) whole numbers}, each continuous code (n,) in [-1, 1)."""
        uniform = {key: torch.rand(n, generator=rng) * 2 - 1 for key in self.continuous}
        return super().latent(n, rng) | uniform

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for noise and codes as `latent` draws them."""
        code = one_hot(given["code"], self.categorical["code"]).to(given["z"])
        codes = torch.cat([code, *(given[key][:, None] for key in self.continuous)], 1)
        images: Tensor = self.network(torch.cat([given["z"], self.tell(codes)], 1))
        return images


class Discriminator(nn.Module):
    """Map images of shape (n, channels, height, width) to raw scores of shape (n,) and guesses at the codes.

    The guesses are "code", logits of shape (n, codes), and "c1", "c2" and so on, means of shape (n,). Options as in
    `Generator`; `batch_norm=False` is for losses that need the gradient of each image by itself.
    Raises `ValueError` for an image side that is no multiple of 4 or below 16, or an option out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        codes: int = 10,
        continuous: int = 2,
        width: int = 64,
        max_width: int = 512,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        self.continuous = continuous_keys(codes, continuous)
        stages = pyramid(image, width, max_width)
        features = stages[-1].inner * prod(both_sides(smallest_map(stages)))
        self.body = nn.Sequential(*dcgan_downsampling(stages, batch_norm=batch_norm), nn.Flatten())
        self.judge = nn.Sequential(nn.Linear(features, 1, bias=False), nn.Flatten(0))
        self.guess = recognition(features, codes + continuous, batch_norm)
        self.apply(initialise_normal)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return raw scores and guesses; `given`, which holds the codes themselves, is not used."""
        features = self.body(images)
        guesses = self.guess(features)
        code, continuous = guesses.split([guesses.shape[1] - len(self.continuous), len(self.continuous)], 1)
        return self.judge(features), {"code": code, **dict(zip(self.continuous, continuous.unbind(1), strict=True))}


def recognition(features: int, guesses: int, batch_norm: bool) -> nn.Sequential:
    """Return the network from features (n, features) to guesses (n, guesses): one hidden layer."""
    norm = [nn.BatchNorm1d(RECOGNITION_WIDTH)] if batch_norm else []
    hidden = nn.Linear(features, RECOGNITION_WIDTH)
    return nn.Sequential(hidden, *norm, nn.LeakyReLU(0.2, True), nn.Linear(RECOGNITION_WIDTH, guesses))


def continuous_keys(codes: int, continuous: int) -> list[str]:
    """Return the keys of the continuous codes: "c1", "c2" and so on.

    Raises `ValueError` for fewer than two values of the categorical code or a negative number of continuous codes.
    """
    if codes < 2 or continuous < 0:
        raise ValueError(f"codes must be at least 2 and continuous at least 0, got {codes} and {continuous}")
    return [f"c{number}" for number in range(1, continuous + 1)]
