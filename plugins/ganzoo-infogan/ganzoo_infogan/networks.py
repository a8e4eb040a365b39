"""InfoGAN: a DCGAN whose generator is also told codes, and whose discriminator also guesses them.

The paper's (Chen et al. 2016, sections 4 to 6 and appendix C.1): the codes, and a recognition network that shares the
discriminator's convolutions. Ours: the layers are DCGAN's (Radford et al. 2016), and the codes reach the generator
through a linear map as wide as the noise, so that they count from the start; as a few more entries of the noise they
sank into details, and the same code drew any digit.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

import ganzoo

BASE = 4
"""Side of the innermost feature map, which 28 pixels reach by way of 14 and 7: there the kernel is 3 instead of 4."""
GUESS = 128
"""Units of the recognition network's hidden layer."""


class Generator(ganzoo.Generator):
    """Noise and codes to images in [-1, 1] of shape (n, channels, side, side).

    The codes are "code", a whole number below `codes`, and `continuous` numbers in [-1, 1] named "c1", "c2" and so on.
    `latent_size` is the length of the noise "z", `width` the number of channels in the layer nearest the image; it
    doubles with each layer inwards, up to `max_width`.
    Raises `ValueError` for an image size that is neither 28 nor a power of two from 16 up, or an option out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        codes: int = 10,
        continuous: int = 2,
        latent_size: int = 62,
        width: int = 64,
        max_width: int = 512,
    ) -> None:
        super().__init__()
        if latent_size < 1:
            raise ValueError(f"latent_size must be at least 1, got {latent_size}")
        self.continuous = names(codes, continuous)
        self.latent_size, self.categorical = latent_size, {"code": codes}
        widths, sides = inwards(image, width, max_width)
        self.tell = nn.Linear(codes + continuous, latent_size, bias=False)
        deepest = (widths[-1], BASE, BASE)
        layers = [nn.Linear(2 * latent_size, widths[-1] * BASE**2, bias=False), nn.Unflatten(1, deepest)]
        layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU(True)]
        for (before, after), side in zip(pairwise(widths[::-1]), sides[:0:-1], strict=True):
            layers.append(nn.ConvTranspose2d(before, after, 4 - side % 2, 2, 1, bias=False))
            layers += [nn.BatchNorm2d(after), nn.ReLU(True)]
        self.network = nn.Sequential(*layers, nn.ConvTranspose2d(width, image[0], 4, 2, 1, bias=False), nn.Tanh())
        self.apply(initialise)
        nn.init.normal_(self.tell.weight)

    def latent(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        """{"z": (n, latent_size) normal, "code": (n,) whole numbers} and each continuous code, (n,) in [-1, 1)."""
        uniform = {key: torch.rand(n, generator=rng) * 2 - 1 for key in self.continuous}
        return super().latent(n, rng) | uniform

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Images for noise and codes as `latent` draws them."""
        code = one_hot(given["code"], self.categorical["code"]).to(given["z"])
        told = self.tell(torch.cat([code, *(given[key][:, None] for key in self.continuous)], 1))
        return self.network(torch.cat([given["z"], told], 1))


class Discriminator(nn.Module):
    """Images of shape (n, channels, side, side) to raw scores of shape (n,) and guesses at the codes behind them.

    The guesses are "code", logits of shape (n, codes), and "c1", "c2" and so on, means of shape (n,). Options as in
    `Generator`; `batch_norm=False` is for losses that look at each image's own gradient.
    Raises `ValueError` for an image size that is neither 28 nor a power of two from 16 up, or an option out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        codes: int = 10,
        continuous: int = 2,
        width: int = 64,
        max_width: int = 512,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        self.continuous = names(codes, continuous)
        widths, sides = inwards(image, width, max_width)
        layers = [nn.Conv2d(image[0], width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
        for (before, after), side in zip(pairwise(widths), sides[1:], strict=True):
            layers.append(nn.Conv2d(before, after, 4 - side % 2, 2, 1, bias=not batch_norm))
            layers += [nn.BatchNorm2d(after)] * batch_norm + [nn.LeakyReLU(0.2, True)]
        features = widths[-1] * BASE**2
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.judge = nn.Sequential(nn.Linear(features, 1, bias=False), nn.Flatten(0))
        hidden = [nn.Linear(features, GUESS)] + [nn.BatchNorm1d(GUESS)] * batch_norm + [nn.LeakyReLU(0.2, True)]
        self.guess = nn.Sequential(*hidden, nn.Linear(GUESS, codes + continuous))
        self.apply(initialise)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Raw scores and guesses; `given`, which holds the codes themselves, is not looked at."""
        features = self.body(images)
        guesses = self.guess(features)
        code, continuous = guesses.split([guesses.shape[1] - len(self.continuous), len(self.continuous)], 1)
        return self.judge(features), {"code": code, **dict(zip(self.continuous, continuous.unbind(1), strict=True))}


def names(codes: int, continuous: int) -> list[str]:
    """The keys of the continuous codes. Raises `ValueError` where there cannot be so many codes of either kind."""
    if codes < 2 or continuous < 0:
        raise ValueError(f"codes must be at least 2 and continuous at least 0, got {codes} and {continuous}")
    return [f"c{number}" for number in range(1, continuous + 1)]


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
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    if getattr(module, "bias", None) is not None:
        nn.init.zeros_(module.bias)
