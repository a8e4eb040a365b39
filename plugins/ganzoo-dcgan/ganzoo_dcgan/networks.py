"""DCGAN: the convolutional generator and discriminator of Radford, Metz and Chintala 2016, sections 3 and 4.

The paper's: strided convolutions for every change of size, no hidden fully connected layer, batch norm everywhere
but next to the image, ReLU and a final tanh in the generator, LeakyReLU of slope 0.2 in the discriminator, weights
drawn with standard deviation 0.02. Ours: other sizes than 64, dropout, nearest-neighbour upsampling, and by default
half the width and kernels of 4, as in the PyTorch example; `width=128, kernel=5` is the paper's figure 1.
"""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

import ganzoo

BASE = 4
"""Side of the smallest feature map, from which 28 pixels are reached by way of 7 and 14."""


class Generator(ganzoo.Generator):
    """Latents of length `latent_size` to images in [-1, 1] of shape (n, channels, side, side).

    `width` is the number of channels in the layer nearest the image; each layer further from it has twice as many,
    up to `max_width`. `upsample` "nearest" doubles the size by repeating pixels and then convolves (Odena et al.
    2016), which leaves no chequerboard: 3 x 3 where `kernel` is 4 and 5 x 5 where it is 5.
    Raises `ValueError` for an image size that is neither 28 nor a power of two from 16 up, or an option out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        latent_size: int = 100,
        width: int = 64,
        max_width: int = 1024,
        kernel: Literal[4, 5] = 4,
        upsample: Literal["transposed", "nearest"] = "transposed",
    ) -> None:
        super().__init__()
        if latent_size < 1:
            raise ValueError(f"latent_size must be at least 1, got {latent_size}")
        self.latent_size = latent_size
        sides, widths = pyramid(image, width, max_width)
        double = {"transposed": transposed, "nearest": nearest}[upsample]
        stem = nn.ConvTranspose2d(latent_size, widths[0], BASE, bias=False)
        layers = [stem, nn.BatchNorm2d(widths[0]), nn.ReLU(True)]
        for (before, after), side in zip(pairwise(widths), sides, strict=False):
            layers += [double(before, after, kernel, side), nn.BatchNorm2d(after), nn.ReLU(True)]
        self.network = nn.Sequential(*layers, double(widths[-1], image[0], kernel, sides[-1]), nn.Tanh())
        self.apply(initialise)

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Images for `given["z"]` of shape (n, latent_size)."""
        return self.network(given["z"][:, :, None, None])


class Discriminator(nn.Module):
    """Images of shape (n, channels, side, side) to raw scores of shape (n,): the generator's mirror.

    `width`, `max_width` and `kernel` as in `Generator`. `dropout` is the probability of dropping a value after each
    activation, in [0, 1). `batch_norm=False` is for losses that look at each image's own gradient.
    Raises `ValueError` for an image size that is neither 28 nor a power of two from 16 up, or an option out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        width: int = 64,
        max_width: int = 1024,
        kernel: Literal[4, 5] = 4,
        batch_norm: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, got {dropout}")
        sides, widths = pyramid(image, width, max_width)
        layers = [halve(image[0], width, kernel, sides[-1]), *active(dropout)]
        for (before, after), side in zip(pairwise(widths[::-1]), sides[-2::-1], strict=True):
            layers += [halve(before, after, kernel, side, bias=not batch_norm)]
            layers += [nn.BatchNorm2d(after)] * batch_norm + active(dropout)
        self.network = nn.Sequential(*layers, nn.Conv2d(widths[0], 1, BASE, bias=False), nn.Flatten(0))
        self.apply(initialise)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """One raw score per image; `given` is not looked at."""
        return self.network(images)


def pyramid(image: tuple[int, int, int], width: int, max_width: int) -> tuple[list[int], list[int]]:
    """From the 4 x 4 base outwards: the side after each doubling (4 to 7 where it must be), the channels before it."""
    _, height, side = image
    if height != side or not (side == 28 or (side >= 16 and side.bit_count() == 1)):
        raise ValueError(f"images must be square, 28 pixels wide or a power of two from 16 up, got {height} x {side}")
    if not 1 <= width <= max_width:
        raise ValueError(f"width must be at least 1 and at most max_width ({max_width}), got {width}")
    sides = [side]
    while sides[0] > 2 * BASE:
        sides.insert(0, sides[0] // 2)
    return sides, [min(width * 2**k, max_width) for k in reversed(range(len(sides)))]


def transposed(before: int, after: int, kernel: int, side: int) -> nn.Module:
    """To `side`, twice the size, by a transposed convolution."""
    pad, kernel = (kernel - 1) // 2, odd(kernel) if side % 2 else kernel
    return nn.ConvTranspose2d(before, after, kernel, 2, pad, output_padding=(kernel - side) % 2, bias=False)


def nearest(before: int, after: int, kernel: int, side: int) -> nn.Module:
    """To `side`, twice the size, by repeating pixels and then an odd convolution."""
    smooth = nn.Conv2d(before, after, odd(kernel), padding=(kernel - 1) // 2, bias=False)
    return nn.Sequential(nn.Upsample(size=side), smooth)


def halve(before: int, after: int, kernel: int, side: int, bias: bool = False) -> nn.Module:
    """From `side` to half the size by a strided convolution."""
    return nn.Conv2d(before, after, odd(kernel) if side % 2 else kernel, 2, (kernel - 1) // 2, bias=bias)


def odd(kernel: int) -> int:
    """The odd kernel for the same padding: 3 for 4, and 5 for 5."""
    return (kernel - 1) // 2 * 2 + 1


def active(dropout: float) -> list[nn.Module]:
    """The discriminator's activation, and dropout where there is any."""
    return [nn.LeakyReLU(0.2, True)] + [nn.Dropout(dropout)] * (dropout > 0)


def initialise(module: nn.Module) -> None:
    """Section 4: weights normal(0, 0.02). Batch norm's scale normal(1, 0.02) is from the authors' code."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    if getattr(module, "bias", None) is not None:
        nn.init.zeros_(module.bias)
