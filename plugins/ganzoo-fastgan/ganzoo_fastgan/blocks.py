"""Parts of FastGAN's networks: layers with gated units, and the skip-layer excitation."""

import torch
from torch import Tensor, nn

from ganzoo_fastgan.sizes import Size


class SkipExcitation(nn.Module):
    """Weigh the channels of a large map by what a small one shows (Liu et al. 2021, section 3.1, equation 1).

    y = F(x_low) * x_high: the small map is averaged to the size of the smallest, which a convolution turns into one
    number for each channel of the large map; LeakyReLU of slope 0.1, a 1 x 1 convolution, a sigmoid.
    """

    def __init__(self, small: int, large: int, side: Size, base: Size) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AvgPool2d(side[0] // base[0]),
            nn.Conv2d(small, large, base),
            nn.LeakyReLU(0.1),
            nn.Conv2d(large, large, 1),
            nn.Sigmoid(),
        )

    def forward(self, small: Tensor, large: Tensor) -> Tensor:
        """Return the large map (n, `large`, ...), weighed by the small one (n, `small`, *side)."""
        excited: Tensor = self.gate(small) * large
        return excited


class Noise(nn.Module):
    """Add noise times a learned strength, which begins at 0, to each channel (Karras et al. 2019, section 3.2)."""

    def __init__(self) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor, noise: Tensor) -> Tensor:
        """Return features (n, channels, height, width) with noise (n, 1, height, width)."""
        return features + self.strength * noise


def normalise_and_gate(channels: int, batch_norm: bool) -> list[nn.Module]:
    """Return batch norm of 2 * `channels` and a gated linear unit, which leaves `channels` (Dauphin et al. 2017).

    The unit is a * sigmoid(b), of the first half a of the channels and the second half b.
    """
    return [*([nn.BatchNorm2d(2 * channels)] * batch_norm), nn.GLU(1)]
