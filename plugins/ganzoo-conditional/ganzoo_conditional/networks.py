"""A DCGAN that draws what a label says, and a discriminator that judges an image by its label.

The generator takes the label as Mirza and Osindero 2014 give it, beside the noise, through a learned embedding; the
discriminator is the projection of Miyato and Koyama 2018, equation 3. The layers are DCGAN's (Radford et al. 2016):
kernels of 4, batch norm, ReLU and a final tanh in the generator, LeakyReLU of slope 0.2 in the discriminator.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

import ganzoo

BASE = 4
"""Side of the innermost feature map, which 28 pixels reach by way of 14 and 7: there the kernel is 3 instead of 4."""


class Generator(ganzoo.Generator):
    """Latents of length `latent_size` and labels to images in [-1, 1] of shape (n, channels, side, side).

    `embedding` is the length of the vector that is learned for each class, `width` the number of channels in the
    layer nearest the image; it doubles with each layer inwards, up to `max_width`.
    Raises `ValueError` for an image size that is neither 28 nor a power of two from 16 up, or an option out of range.
    """

    needs = ("label",)

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int,
        latent_size: int = 100,
        embedding: int = 50,
        width: int = 64,
        max_width: int = 512,
    ) -> None:
        super().__init__()
        if latent_size < 1 or embedding < 1:
            raise ValueError(f"latent_size and embedding must be at least 1, got {latent_size} and {embedding}")
        self.latent_size, self.categorical = latent_size, {"label": classes}
        widths, sides = inwards(image, width, max_width)
        self.embed = nn.Embedding(classes, embedding)
        deepest = (widths[-1], BASE, BASE)
        layers = [nn.Linear(latent_size + embedding, widths[-1] * BASE**2, bias=False), nn.Unflatten(1, deepest)]
        layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU(True)]
        for (before, after), side in zip(pairwise(widths[::-1]), sides[:0:-1], strict=True):
            layers.append(nn.ConvTranspose2d(before, after, 4 - side % 2, 2, 1, bias=False))
            layers += [nn.BatchNorm2d(after), nn.ReLU(True)]
        self.network = nn.Sequential(*layers, nn.ConvTranspose2d(width, image[0], 4, 2, 1, bias=False), nn.Tanh())
        self.apply(initialise)

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Images for `given["z"]` of shape (n, latent_size) and `given["label"]`, (n,) whole numbers below classes."""
        return self.network(torch.cat([given["z"], self.embed(given["label"])], 1))


class Discriminator(nn.Module):
    """Images of shape (n, channels, side, side) and labels to raw scores of shape (n,).

    Miyato and Koyama 2018, equation 3: score = psi(phi(x)) + <embed(y), phi(x)>, where phi is convolutions whose last
    feature map is summed over its pixels and psi is linear. `width` and `max_width` as in `Generator`;
    `batch_norm=False` is for losses that look at each image's own gradient.
    Raises `ValueError` for an image size that is neither 28 nor a power of two from 16 up, or an option out of range.
    """

    needs = ("label",)

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int,
        width: int = 64,
        max_width: int = 512,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        widths, sides = inwards(image, width, max_width)
        layers = [nn.Conv2d(image[0], width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
        for (before, after), side in zip(pairwise(widths), sides[1:], strict=True):
            layers.append(nn.Conv2d(before, after, 4 - side % 2, 2, 1, bias=not batch_norm))
            layers += [nn.BatchNorm2d(after)] * batch_norm + [nn.LeakyReLU(0.2, True)]
        self.phi = nn.Sequential(*layers)
        self.psi = nn.Linear(widths[-1], 1)
        self.embed = nn.Embedding(classes, widths[-1])
        self.apply(initialise)
        nn.init.normal_(self.embed.weight, 0.0, 0.02)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """One raw score per image, for `given["label"]` of shape (n,)."""
        features = self.phi(images).sum((2, 3))
        return self.psi(features).squeeze(1) + (self.embed(given["label"]) * features).sum(1)


def inwards(image: tuple[int, int, int], width: int, max_width: int) -> tuple[list[int], list[int]]:
    """From the image inwards: the channels after each halving, and the side before it."""
    _, height, side = image
    if height != side or not (side == 28 or (side >= 16 and side.bit_count() == 1)):
        raise ValueError(f"images must be square, 28 pixels wide or a power of two from 16 up, got {height} x {side}")
    if not 1 <= width <= max_width:
        raise ValueError(f"width must be at least 1 and at most max_width ({max_width}), got {width}")
    sides = [side]
    while sides[-1] > 2 * BASE:
        sides.append(sides[-1] // 2)
    return [min(width * 2**k, max_width) for k in range(len(sides))], sides


def initialise(module: nn.Module) -> None:
    """As in DCGAN: weights normal(0, 0.02), batch norm's scale normal(1, 0.02); biases start at zero."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    if getattr(module, "bias", None) is not None:
        nn.init.zeros_(module.bias)
