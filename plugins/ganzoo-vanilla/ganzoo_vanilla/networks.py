"""Multilayer-perceptron GAN (Goodfellow et al. 2014, section 5), for images of any size and number of channels.

From the paper: fully connected networks on both sides, rectifiers, dropout in the discriminator. Ours: the widths,
leaky rectifiers in place of maxout, tanh pixels in [-1, 1], and batch norm after the activation, as in the much-copied
Keras-GAN example.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from math import prod
from typing import Literal

from torch import Tensor, nn

import ganzoo
from ganzoo.layers import check_at_least_one, check_dropout

Activation = Literal["relu", "leaky-relu", "elu", "gelu", "silu", "tanh"]
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": partial(nn.LeakyReLU, 0.2),
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class Generator(ganzoo.Generator):
    """Map latents of length `latent_size` to images in [-1, 1] of shape (n, channels, height, width).

    `widths` are those of the hidden layers, from latent to image; an empty list makes a linear map before the tanh.
    `dropout` is the probability of dropping a unit, in [0, 1). Raises `ValueError` for a value out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        latent_size: int = 100,
        widths: tuple[int, ...] = (256, 512, 1024),
        activation: Activation = "leaky-relu",
        batch_norm: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_at_least_one(latent_size=latent_size)
        self.latent_size = latent_size
        hidden = perceptron([latent_size, *widths], activation, batch_norm, dropout)
        pixels = nn.Linear([latent_size, *widths][-1], prod(image))
        self.network = nn.Sequential(*hidden, pixels, nn.Tanh(), nn.Unflatten(1, tuple(image)))

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for `given["z"]` of shape (n, latent_size)."""
        images: Tensor = self.network(given["z"])
        return images


class Discriminator(nn.Module):
    """Map images of shape (n, channels, height, width) to raw scores of shape (n,).

    `widths` are those of the hidden layers, from image to score; an empty list makes a linear score.
    `dropout` is the probability of dropping a unit, in [0, 1). Raises `ValueError` for a value out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        widths: tuple[int, ...] = (512, 256),
        activation: Activation = "leaky-relu",
        batch_norm: bool = False,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        hidden = perceptron([prod(image), *widths], activation, batch_norm, dropout)
        score = nn.Linear([prod(image), *widths][-1], 1)
        self.network = nn.Sequential(nn.Flatten(), *hidden, score, nn.Flatten(0))

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return one raw score per image; `given` is not used."""
        scores: Tensor = self.network(images)
        return scores


def perceptron(sizes: list[int], activation: Activation, batch_norm: bool, dropout: float) -> list[nn.Module]:
    """Return hidden layers from sizes[0] inputs by way of each further size: linear, activation, batch norm, dropout.

    Raises `ValueError` for a size below 1 or a dropout outside [0, 1).
    """
    if min(sizes) < 1:
        raise ValueError(f"widths must all be at least 1, got {sizes[1:]}")
    check_dropout(dropout)
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), ACTIVATIONS[activation]()]
        layers += [nn.BatchNorm1d(after)] if batch_norm else []
        layers += [nn.Dropout(dropout)] if dropout else []
    return layers
