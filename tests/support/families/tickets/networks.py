"""Rows in their own units, and a critic that sees them on one scale."""

import torch
from torch import nn

import ganzoo


class Generator(ganzoo.Generator):
    makes = "row"
    needs = ("label",)
    latent_size = 4

    def __init__(self, row, classes, mean, spread, width: int = 16):
        super().__init__()
        self.categorical = {"label": classes}
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("spread", torch.tensor(spread))
        self.label = nn.Embedding(classes, 4)
        self.network = nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, row[0]))

    def forward(self, given):
        rows = self.network(torch.cat([given["z"], self.label(given["label"])], 1))
        return self.mean + self.spread * rows


class Critic(nn.Module):
    needs = ("label",)

    def __init__(self, row, classes, mean, spread, width: int = 16):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("spread", torch.tensor(spread))
        self.label = nn.Embedding(classes, 4)
        self.network = nn.Sequential(nn.Linear(row[0] + 4, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))

    def forward(self, rows, given):
        return self.network(torch.cat([(rows - self.mean) / self.spread, self.label(given["label"])], 1))
