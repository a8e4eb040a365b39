"""Wasserstein GAN: generator and critic of Arjovsky, Chintala and Bottou 2017, section 4.

The paper's: a DCGAN generator, and as critic the DCGAN discriminator without its sigmoid; widths, kernels of 4 and
initial weights are those of the authors' code. Ours: 28 pixels beside the powers of two, at most 512 channels, and
biases in a critic without batch norm, which is what the gradient penalty wants (Gulrajani et al. 2017, section 4).
The generator's first layer and the critic's last are written as the linear maps that they are.
"""

from itertools import pairwise

from torch import Tensor, nn

import ganzoo

WIDEST = 512
BASE = 4
"""Side of the innermost feature map, which 28 pixels reach by way of 14 and 7: there the kernel is 3 instead of 4."""


class Generator(ganzoo.Generator):
    """Latents of length `latent_size` to images in [-1, 1] of shape (n, channels, side, side).

    `width` is the number of channels in the layer nearest the image; it doubles with each layer inwards, up to 512.
    Raises `ValueError` for an image size that is neither 28 nor a power of two from 16 up, or an option out of range.
    """

    def __init__(self, *, image: tuple[int, int, int], latent_size: int = 100, width: int = 64) -> None:
        super().__init__()
        if latent_size < 1:
            raise ValueError(f"latent_size must be at least 1, got {latent_size}")
        self.latent_size = latent_size
        widths, sides = inwards(image, width)
        deepest = (widths[-1], BASE, BASE)
        stem = nn.Sequential(nn.Linear(latent_size, widths[-1] * BASE**2, bias=False), nn.Unflatten(1, deepest))
        layers = block(stem, widths[-1], nn.ReLU(True))
        for (before, after), side in zip(pairwise(widths[::-1]), sides[:0:-1], strict=True):
            layer = nn.ConvTranspose2d(before, after, 4 - side % 2, 2, 1, bias=False)
            layers += block(layer, after, nn.ReLU(True))
        self.network = nn.Sequential(*layers, nn.ConvTranspose2d(width, image[0], 4, 2, 1, bias=False), nn.Tanh())
        self.apply(initialise)

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Images for `given["z"]` of shape (n, latent_size)."""
        return self.network(given["z"])


class Critic(nn.Module):
    """Images of shape (n, channels, side, side) to raw scores of shape (n,), which are no probabilities.

    `width` as in `Generator`. `batch_norm=False` is for the gradient penalty, which holds for each image by itself.
    Raises `ValueError` for an image size that is neither 28 nor a power of two from 16 up, or an option out of range.
    """

    def __init__(self, *, image: tuple[int, int, int], width: int = 64, batch_norm: bool = True) -> None:
        super().__init__()
        widths, sides = inwards(image, width)
        layers = [nn.Conv2d(image[0], width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
        for (before, after), side in zip(pairwise(widths), sides[1:], strict=True):
            layer = nn.Conv2d(before, after, 4 - side % 2, 2, 1, bias=not batch_norm)
            layers += block(layer, after, nn.LeakyReLU(0.2, True), batch_norm)
        score = nn.Linear(widths[-1] * BASE**2, 1, bias=False)
        self.network = nn.Sequential(*layers, nn.Flatten(), score, nn.Flatten(0))
        self.apply(initialise)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """One raw score per image; `given` is not looked at."""
        return self.network(images)


def inwards(image: tuple[int, int, int], width: int) -> tuple[list[int], list[int]]:
    """From the image inwards: the channels after each halving, and the side before it."""
    _, height, side = image
    if height != side or not (side == 28 or (side >= 16 and side.bit_count() == 1)):
        raise ValueError(f"images must be square, 28 pixels wide or a power of two from 16 up, got {height} x {side}")
    if not 1 <= width <= WIDEST:
        raise ValueError(f"width must lie between 1 and {WIDEST}, got {width}")
    sides = [side]
    while sides[-1] > 2 * BASE:
        sides.append(sides[-1] // 2)
    return [min(width * 2**k, WIDEST) for k in range(len(sides))], sides


def block(layer: nn.Module, channels: int, activation: nn.Module, batch_norm: bool = True) -> list[nn.Module]:
    """A layer, batch norm over its `channels`, and an activation."""
    return [layer, nn.BatchNorm2d(channels), activation] if batch_norm else [layer, activation]


def initialise(module: nn.Module) -> None:
    """The authors' code: weights normal(0, 0.02), batch norm's scale normal(1, 0.02); biases start at zero."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    if getattr(module, "bias", None) is not None:
        nn.init.zeros_(module.bias)
