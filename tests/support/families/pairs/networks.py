"""A painter of drawings, and a critic that looks at patches of both."""

import torch
from torch import nn

import ganzoo


class Painter(ganzoo.Generator):
    needs = ("grey",)

    def __init__(self, image, grey, width: int = 8):
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(grey[0], width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, image[0], 3, padding=1), nn.Tanh()
        )

    def latent(self, n, rng):
        return {}

    def forward(self, given):
        return self.network(given["grey"])


class Critic(nn.Module):
    needs = ("grey",)

    def __init__(self, image, grey, width: int = 8):
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(image[0] + grey[0], width, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(width, 1, 4, 2, 1)
        )

    def forward(self, images, given):
        return self.network(torch.cat([images, given["grey"]], 1))
