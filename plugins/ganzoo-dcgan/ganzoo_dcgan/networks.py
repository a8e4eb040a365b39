"""DCGAN: the convolutional generator and discriminator of Radford, Metz and Chintala 2016, sections 3 and 4.

From the paper: strided convolutions for every change of size, no hidden fully connected layer, batch norm everywhere
but next to the image, ReLU and a final tanh in the generator, LeakyReLU of slope 0.2 in the discriminator, weights
drawn with a standard deviation of 0.02. Ours: sizes other than 64, dropout, nearest-neighbour upsampling, palettes, and
by default half the width and kernels of 4, as in the PyTorch example; `width=128, kernel=5` is the paper's figure 1.
"""

from typing import Literal

from torch import Tensor, nn

import ganzoo
from ganzoo.layers import (
    both_sides,
    check_at_least_one,
    check_dropout,
    dcgan_downsampling,
    dcgan_upsampling,
    initialise_normal,
    make_palette,
    pyramid,
    smallest_map,
)


class Generator(ganzoo.Generator):
    """Map latents of length `latent_size` to images in [-1, 1] of shape (n, channels, height, width).

    `width` is the number of channels in the layer nearest the image; each layer further from it has twice as many,
    up to `max_width`. `upsample="nearest"` doubles the size by repeating pixels and then convolves (Odena et al.
    2016), which leaves no chequerboard: with 3 x 3 where `kernel` is 4, and with 5 x 5 where it is 5. With `colours`
    an image is a mixture of so many colours of its own, as a `Palette` makes it, in place of tanh; 0: none.
    Raises `ValueError` for an image side that is no multiple of 4 or below 16, or an option out of range.
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
        colours: int = 0,
    ) -> None:
        super().__init__()
        check_at_least_one(latent_size=latent_size)
        self.latent_size = latent_size
        palette = make_palette(colours, image[0], latent_size, sharpness=6.0)
        stages = pyramid((colours or image[0], *image[1:]), width, max_width)
        stem = nn.ConvTranspose2d(latent_size, stages[-1].inner, both_sides(smallest_map(stages)), bias=False)
        *layers, tanh = dcgan_upsampling(stages, kernel=kernel, upsample=upsample)
        self.network = nn.Sequential(stem, *layers, *([] if colours else [tanh]))
        self.apply(initialise_normal)
        self.palette = palette  # which keeps its own initial weights

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for `given["z"]` of shape (n, latent_size)."""
        images: Tensor = self.network(given["z"][:, :, None, None])
        return self.palette(images, given["z"]) if self.palette else images


class Discriminator(nn.Module):
    """Map images of shape (n, channels, height, width) to raw scores of shape (n,): the generator's mirror.

    `width`, `max_width` and `kernel` as in `Generator`. `dropout` is the probability of dropping a value after each
    activation, in [0, 1). `batch_norm=False` is for losses that need the gradient of each image by itself.
    Raises `ValueError` for an image side that is no multiple of 4 or below 16, or an option out of range.
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
        check_dropout(dropout)
        stages = pyramid(image, width, max_width)
        layers = dcgan_downsampling(stages, kernel=kernel, batch_norm=batch_norm, dropout=dropout)
        score = nn.Conv2d(stages[-1].inner, 1, both_sides(smallest_map(stages)), bias=False)
        self.network = nn.Sequential(*layers, score, nn.Flatten(0))
        self.apply(initialise_normal)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return one raw score per image; `given` is not used."""
        scores: Tensor = self.network(images)
        return scores
