"""A generator that makes small pictures large, and may be told how much detail to add."""

from torch import nn
from torch.nn.functional import interpolate

import ganzoo


class Sharper(ganzoo.Generator):
    needs = ("small",)

    def __init__(self, image, small, width: int = 8):
        super().__init__()
        self.size = image[1:]
        first, last = nn.Conv2d(small[0], width, 3, padding=1), nn.Conv2d(width, image[0], 3, padding=1)
        self.network = nn.Sequential(first, nn.PReLU(), last)

    def latent(self, n, rng):
        return {}

    def forward(self, given):
        large = interpolate(given["small"], self.size, mode="bilinear")
        return (large + self.network(large)).clamp(-1, 1)


class Critic(nn.Module):
    def __init__(self, image, width: int = 8):
        super().__init__()
        last = nn.Conv2d(width, 1, 4, 2, 1)
        self.network = nn.Sequential(nn.Conv2d(image[0], width, 4, 2, 1), nn.LeakyReLU(0.2), last)

    def forward(self, images, given):
        return self.network(images)
