"""Normalisation that torch does not have. Maps are (n, channels, height, width), vectors (n, features)."""

import torch
from torch import Tensor, nn


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
    al. 2017. Scales start at 1 and shifts at 0, for every class. Raises `ValueError` for fewer than one class.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        if classes < 1:
            raise ValueError(f"classes must be at least 1, got {classes}")
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Embedding(classes, channels)
        self.shift = nn.Embedding(classes, channels)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, features: Tensor, label: Tensor) -> Tensor:
        """Return normalised features (n, channels, height, width) for labels (n,), whole numbers below `classes`."""
        scale, shift = (by_class(label)[:, :, None, None] for by_class in (self.scale, self.shift))
        conditioned: Tensor = self.norm(features) * scale + shift
        return conditioned
