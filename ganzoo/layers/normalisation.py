"""Normalisation that torch does not have. Maps are (n, channels, height, width), vectors (n, features)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ganzoo.layers.conditions import LABEL, ConditionEmbedding, Conditions


class PixelNorm(nn.Module):
    """Scale each pixel's feature vector, or each vector, to a mean square of 1.

    Karras et al. 2018 (Progressive growing of GANs), section 4.2: x / sqrt(mean over channels of x^2 + epsilon), with
    epsilon 1e-8. Input and output have the same shape (n, channels, ...); there are no parameters.
    """

    def __init__(self, epsilon: float = 1e-8) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, features: Tensor) -> Tensor:
        """Return the scaled features."""
        return features * torch.rsqrt(features.square().mean(1, keepdim=True) + self.epsilon)


class ConditionalBatchNorm2d(nn.Module):
    """Batch norm whose scale and shift belong to the class of each sample.

    Miyato and Koyama 2018 (cGANs with projection discriminator), appendix A; after Dumoulin et al. 2017 and de Vries et
    al. 2017. Scales start at 1 and shifts at 0, for every class. With `Conditions` in place of a number of classes, of
    several keys each has a part in both. Raises `ValueError` for fewer than one class.
    """

    def __init__(self, channels: int, classes: int | Conditions) -> None:
        super().__init__()
        known = Conditions({LABEL: classes}, {}) if isinstance(classes, int) else classes
        if known.count < 1:
            raise ValueError(f"classes must be at least 1, got {known.count}")
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale, self.shift = ConditionEmbedding(known, channels), ConditionEmbedding(known, channels)
        nn.init.constant_(self.scale.weight, 1 / max(1, len(known.categorical)))
        nn.init.zeros_(self.scale.weight[sum(known.categorical.values()) :])
        nn.init.zeros_(self.shift.weight)

    def forward(self, features: Tensor, label: Tensor | Mapping[str, Tensor]) -> Tensor:
        """Return normalised features (n, channels, height, width) for labels (n,), by key where there are several."""
        scale, shift = (by_class(label)[:, :, None, None] for by_class in (self.scale, self.shift))
        conditioned: Tensor = self.norm(features) * scale + shift
        return conditioned
