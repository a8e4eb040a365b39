"""SAGAN: SNGAN with attention, and with spectral norm in both networks (Zhang et al. 2019, sections 3 and 4).

Two learning rates (section 4.2) are the recipe's. As in the paper, batch norm is conditional and the discriminator has
a projection where there are labels. The authors' code pools the maps that pixels are compared with; the paper, and
these networks, do not.
"""

from torch import nn

from ganzoo.layers import LabelFacts
from ganzoo_resnet.blocks import initialise, normalise_spectrally
from ganzoo_resnet.heads import HeadName
from ganzoo_resnet.networks import LabelGenerator, ResidualDiscriminator
from ganzoo_resnet.sizes import choose_attention

LARGEST = 32
"""The largest map that gets attention by default: table 1 of the paper has the best FID with it."""


class Generator(LabelGenerator):
    """Map latents of length `latent_size` to images in [-1, 1] of shape (n, channels, height, width).

    `attention` is the shorter side of the map in which pixels look at each other, 0 for none; by default half the
    image's, at most 32. The other options are those of `sngan`.
    Raises `ValueError` for a size that is not 4 to 7 pixels times a power of two, and for an option out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int | None = None,
        conditions: LabelFacts | None = None,
        head: HeadName = "auto",
        latent_size: int = 128,
        width: int = 64,
        max_width: int = 1024,
        attention: int | None = None,
    ) -> None:
        side = choose_attention(attention, image, LARGEST)
        super().__init__(
            image, classes, conditions, head, latent_size, width=width, max_width=max_width, attention=side
        )
        normalise_spectrally(self)


class Discriminator(ResidualDiscriminator):
    """Map images of shape (n, channels, height, width) to raw scores of shape (n,), by the `head` to extras, too.

    `attention` as in `Generator`; the other options are those of `sngan`.
    Raises `ValueError` for a size that is not 4 to 7 pixels times a power of two, and for an option out of range.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int | None = None,
        conditions: LabelFacts | None = None,
        head: HeadName = "auto",
        width: int = 64,
        max_width: int = 1024,
        attention: int | None = None,
    ) -> None:
        side = choose_attention(attention, image, LARGEST)
        super().__init__(image, head, classes, conditions, width=width, max_width=max_width, attention=side)
        initialise(self, nn.init.xavier_uniform_)
        normalise_spectrally(self, embeddings=True)
