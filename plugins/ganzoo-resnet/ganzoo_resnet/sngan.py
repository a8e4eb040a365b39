"""SNGAN: residual networks whose discriminator is normalised spectrally (Miyato et al. 2018, appendix B.4).

With labels they are those of Miyato and Koyama 2018: conditional batch norm, and a projection in the discriminator. Not
from the papers: sizes other than 32, 48 and 128 pixels. Weights start as Glorot and Bengio 2010 propose.
"""

from torch import nn

from ganzoo.layers import LabelFacts
from ganzoo_resnet.blocks import initialise, normalise_spectrally
from ganzoo_resnet.heads import HeadName
from ganzoo_resnet.networks import LabelGenerator, ResidualDiscriminator


class Generator(LabelGenerator):
    """Map latents of length `latent_size` to images in [-1, 1] of shape (n, channels, height, width).

    The map next to the image has `width` channels, each further one twice as many, up to `max_width`: 256 and 256 are
    the paper's table for 32 pixels, the defaults its tables for 48 and 128. With labels batch norm is conditional;
    `head` is the discriminator's, and "none" does without labels.
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
    ) -> None:
        super().__init__(image, classes, conditions, head, latent_size, width=width, max_width=max_width)


class Discriminator(ResidualDiscriminator):
    """Map images of shape (n, channels, height, width) to raw scores of shape (n,), by the `head` to extras, too.

    Channels as in `Generator`: 128 and 128 are the paper's table for 32 pixels. See `Head` for the heads.
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
    ) -> None:
        super().__init__(image, head, classes, conditions, width=width, max_width=max_width)
        initialise(self, nn.init.xavier_uniform_)
        normalise_spectrally(self, embeddings=True)
