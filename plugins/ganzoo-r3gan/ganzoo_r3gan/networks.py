"""R3GAN: generator and discriminator of Huang et al. 2024, "The GAN is dead; long live the GAN!", section 4.

Both are ResNets of the same blocks: in each resolution stage a change of size and `blocks` residual blocks, no
normalisation, fix-up initialisation. Ours: sizes other than powers of two, widths given by two numbers, and the way of
the label, which is an embedding beside z in the generator and the projection of Karras et al. 2020 (StyleGAN2-ADA) in
the discriminator. The defaults are small; `width=768, max_width=768` are those of the paper for 32 x 32.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

import ganzoo
from ganzoo.layers import (
    ConditionEmbedding,
    Conditions,
    LabelFacts,
    Size,
    check_at_least_one,
    find_conditions,
    list_channels,
    make_palette,
    pyramid,
    smallest_map,
)
from ganzoo_r3gan.blocks import Basis, Head, Resample, Residual, pointwise

Level = tuple[int, Size]
"""Channels and size of the maps of one resolution stage."""


class Generator(ganzoo.Generator):
    """Map latents of length `latent_size` to images of shape (n, channels, height, width), about in [-1, 1].

    `width` is the number of channels of the maps as large as the image; each smaller map has twice as many, up to
    `max_width`. Each size has `blocks` residual blocks, inside which there are `expansion` times as many channels, in
    groups of `group_size`. `conditional=True` takes all labels, through an embedding of length `embedding`. As in the
    paper there is no last activation: images may leave [-1, 1] a little. With `colours` an image is a mixture of so
    many colours of its own, as a `Palette` makes it; 0: none.
    Raises `ValueError` for an image side that is no multiple of 4 or below 16, for an option out of range, and for
    `conditional` where the data have no classes.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int | None = None,
        conditions: LabelFacts | None = None,
        conditional: bool = False,
        latent_size: int = 64,
        embedding: int = 64,
        width: int = 32,
        max_width: int = 128,
        blocks: int = 2,
        expansion: int = 2,
        group_size: int = 16,
        colours: int = 0,
    ) -> None:
        super().__init__()
        check_at_least_one(latent_size=latent_size)
        self.latent_size = latent_size
        self.embed = embed_labels(find_conditions(conditional, classes, conditions), embedding)
        if self.embed:
            known = self.embed.conditions
            self.needs, self.categorical, self.amounts = known.needs, known.categorical, known.amounts
        stages = levels(image, width, max_width)[::-1]
        make_blocks = block_maker(stages, blocks, expansion, group_size)
        (channels, size), length = stages[0], latent_size + (embedding if conditional else 0)
        self.basis = Basis(length, channels, size)
        self.stages = nn.Sequential(*make_blocks(channels))
        for (before, smaller), (after, larger) in pairwise(stages):
            self.stages.append(Resample(before, after, larger, smaller, down=False))
            self.stages.extend(make_blocks(after))
        self.palette = make_palette(colours, image[0], length, sharpness=2.0)
        self.to_image = pointwise(stages[-1][0], colours or image[0])

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for `given["z"]` of shape (n, latent_size), and for labels of shape (n,)."""
        z = given["z"]
        z = z if self.embed is None else torch.cat([z, self.embed(given)], 1)
        images: Tensor = self.to_image(self.stages(self.basis(z)))
        return self.palette(images, z) if self.palette else images


class Discriminator(nn.Module):
    """Map images of shape (n, channels, height, width) to raw scores of shape (n,).

    Options as in `Generator`. With `conditional=True` the score is the inner product of the last features with the
    label's embedding, over the square root of their length (Karras et al. 2020, StyleGAN2-ADA; after Miyato and Koyama
    2018). Raises `ValueError` as `Generator` does.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int | None = None,
        conditions: LabelFacts | None = None,
        conditional: bool = False,
        embedding: int = 64,
        width: int = 32,
        max_width: int = 128,
        blocks: int = 2,
        expansion: int = 2,
        group_size: int = 16,
    ) -> None:
        super().__init__()
        self.embed = embed_labels(find_conditions(conditional, classes, conditions), embedding)
        self.needs = self.embed.conditions.needs if self.embed else ()
        stages = levels(image, width, max_width)
        make_blocks = block_maker(stages, blocks, expansion, group_size)
        self.from_image = pointwise(image[0], stages[0][0])
        self.stages = nn.Sequential(*make_blocks(stages[0][0]))
        for (before, larger), (after, smaller) in pairwise(stages):
            self.stages.append(Resample(before, after, larger, smaller, down=True))
            self.stages.extend(make_blocks(after))
        self.head = Head(*stages[-1], outputs=embedding if conditional else 1)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return one raw score per image, judged by labels of shape (n,) where it is conditional."""
        judged: Tensor = self.head(self.stages(self.from_image(images)))
        if self.embed is None:
            return judged.squeeze(1)
        embedded: Tensor = self.embed(given)
        return (judged * embedded).sum(1) / math.sqrt(judged.shape[1])


def levels(image: tuple[int, int, int], width: int, max_width: int) -> list[Level]:
    """Return channels and size of each resolution stage, from the image inwards. Raises `ValueError`."""
    stages = pyramid(image, width, max_width)
    sizes = [*(stage.side for stage in stages), smallest_map(stages)]
    return list(zip(list_channels(len(sizes), width, max_width), sizes, strict=True))


def block_maker(stages: list[Level], blocks: int, expansion: int, group_size: int) -> Callable[[int], list[Residual]]:
    """Return a function that makes the residual blocks of one stage, for its channels."""
    check_at_least_one(blocks=blocks, expansion=expansion, group_size=group_size)
    depth = blocks * len(stages)
    return lambda channels: [Residual(channels, depth, expansion, group_size) for _ in range(blocks)]


def embed_labels(conditions: Conditions | None, length: int) -> ConditionEmbedding | None:
    """Return a vector of that length for each class; None without classes. Raises `ValueError` for a length below 1."""
    check_at_least_one(embedding=length)
    return ConditionEmbedding(conditions, length) if conditions else None
