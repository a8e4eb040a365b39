"""Real data whose every sample has a copy of itself as an input, and networks that play with it."""

import numpy as np
import torch
from torch import nn

import ganzoo


class Twins(ganzoo.Dataset):
    """Smooth pictures of 8 bits, all different; "grey" is the same picture as "image"."""

    def __init__(self, count: int = 300):
        slopes = np.random.default_rng(1).integers(0, 17, (count, 2))
        ramp = np.arange(8)
        pixels = slopes[:, :1, None] * ramp[:, None] + slopes[:, 1:, None] * ramp
        pixels[:, 0, 0], pixels[:, 0, 1] = np.arange(count) % 256, np.arange(count) // 256
        self.images = pixels[:, None].astype(np.uint8)
        self.kinds = {"image": "image", "grey": "image"}

    def __len__(self):
        return len(self.images)

    def arrays(self):
        return {"image": self.images, "grey": self.images}


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
