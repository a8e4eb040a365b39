"""Wasserstein GAN: generator and critic of Arjovsky, Chintala and Bottou 2017, section 4.

From the paper: a DCGAN generator, and as critic the DCGAN discriminator without its sigmoid; widths, kernels of 4 and
initial weights are those of the authors' code. Ours: sizes other than the powers of two, at most 512 channels, and
biases in a critic without batch norm, as the gradient penalty needs them (Gulrajani et al. 2017, section 4). The
generator's first layer and the critic's last are written as linear maps, since that is what they compute.
"""

from math import prod

from torch import Tensor, nn

import ganzoo
from ganzoo.layers import (
    Stage,
    both_sides,
    check_at_least_one,
    check_image,
    dcgan_downsampling,
    dcgan_upsampling,
    initialise_normal,
    linear_stem,
    pyramid,
    smallest_map,
)

MAX_WIDTH = 512


class Generator(ganzoo.Generator):
    """Map latents of length `latent_size` to images in [-1, 1] of shape (n, channels, height, width).

    `width` is the number of channels in the layer nearest the image; each layer further from it has twice as many, up
    to 512.
    Raises `ValueError` for an image side that is no multiple of 4 or below 16, or an option out of range.
    """

    def __init__(self, *, image: tuple[int, int, int], latent_size: int = 100, width: int = 64) -> None:
        super().__init__()
        check_at_least_one(latent_size=latent_size)
        self.latent_size = latent_size
        stages = capped_pyramid(image, width)
        # A module of its own: published weights call the linear layer "network.0.0".
        stem = nn.Sequential(*linear_stem(latent_size, stages[-1].inner, smallest_map(stages)))
        self.network = nn.Sequential(stem, *dcgan_upsampling(stages))
        self.apply(initialise_normal)

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for `given["z"]` of shape (n, latent_size)."""
        images: Tensor = self.network(given["z"])
        return images


class Critic(nn.Module):
    """Map images of shape (n, channels, height, width) to raw scores of shape (n,), which are not probabilities.

    `width` as in `Generator`. `batch_norm=False` is for the gradient penalty, which holds for each image by itself.
    Raises `ValueError` for an image side that is no multiple of 4 or below 16, or an option out of range.
    """

    def __init__(self, *, image: tuple[int, int, int], width: int = 64, batch_norm: bool = True) -> None:
        super().__init__()
        stages = capped_pyramid(image, width)
        layers = dcgan_downsampling(stages, batch_norm=batch_norm)
        score = nn.Linear(stages[-1].inner * prod(both_sides(smallest_map(stages))), 1, bias=False)
        self.network = nn.Sequential(*layers, nn.Flatten(), score, nn.Flatten(0))
        self.apply(initialise_normal)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return one raw score per image; `given` is not used."""
        scores: Tensor = self.network(images)
        return scores


def capped_pyramid(image: tuple[int, int, int], width: int) -> list[Stage]:
    """Return the stages for these images. Raises `ValueError` for another size or a width that is not in [1, 512]."""
    check_image(image)
    if not 1 <= width <= MAX_WIDTH:
        raise ValueError(f"width must lie between 1 and {MAX_WIDTH}, got {width}")
    return pyramid(image, width, MAX_WIDTH)
