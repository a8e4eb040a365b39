"""The mapping from noise, and perhaps a label, to styles w (Karras et al. 2019, section 2)."""

from collections.abc import Mapping
from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganzoo.layers import ConditionEmbedding, Conditions, EqualisedLinear, PixelNorm, check_at_least_one, check_positive

SLOPE, GAIN = 0.2, sqrt(2)
"""The slope of LeakyReLU below 0, and the factor that keeps the variance through it."""


class StyleMapping(nn.Module):
    """Map noise (n, latent_size) and labels (n,) to vectors (n, size), through `layers` linear layers with LeakyReLU.

    Noise and the learned vector of a label are each normalised to a mean square of 1, then put side by side. The layers
    learn `rate` times as fast as the rest (Karras et al. 2019, appendix C). With a `latent_size` of 0 there is the
    label alone, as in a discriminator; without `conditions` there is no label. Raises `ValueError` for options below 1.
    """

    def __init__(
        self, latent_size: int, size: int, layers: int, rate: float, conditions: Conditions | None = None
    ) -> None:
        super().__init__()
        check_mapping(layers, rate)
        self.norm = PixelNorm()
        self.embed = ConditionEmbedding(conditions, size) if conditions else None
        inputs = latent_size + (size if conditions else 0)
        sizes = [inputs, *[size] * layers]
        self.layers = nn.ModuleList(
            EqualisedLinear(before, after, rate=rate, gain=GAIN) for before, after in pairwise(sizes)
        )

    def forward(self, z: Tensor | None, given: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors (n, size) for noise, and for the labels that `given` has."""
        inputs = [] if z is None else [z]
        if self.embed is not None:
            inputs.append(self.embed(given))
        features = torch.cat([self.norm(each) for each in inputs], 1)
        for layer in self.layers:
            features = leaky_relu(layer(features), SLOPE)
        return features


def check_mapping(layers: int, rate: float) -> None:
    """Raise `ValueError` for options of a mapping that are out of range."""
    check_at_least_one(mapping_layers=layers)
    check_positive(mapping_rate=rate)
