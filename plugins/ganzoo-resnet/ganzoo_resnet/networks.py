"""What the generators and the discriminators of SNGAN, SAGAN and BigGAN have in common."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

import ganzoo
from ganzoo.layers import ConditionalBatchNorm2d, Conditions, LabelFacts, check_at_least_one, list_channels
from ganzoo_resnet.blocks import BatchNorm, DownBlock, SelfAttention, UpBlock, initialise
from ganzoo_resnet.heads import Head, HeadName, conditions_used
from ganzoo_resnet.sizes import Image, check_sides, doublings, halvings, plain_blocks


class ResidualGenerator(ganzoo.Generator):
    """From a vector to images: a linear map, blocks that double, batch norm, ReLU, a convolution and tanh.

    `features` is the length of the vector, `attention` the shorter side of the map that gets attention, 0 for none,
    and `norm` makes the normalisation of a block from a number of channels. The map next to the image has `width`
    channels, each further one twice as many, up to `max_width`. It needs the labels of `known`, and draws them.
    `epsilon` is that of the last batch norm.
    Raises `ValueError` for a size that blocks cannot double up to, and for a width out of range.
    """

    def __init__(
        self,
        image: Image,
        features: int,
        norm: Callable[[int], nn.Module],
        known: Conditions | None,
        *,
        width: int,
        max_width: int,
        attention: int = 0,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        check_sides(image)
        if known:
            self.needs, self.categorical, self.amounts = known.needs, known.categorical, known.amounts
        shorter = min(image[1:])
        count = doublings(shorter)
        channels = list_channels(count + 1, width, max_width)[::-1]
        size = channels[0], image[1] >> count, image[2] >> count
        self.stem = nn.Sequential(nn.Linear(features, prod(size)), nn.Unflatten(1, size))
        self.blocks = nn.ModuleList(UpBlock(before, after, norm) for before, after in pairwise(channels))
        sides = [shorter >> depth for depth in reversed(range(count))]
        self.attentions = nn.ModuleList(attend(*each, attention) for each in zip(channels[1:], sides, strict=True))
        self.norm = BatchNorm(width, epsilon)
        self.last = nn.Conv2d(width, image[0], 3, padding=1)

    def synthesise(self, first: Tensor, conditions: Sequence[Any]) -> Tensor:
        """Return images for vectors (n, features), and for what the normalisations of each block are given."""
        maps = self.stem(first)
        for block, attention, condition in zip(self.blocks, self.attentions, conditions, strict=True):
            maps = attention(block(maps, condition))
        return torch.tanh(self.last(relu(self.norm(maps))))


class LabelGenerator(ResidualGenerator):
    """A generator whose batch norm has a scale and shift for each class, where there are labels; see `Head`."""

    def __init__(
        self,
        image: Image,
        classes: int | None,
        conditions: LabelFacts | None,
        head: HeadName,
        latent_size: int,
        *,
        width: int,
        max_width: int,
        attention: int = 0,
    ) -> None:
        check_at_least_one(latent_size=latent_size)
        used = conditions_used(head, classes, conditions)
        norm = partial(ConditionalBatchNorm2d, classes=used) if used else BatchNorm
        super().__init__(image, latent_size, norm, used, width=width, max_width=max_width, attention=attention)
        self.latent_size = latent_size
        initialise(self, nn.init.xavier_uniform_)

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for "z" of shape (n, latent_size) and, where there are labels, these of shape (n,)."""
        return self.synthesise(given["z"], [given if self.needs else None] * len(self.blocks))


class ResidualDiscriminator(nn.Module):
    """From images to scores: blocks that halve, blocks that do not, ReLU, the sum over all pixels, and a head.

    `width`, `max_width` and `attention` as in the generator. `hidden_is_output` says how many channels are between the
    convolutions of a block: those of its output, or those of its input.
    Raises `ValueError` for a size that blocks cannot halve, and for an option out of range.
    """

    def __init__(
        self,
        image: Image,
        head: HeadName,
        classes: int | None,
        conditions: LabelFacts | None,
        *,
        width: int,
        max_width: int,
        attention: int = 0,
        hidden_is_output: bool = False,
    ) -> None:
        super().__init__()
        check_sides(image)
        halving, side = halvings(image), min(image[1:])
        outputs = list_channels(halving + 1, width, max_width)
        outputs += outputs[-1:] * (plain_blocks(image) - 1)
        self.blocks, self.attentions = nn.ModuleList(), nn.ModuleList()
        for depth, (before, after) in enumerate(pairwise([image[0], *outputs])):
            first, halves = depth == 0, depth < halving
            hidden = after if hidden_is_output or first else before
            self.blocks.append(DownBlock(before, hidden, after, halves=halves, first=first))
            self.attentions.append(attend(after, side >> (depth + 1) if halves else 0, attention))
        self.head = Head(head, outputs[-1], classes, conditions)
        self.needs = self.head.needs

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Return one raw score per image (n,), with extras where the head gives some; see `Head`."""
        maps = images
        for block, attention in zip(self.blocks, self.attentions, strict=True):
            maps = attention(block(maps))
        judged: Tensor | tuple[Tensor, dict[str, Tensor]] = self.head(relu(maps).sum((2, 3)), given)
        return judged


def attend(channels: int, side: int, attention: int) -> nn.Module:
    """Return attention for the map of that side, nothing for another, and nothing anywhere if `attention` is 0."""
    return SelfAttention(channels) if attention and side == attention else nn.Identity()
