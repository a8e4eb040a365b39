"""Multilayer perceptrons for points, such as those of a mixture of Gaussians: the same layers without the pixels."""

from math import prod

from torch import Tensor, nn

import ganzoo
from ganzoo_vanilla.networks import Activation, perceptron


class Generator(ganzoo.Generator):
    """Latents of length `latent_size` to points of shape (n, dimensions), anywhere.

    `widths` are those of the hidden layers, from latent to point; an empty list makes a linear map. Raises `ValueError`
    for a value out of range.
    """

    makes = "point"

    def __init__(
        self,
        *,
        point: tuple[int],
        latent_size: int = 2,
        widths: tuple[int, ...] = (128, 128, 128),
        activation: Activation = "relu",
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        if latent_size < 1:
            raise ValueError(f"latent_size must be at least 1, got {latent_size}")
        self.latent_size = latent_size
        hidden = perceptron([latent_size, *widths], activation, batch_norm, dropout=0.0)
        self.network = nn.Sequential(*hidden, nn.Linear([latent_size, *widths][-1], prod(point)))

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Points for `given["z"]` of shape (n, latent_size)."""
        return self.network(given["z"])


class Discriminator(nn.Module):
    """Points of shape (n, dimensions) to raw scores of shape (n,).

    `widths` are those of the hidden layers, from point to score; an empty list makes a linear score. Raises
    `ValueError` for a value out of range.
    """

    def __init__(
        self,
        *,
        point: tuple[int],
        widths: tuple[int, ...] = (128, 128, 128),
        activation: Activation = "relu",
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        hidden = perceptron([prod(point), *widths], activation, batch_norm, dropout=0.0)
        self.network = nn.Sequential(*hidden, nn.Linear([prod(point), *widths][-1], 1), nn.Flatten(0))

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """One raw score per point; `given` is not looked at."""
        return self.network(images)
