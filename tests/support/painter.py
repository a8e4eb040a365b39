"""A plugin whose generator colours grey pictures, and a run of it."""

import importlib
import os
import sys

import torch

from ganzoo.plugins.catalog import catalog
from ganzoo.training.train import train
from sites import Site

PAINTER = """
    import ganzoo
    import torch
    from torch import nn

    @ganzoo.hookimpl
    def register_architectures(register):
        register("painter", generator="paint_gan:Painter", discriminator="paint_gan:Critic")


    class Painter(ganzoo.Generator):
        def __init__(self, image, width: int = 4):
            super().__init__()
            self.needs = {"grey": ganzoo.Spec("image", (1, *image[1:]))}
            self.takes = {"light": ganzoo.Spec("other", (), (0, 2))}
            self.network = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, image[0], 1))

        def latent(self, n, rng):
            return {}

        def forward(self, given):
            light = given.get("light", torch.ones(len(given["grey"])))
            return torch.tanh(self.network(given["grey"]) * light[:, None, None, None])


    class Critic(nn.Module):
        needs = ("grey",)

        def __init__(self, image):
            super().__init__()
            self.network = nn.Conv2d(image[0] + 1, 1, 4, 2, 1)

        def forward(self, images, given):
            return self.network(torch.cat([images, given["grey"]], 1))
"""
RECIPE = {"name": "painter", "architecture": "painter", "loss": ["hinge"]}


def pictures(count=40, size=16):
    """Batches of smooth colour pictures with their grey ones, all different."""
    rng = torch.Generator().manual_seed(0)
    small = torch.randint(0, 256, (count, 3, 4, 4), generator=rng).float() / 127.5 - 1
    colours = torch.nn.functional.interpolate(small, size=size, mode="bilinear")
    return [{"image": part, "grey": part.mean(1, keepdim=True)} for part in colours.split(count)]


def install(folder, monkeypatch):
    """Install the plugin in a folder that this process, and those that it starts, see."""
    folder.mkdir()
    Site(folder).install("paint-gan", PAINTER)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    catalog.cache_clear()
    importlib.invalidate_caches()


def forget():
    """Forget the plugin."""
    catalog.cache_clear()
    sys.modules.pop("paint_gan", None)


def paint(out, **options):
    """Train for a few steps."""
    settings = {"steps": 2, "sample_every": 2, "precision": "fp32"}
    return train(RECIPE, data=pictures(), out=out, device="cpu", quiet=True, train=settings, **options)
