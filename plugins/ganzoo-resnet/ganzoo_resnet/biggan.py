"""BigGAN: class-conditional residual networks with hierarchical latents (Brock et al. 2019, appendices B and C).

The latent is split into one part for the first layer and one for each block; each part, joined with one embedding of
the label that all share, gives the scales and shifts of the block's batch norm. Weights start orthogonal, all layers of
both networks are normalised spectrally, and one map of each has SAGAN's attention. Ours: the first layer sees the
embedding, too.
"""

import math
from collections.abc import Iterable
from functools import partial
from itertools import islice
from types import MappingProxyType

import torch
from torch import Tensor, nn

from ganzoo.layers import ConditionEmbedding, LabelFacts, check_at_least_one
from ganzoo_resnet.blocks import ProjectedBatchNorm, initialise, normalise_spectrally
from ganzoo_resnet.heads import HeadName, conditions_used
from ganzoo_resnet.networks import ResidualDiscriminator, ResidualGenerator
from ganzoo_resnet.sizes import check_sides, choose_attention, doublings

LARGEST = 64
"""The largest map that gets attention by default, as in the tables of appendix B."""
BATCHES = 128
"""Batches that a generator is given to finish a model with."""
EPSILON = 1e-4
"""That of batch norm and of spectral norm, which is safer in half precision (appendix C)."""


class Generator(ResidualGenerator):
    """Map latents of length `latent_size` to images in [-1, 1] of shape (n, channels, height, width).

    `latent_size` is divided by the number of blocks and one: at 32, 64 and 128 pixels that is 4, 5 and 6. `embedding`
    is the length of the vector that is learned for each class, `width` and `max_width` are the channels next to the
    image and the most: the paper's are 96 and 1536. `attention` is the shorter side of the map in which pixels look at
    each other, 0 for none; by default half the image's, at most 64. `head` as in `Discriminator`; without labels the
    latent alone gives scales and shifts. `standing` is the number of batches of 64 from which a saved model has the
    statistics of its batch norm, up to 128; 0 for those of the training.
    The latent key "truncation" makes samples more typical and less varied, see `truncate`; 0, the default, does not.
    Raises `ValueError` for a size that is not 4 to 7 pixels times a power of two, and for an option out of range.
    """

    ranges = MappingProxyType({"truncation": (0.0, math.inf)})

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int | None = None,
        conditions: LabelFacts | None = None,
        head: HeadName = "auto",
        latent_size: int = 120,
        embedding: int = 128,
        width: int = 64,
        max_width: int = 1024,
        attention: int | None = None,
        standing: int = 100,
    ) -> None:
        side, parts = choose_attention(attention, image, LARGEST), count_parts(image, latent_size)
        check_at_least_one(embedding=embedding)
        if not 0 <= standing <= BATCHES:
            raise ValueError(f"standing must lie in 0..{BATCHES}, the batches that there are, got {standing}")
        used = conditions_used(head, classes, conditions)
        features = latent_size // parts + (embedding if used else 0)
        norm = partial(ProjectedBatchNorm, features=features, epsilon=EPSILON)
        sizes = {"width": width, "max_width": max_width, "attention": side}
        super().__init__(image, features, norm, used, **sizes, epsilon=EPSILON)
        self.latent_size, self.parts, self.standing = latent_size, parts, standing
        self.embed = ConditionEmbedding(used, embedding) if used else None
        if self.embed is not None:
            nn.init.orthogonal_(self.embed.weight)
        initialise(self, nn.init.orthogonal_)
        normalise_spectrally(self, epsilon=EPSILON)

    def latent(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        """Draw "z" and labels, where there are some; "truncation" is 0, which is none."""
        return super().latent(n, rng) | {"truncation": torch.zeros(n)}

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for "z" (n, latent_size), "truncation" (n,) and, where there are labels, these (n,)."""
        parts = truncate(given["z"], given["truncation"]).chunk(self.parts, 1)
        shared = [] if self.embed is None else [self.embed(given)]
        first, *conditions = [torch.cat([part, *shared], 1) for part in parts]
        return self.synthesise(first, conditions)

    def finish(self, batches: Iterable[dict[str, Tensor]]) -> None:
        """Take the statistics of batch norm from samples of the averaged weights (standing statistics).

        Mean and variance of each layer become the averages over `standing` batches.
        """
        norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d | nn.SyncBatchNorm)]
        if not self.standing:
            return
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain average of all batches, each with equal weight
            norm.train()
        for given in islice(batches, self.standing):
            self(given)
        self.eval()


class Discriminator(ResidualDiscriminator):
    """Map images of shape (n, channels, height, width) to raw scores of shape (n,), by the `head` to extras, too.

    `width`, `max_width` and `attention` as in `Generator`; see `Head` for the heads, of which "projection" is BigGAN's
    and "reac" ReACGAN's (Kang et al. 2021). Each block has as many channels inside as at its end (appendix B).
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
        sizes = {"width": width, "max_width": max_width, "attention": side}
        super().__init__(image, head, classes, conditions, hidden_is_output=True, **sizes)
        initialise(self, nn.init.orthogonal_)
        normalise_spectrally(self, embeddings=True, epsilon=EPSILON)


def truncate(z: Tensor, threshold: Tensor) -> Tensor:
    """Return normal latents (n, size) as truncated normal ones, none beyond its `threshold` (n,); at 0 they stay.

    Brock et al. 2019, section 3.1, draw values beyond the threshold anew. The map cdf(z') = cdf(-t) + cdf(z)
    (cdf(t) - cdf(-t)) of each value has the same distribution, and lets a sample keep its seed.
    """
    t = threshold[:, None]
    share = torch.erf(t / math.sqrt(2)) * torch.erf(z / math.sqrt(2))
    almost = 1 - torch.finfo(z.dtype).eps  # erfinv is infinite at 1
    return torch.where(t > 0, math.sqrt(2) * torch.erfinv(share.clamp(-almost, almost)), z)


def count_parts(image: tuple[int, int, int], latent_size: int) -> int:
    """Return into how many parts a latent is split. Raises `ValueError` for one that cannot be."""
    check_sides(image)
    parts = doublings(min(image[1:])) + 1
    if latent_size < 1 or latent_size % parts:
        nearest = parts * max(1, round(latent_size / parts))
        raise ValueError(
            f"latent_size must be a multiple of {parts} for images of this size, one part for the first layer and for "
            f"each block, got {latent_size}; the nearest is {nearest}"
        )
    return parts
