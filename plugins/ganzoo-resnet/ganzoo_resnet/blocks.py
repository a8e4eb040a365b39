"""Residual blocks, attention and spectral norm, of which all three architectures are made.

Maps are (n, channels, height, width). Where a block can compute the same with less, it does: convolutions of one pixel
come before repeating pixels and after averaging them, and no convolution whose result is normalised has a bias.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu
from torch.nn.utils.parametrizations import spectral_norm

Weights = Callable[[Tensor], object]
"""Fills a weight with its first values, such as `nn.init.orthogonal_`."""


class BatchNorm(nn.Module):
    """Batch norm without a condition, called like the conditional ones."""

    def __init__(self, channels: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=epsilon)

    def forward(self, maps: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return normalised maps."""
        normalised: Tensor = self.norm(maps)
        return normalised


class ProjectedBatchNorm(nn.Module):
    """Batch norm whose scale and shift are linear in a vector of length `features` (Brock et al. 2019, appendix B).

    Scales are centred at 1 and shifts at 0.
    """

    def __init__(self, channels: int, features: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=epsilon, affine=False)
        self.scale = nn.Linear(features, channels, bias=False)
        self.shift = nn.Linear(features, channels, bias=False)

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        """Return normalised maps for vectors (n, features)."""
        scale, shift = 1 + self.scale(condition), self.shift(condition)
        normalised: Tensor = self.norm(maps) * scale[:, :, None, None] + shift[:, :, None, None]
        return normalised


class UpBlock(nn.Module):
    """A generator's block, which doubles the size (Miyato et al. 2018, figure 8; Brock et al. 2019, figure 15).

    norm, ReLU, double, convolve, norm, ReLU, convolve, beside a shortcut with a convolution of one pixel. `norm` makes
    a normalisation for a number of channels, which is called with maps and a condition.
    """

    def __init__(self, before: int, after: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.norm1, self.norm2 = norm(before), norm(after)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(before, after, 1, bias=False)

    def forward(self, maps: Tensor, condition: Tensor | None) -> Tensor:
        """Return maps of `after` channels, twice as high and wide."""
        inside = self.conv1(double(relu(self.norm1(maps, condition))))
        residual: Tensor = self.conv2(relu(self.norm2(inside, condition)))
        return residual + double(self.shortcut(maps))


class DownBlock(nn.Module):
    """A discriminator's block (Miyato et al. 2018, figure 8; Brock et al. 2019, figure 15).

    ReLU, convolve, ReLU, convolve and, if it `halves`, average, beside a shortcut. The `first` block, which sees the
    image, has no ReLU before it. `hidden` are the channels between the convolutions.
    """

    def __init__(self, before: int, hidden: int, after: int, *, halves: bool, first: bool = False) -> None:
        super().__init__()
        self.halves, self.first = halves, first
        self.conv1 = nn.Conv2d(before, hidden, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden, after, 3, padding=1)
        same = before == after and not halves
        self.shortcut = nn.Identity() if same else nn.Conv2d(before, after, 1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of `after` channels, half as high and wide if the block halves."""
        inside = self.conv1(maps if self.first else relu(maps))
        residual, shortcut = self._resize(self.conv2(relu(inside))), self.shortcut(self._resize(maps))
        halved: Tensor = residual + shortcut
        return halved

    def _resize(self, maps: Tensor) -> Tensor:
        return avg_pool2d(maps, 2) if self.halves else maps


class SelfAttention(nn.Module):
    """Let each pixel look at all others, y = gamma o + x with gamma 0 at the start (Zhang et al. 2019, section 3).

    The names are those of equations 1 to 3. An eighth of the channels, as in the paper, is what pixels are compared by.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 8)
        self.f, self.g, self.h = (nn.Conv2d(channels, inner, 1, bias=False) for _ in "fgh")
        self.v = nn.Conv2d(inner, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        f, g, h = (layer(maps).flatten(2) for layer in (self.f, self.g, self.h))
        beta = torch.softmax(g.transpose(1, 2) @ f, -1)  # beta[n, j, i]: how much pixel j looks at pixel i
        seen = torch.unflatten(h @ beta.transpose(1, 2).to(h.dtype), 2, tuple(maps.shape[2:]))
        attended: Tensor = maps + self.gamma * self.v(seen)
        return attended


def double(maps: Tensor) -> Tensor:
    """Return maps whose pixels are repeated, twice as high and wide."""
    return interpolate(maps, scale_factor=2.0, mode="nearest")


def initialise(network: nn.Module, weights: Weights) -> None:
    """Fill the weights of all convolutions and linear layers, and set their biases to 0."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            weights(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def normalise_spectrally(network: nn.Module, *, embeddings: bool = False, epsilon: float = 1e-12) -> None:
    """Divide the weights of all convolutions and linear layers by their largest singular value.

    Miyato et al. 2018, section 2.1, by torch's parametrization: each forward in `train()` does one power iteration, in
    `eval()` none. With `embeddings` those are normalised, too. Call it last, when the weights have their first values.
    """
    kinds = (nn.Conv2d, nn.Linear, nn.Embedding) if embeddings else (nn.Conv2d, nn.Linear)
    for layer in [layer for layer in network.modules() if isinstance(layer, kinds)]:
        spectral_norm(layer, eps=epsilon)
