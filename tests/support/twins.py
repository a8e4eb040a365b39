"""Real data whose every sample has a copy of itself as an input, and networks that play with it."""

import torch
from torch import nn

import ganzoo
from ganzoo.data.base import Data, keep_whole
from ganzoo.data.memory import batch_indices

SHAPE = (1, 8, 8)


class Twins(Data):
    """Smooth pictures of 8 bits; "grey" is the same picture as "image"."""

    def __init__(self, count=300):
        super().__init__("twins", SHAPE, count=count)
        slopes = torch.randint(0, 17, (count, 2), generator=torch.Generator().manual_seed(1))
        ramp = torch.arange(8)
        pixels = (
            slopes[:, :1, None] * ramp[:, None] + slopes[:, 1:, None] * ramp + torch.arange(count)[:, None, None] % 7
        )
        self.images = (pixels[:, None].byte().float() * (1 / 127.5)).sub(1)

    def batches(self, batch, seed, used=0, shard=keep_whole):
        for indices in map(shard, batch_indices(self.count, batch, seed, used)):
            yield {"image": self.images[indices], "grey": self.images[indices].clone()}


class Copyist(ganzoo.Generator):
    """Returns what it is given."""

    needs = ("grey",)

    def __init__(self, image):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def latent(self, n, rng):
        return {}

    def forward(self, given):
        return given["grey"] * self.scale


class Blind(nn.Module):
    """Finds every picture as good as any other."""

    def __init__(self, image):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, images, given):
        return self.bias + 0 * images.flatten(1).mean(1)
