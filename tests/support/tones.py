"""A plugin of sounds and of a kind of its own, as if installed: data, networks, a kind and metrics."""

HOOKS = '''
"""Tones, and steps of a dance as a kind of their own."""

import ganzoo


@ganzoo.hookimpl
def register_data(register):
    register("tones", "ganzoo_tones.parts:Tones", about="sine waves")
    register("dances", "ganzoo_tones.parts:Dances")


@ganzoo.hookimpl
def register_kinds(register):
    register("dance", "ganzoo_tones.parts:Dance", about="steps in four directions")


@ganzoo.hookimpl
def register_metrics(register):
    register("loudness", "ganzoo_tones.parts:Loudness", kind="sound", about="how loud sounds are")


@ganzoo.hookimpl
def register_architectures(register):
    register("tone", generator="ganzoo_tones.parts:ToneMaker", discriminator="ganzoo_tones.parts:Judge")
    register("dancer", generator="ganzoo_tones.parts:Dancer", discriminator="ganzoo_tones.parts:Judge")
'''

PARTS = '''
from pathlib import Path

import numpy as np
import torch
from torch import nn

import ganzoo

LENGTH = 64


class Tones(ganzoo.Dataset):
    kinds = {"sound": "sound"}

    def __init__(self, path: Path, rate: int = 8000):
        self.facts = {"rate": rate}
        self.count = int(Path(path).read_text())

    def __len__(self):
        return self.count

    def sample(self, index, rng):
        return {"sound": np.sin(np.arange(LENGTH) * (0.1 + 0.01 * index)).astype("float32")}


class Dances(ganzoo.Dataset):
    kinds = {"steps": "dance"}

    def __len__(self):
        return 40

    def sample(self, index, rng):
        return {"steps": np.eye(4, dtype="float32")[(np.arange(6) + index) % 4]}


class Dance(ganzoo.Kind):
    """Steps (count, 4), written as arrows."""

    plural, suffix, card_files = "dances", ".steps", 2

    def to_array(self, values):
        return values.argmax(-1).numpy()

    def write(self, path, sample, mark):
        path.write_text(f"{mark['Model']}: " + "".join("<^>v"[step] for step in sample))

    def card(self, files):
        return "".join(f"* dance of {len(steps)} steps: {name}" for name, steps in files.items())


class Loudness(ganzoo.Suite):
    """Compares the mean loudness of sounds."""

    name, watched = "loudness-v1", ("loudness-gap",)

    def __init__(self, real):
        super().__init__(real)
        self.metrics = {"loudness-gap": ganzoo.Metric("loudness gap", self.gap, "lower")}

    def observe(self, pieces):
        return torch.cat([sounds.abs().mean(1) for sounds, _ in pieces])

    def control(self, n):
        self.reference = self.observe(self.real.pieces(n, skip=n))
        return self.observe(self.real.pieces(n))

    def gap(self, observed):
        return (observed.mean() - self.reference.mean()).abs().item()


class ToneMaker(ganzoo.Generator):
    makes, latent_size = "sound", 4

    def __init__(self, sound, rate):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(4, sound[0]), nn.Tanh())

    def forward(self, given):
        return self.network(given["z"])


class Dancer(ganzoo.Generator):
    makes, latent_size = "steps", 4

    def __init__(self, steps):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(4, steps[0] * steps[1]), nn.Unflatten(1, steps), nn.Softmax(-1))

    def forward(self, given):
        return self.network(given["z"])


class Judge(nn.Module):
    def __init__(self, sound=None, steps=None):
        super().__init__()
        self.network = nn.Sequential(nn.Flatten(), nn.Linear(torch.Size(sound or steps).numel(), 1))

    def forward(self, images, given):
        return self.network(images)
'''


def install(site):
    """Install the plugin into a folder of distributions."""
    name = site.install("ganzoo-tones", HOOKS)
    (site.folder / "ganzoo_tones" / "parts.py").write_text(PARTS)
    return name


def train(typed, folder, architecture="tone", data="tones", **settings):
    """Train a few steps from the command line; return what was said."""
    (folder / "count").write_text("300")
    (folder / "it.toml").write_text(
        f"""
        [architecture]
        name = "{architecture}"
        [[loss]]
        name = "hinge"
        [data]
        name = "{data}"
        {f'path = "{folder / "count"}"' if data == "tones" else ""}
        [train]
        steps = 4
        batch = 16
        sample_every = 2
        """
    )
    changes = [word for key, value in settings.items() for word in ("-o", f"train.{key}={value}")]
    return typed("train", folder / "it.toml", "--out", folder / "run", "--device", "cpu", *changes)
