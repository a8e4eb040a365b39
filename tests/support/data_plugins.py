"""Small data sets as plugins bring them, and networks that take their facts."""

import random
from pathlib import Path

import numpy as np
import torch
from torch import nn

import ganzoo

PLUGIN = """
import ganzoo

@ganzoo.hookimpl
def register_data(register):
    register("pairs", "data_plugins:Pairs", about="Colours and their greys")
    register("waves", "data_plugins:Waves", about="Sine waves")

@ganzoo.hookimpl
def register_architectures(register):
    register("player", generator="data_plugins:Player", discriminator="data_plugins:Listener")
"""
RECIPE = {
    "architecture": {"name": "player"},
    "loss": [{"name": "non-saturating"}],
    "data": {"name": "waves", "rate": 50, "workers": 0},
    "train": {"steps": 4, "batch": 4, "ema": 0.9, "save_every": 2, "sample_every": 4, "precision": "fp32"},
}


class Waves(ganzoo.Dataset):
    """Sine waves with a random phase."""

    def __init__(self, rate: int = 100, count: int = 20, bad: list[int] = [], log: Path | None = None) -> None:  # noqa: B006
        self.rate, self.count, self.bad, self.log = rate, count, set(bad), log
        self.facts = {"rate": rate, "alphabet": ["a", "b"]}

    def __len__(self):
        return self.count

    def sample(self, index, rng):
        if self.log:
            with self.log.open("a") as file:
                file.write(f"{index}\n")
        if index in self.bad:
            raise KeyError(f"no wave {index}")
        seconds = np.arange(16) / self.rate
        return {"wave": np.sin(2 * np.pi * (seconds * (1 + index) + rng.random())), "index": index}

    def source(self, index):
        return f"{index}.wav"


class Pairs(ganzoo.Dataset):
    """Coloured squares and their greys, drawn with every random generator that there is."""

    kinds = {"image": "image", "grey": "image"}  # noqa: RUF012
    classes = {"label": ["even", "odd"]}  # noqa: RUF012
    notes = ("squares of one colour",)
    license = "CC0-1.0"

    def __len__(self):
        return 12

    def sample(self, index, rng):
        colour = np.array([index * 20, rng.integers(256), random.randrange(256)], dtype=np.uint8)
        image = np.broadcast_to(colour[:, None, None], (3, 8, 8))
        grey = np.full((1, 8, 8), np.random.rand() / 2 + torch.rand(()).item() / 2)
        return {"image": image, "grey": grey, "label": index % 2}


class Held(Pairs):
    """The same in memory."""

    def arrays(self):
        image = np.broadcast_to(np.arange(12, dtype=np.uint8)[:, None, None, None] * 20, (12, 3, 8, 8))
        return {"image": image, "grey": image[:, :1] / 255, "label": np.arange(12) % 2}


class Toned(Waves):
    """Waves with the tone of each by its name, in an order that may change."""

    def __init__(self, tones: list[str] = ["low", "high"]) -> None:  # noqa: B006
        super().__init__(rate=50)
        self.tones = tones
        self.classes = {"tone": tones}

    def sample(self, index, rng):
        return {"wave": super().sample(index, rng)["wave"], "tone": self.tones.index("high" if index > 9 else "low")}


class Toner(ganzoo.Generator):
    """Makes waves of a tone."""

    makes = "wave"
    latent_size = 3

    def __init__(self, wave: tuple[int], tone: int) -> None:
        super().__init__()
        self.categorical = {"tone": tone}
        self.net, self.tones = nn.Linear(3, wave[0]), nn.Embedding(tone, 3)

    def forward(self, given):
        return self.net(given["z"] + self.tones(given["tone"]))


class Player(ganzoo.Generator):
    makes = "wave"
    latent_size = 3

    def __init__(self, wave: tuple[int], rate: int, width: int = 4) -> None:
        super().__init__()
        self.rate, self.net = rate, nn.Sequential(nn.Linear(3, width), nn.Tanh(), nn.Linear(width, wave[0]))

    def forward(self, given):
        return self.net(given["z"])


class Listener(nn.Module):
    def __init__(self, wave: tuple[int]) -> None:
        super().__init__()
        self.net = nn.Linear(wave[0], 1)

    def forward(self, images, given):
        return self.net(images)
