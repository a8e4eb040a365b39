"""Changes of size without aliasing: the binomial filter 1 3 3 1 in both directions.

That is the filter of the code of Karras et al. 2020; Karras et al. 2019 have the shorter 1 2 1.
"""

from itertools import product

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d

TAPS = (1, 3, 3, 1)
"""The filter in one direction, before it is divided by its sum."""


class Blur(nn.Module):
    """Filter each channel with 1 3 3 1 in both directions, with zeros around the map.

    The taps add up to `gain`: 1 keeps the brightness, 4 that of a map whose pixels are every second one of each row
    and column, with zeros between them. Of (height, width) come (height + 2 padding - 3, width + 2 padding - 3).
    """

    kernel: Tensor

    def __init__(self, padding: int, gain: float = 1.0) -> None:
        super().__init__()
        self.padding = padding
        self.register_buffer("kernel", filter_of(gain), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return the filtered features (n, channels, ...)."""
        channels = features.shape[1]
        kernel = self.kernel.to(features.dtype).expand(channels, 1, -1, -1)
        return conv2d(features, kernel, padding=self.padding, groups=channels)


class Doubling(nn.Module):
    """Double the size of images: zeros between the pixels, then the filter 1 3 3 1."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", filter_of(4.0), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return images (n, channels, 2 height, 2 width)."""
        channels = images.shape[1]
        kernel = self.kernel.to(images.dtype).expand(channels, 1, -1, -1)
        with torch.autocast(images.device.type, enabled=False):  # the sum over all sizes is kept in full precision
            return conv_transpose2d(images, kernel, stride=2, padding=1, groups=channels)


def filter_of(gain: float) -> Tensor:
    """Return the filter in both directions, (4, 4), with the sum `gain`."""
    factor = gain / sum(TAPS) ** 2
    values = [factor * row * column for row, column in product(TAPS, TAPS)]
    return torch.unflatten(torch.tensor(values), 0, (len(TAPS), len(TAPS)))
