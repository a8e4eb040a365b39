"""A generator with an encoder."""

from math import prod

from torch import nn

import ganzoo


class Generator(ganzoo.Generator):
    latent_size = 8

    def __init__(self, image, width: int = 16):
        super().__init__()
        last = nn.Linear(width, prod(image))
        self.decoder = nn.Sequential(nn.Linear(8, width), nn.ReLU(), last, nn.Tanh(), nn.Unflatten(1, image))
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(prod(image), width), nn.ReLU(), nn.Linear(width, 8))

    def forward(self, given):
        return self.decoder(given["z"])


class Critic(nn.Module):
    def __init__(self, image, width: int = 16):
        super().__init__()
        self.features = nn.Sequential(nn.Flatten(), nn.Linear(prod(image), width), nn.LeakyReLU(0.2))
        self.score = nn.Linear(width, 1)

    def forward(self, images, given):
        features = self.features(images)
        return self.score(features), {"features": features}
