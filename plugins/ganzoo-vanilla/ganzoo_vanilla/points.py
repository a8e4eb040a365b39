"""Multilayer perceptrons for points, such as those of a mixture of Gaussians: the hidden layers of `networks`."""

from math import prod

from torch import Tensor, nn

import ganzoo
from ganzoo.layers import check_at_least_one
from ganzoo_vanilla.networks import Activation, perceptron


class Generator(ganzoo.Generator):
    """Map latents of length `latent_size` to points of shape (n, dimensions), in the units of the data.

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
        check_at_least_one(latent_size=latent_size)
        self.latent_size = latent_size
        hidden = perceptron([latent_size, *widths], activation, batch_norm, dropout=0.0)
        self.network = nn.Sequential(*hidden, nn.Linear([latent_size, *widths][-1], prod(point)))

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return points for `given["z"]` of shape (n, latent_size)."""
        points: Tensor = self.network(given["z"])
        return points


class Discriminator(nn.Module):
    """Map points of shape (n, dimensions) to raw scores of shape (n,).

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
        """Return one raw score per point; `given` is not used."""
        scores: Tensor = self.network(images)
        return scores
