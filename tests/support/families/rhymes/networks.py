"""A chance for each letter at each place."""

from torch import nn

import ganzoo


class Writer(ganzoo.Generator):
    makes = "text"
    latent_size = 8

    def __init__(self, text, width: int = 32):
        super().__init__()
        last = nn.Linear(width, text[0] * text[1])
        self.network = nn.Sequential(nn.Linear(self.latent_size, width), nn.ReLU(), last, nn.Unflatten(1, text))

    def forward(self, given):
        return self.network(given["z"]).softmax(-1)


class Reader(nn.Module):
    def __init__(self, text, width: int = 32):
        super().__init__()
        first = nn.Linear(text[0] * text[1], width)
        self.network = nn.Sequential(nn.Flatten(), first, nn.LeakyReLU(0.2), nn.Linear(width, 1))

    def forward(self, text, given):
        return self.network(text)
