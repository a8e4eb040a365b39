"""Convolutions in time."""

from torch import nn

import ganzoo


class Generator(ganzoo.Generator):
    makes = "sound"
    latent_size = 8

    def __init__(self, sound, rate, width: int = 8):
        super().__init__()
        if sound[1] % 16:
            raise ValueError(f"the length must be a multiple of 16, got {sound[1]}")
        self.seconds = sound[1] / rate
        grow = [nn.ConvTranspose1d(width, width, 8, 4, 2), nn.ReLU()]
        last = nn.ConvTranspose1d(width, sound[0], 8, 4, 2)
        first = nn.Linear(self.latent_size, width * (sound[1] // 16))
        self.network = nn.Sequential(first, nn.ReLU(), nn.Unflatten(1, (width, -1)), *grow, last, nn.Tanh())

    def forward(self, given):
        return self.network(given["z"])


class Critic(nn.Module):
    def __init__(self, sound, width: int = 8):
        super().__init__()
        first, second = nn.Conv1d(sound[0], width, 8, 4, 2), nn.Conv1d(width, width, 8, 4, 2)
        score = nn.Linear(width * (sound[1] // 16), 1)
        self.network = nn.Sequential(first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2), nn.Flatten(), score)

    def forward(self, sounds, given):
        return self.network(sounds)
