"""Multilayer-perceptron GAN (Goodfellow et al. 2014, section 5), for images of any size and number of channels.

The paper's: fully connected networks on both sides, rectifiers, dropout in the discriminator. Ours: the widths,
leaky rectifiers in place of maxout, tanh pixels in [-1, 1], and batch norm after the activation, where the
much-copied Keras-GAN example has it.
"""

from functools import partial
from itertools import pairwise
from math import prod
from typing import Literal

from torch import Tensor, nn

import ganzoo

Activation = Literal["relu", "leaky-relu", "elu", "gelu", "silu", "tanh"]
ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky-relu": partial(nn.LeakyReLU, 0.2),
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class Generator(ganzoo.Generator):
    """Latents of length `latent_size` to images in [-1, 1] of shape (n, channels, height, width).

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
        if latent_size < 1:
            raise ValueError(f"latent_size must be at least 1, got {latent_size}")
        self.latent_size = latent_size
        hidden = perceptron([latent_size, *widths], activation, batch_norm, dropout)
        pixels = nn.Linear([latent_size, *widths][-1], prod(image))
        self.network = nn.Sequential(*hidden, pixels, nn.Tanh(), nn.Unflatten(1, tuple(image)))

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Images for `given["z"]` of shape (n, latent_size)."""
        return self.network(given["z"])


class Discriminator(nn.Module):
    """Images of shape (n, channels, height, width) to raw scores of shape (n,).

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
        """One raw score per image; `given` is not looked at."""
        return self.network(images)


def perceptron(sizes: list[int], activation: Activation, batch_norm: bool, dropout: float) -> list[nn.Module]:
    """Hidden layers of these sizes, the input's first: linear, activation, batch norm, dropout."""
    if min(sizes) < 1:
        raise ValueError(f"widths must all be at least 1, got {sizes[1:]}")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be at least 0 and below 1, got {dropout}")
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), ACTIVATIONS[activation]()]
        layers += [nn.BatchNorm1d(after)] * batch_norm + [nn.Dropout(dropout)] * (dropout > 0)
    return layers
