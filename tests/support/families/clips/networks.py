"""Convolutions in time and space."""

import torch
from torch import nn

import ganzoo


class Generator(ganzoo.Generator):
    makes = "clip"
    latent_size = 8

    def __init__(self, clip, width: int = 4):
        super().__init__()
        _, frames, height, wide = clip
        start = (width, frames // 2, height // 2, wide // 2)
        first = nn.Linear(self.latent_size, width * (frames // 2) * (height // 2) * (wide // 2))
        last = nn.ConvTranspose3d(width, 1, 4, 2, 1)
        self.network = nn.Sequential(first, nn.ReLU(), nn.Unflatten(1, start), nn.GroupNorm(1, width), last, nn.Tanh())

    def forward(self, given):
        return self.network(given["z"])


class Critic(nn.Module):
    """A score for all frames, from films and from their first frame."""

    def __init__(self, clip, width: int = 4):
        super().__init__()
        self.film, self.still = nn.Conv3d(1, width, 4, 2, 1), nn.Conv2d(1, width, 4, 2, 1)
        self.score = nn.Linear(2 * width, 1)

    def forward(self, films, given):
        film, still = self.film(films).mean((2, 3, 4)), self.still(films[:, :, 0]).mean((2, 3))
        return self.score(nn.functional.leaky_relu(torch.cat([film, still], 1), 0.2))
