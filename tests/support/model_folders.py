"""Generators of several kinds, a model's folder, and changes to it."""

import hashlib
import json

import torch
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import nn

import ganzoo
from ganzoo.zoo.model import Model

IMAGES = {"data": {"kind": "image"}}
CLASSES = {"data": {"kind": "image", "classes": ["a", "b", "c", "d"]}}


class Labelled(ganzoo.Generator):
    """A generator with two latent keys and batch norm."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(104, 32), nn.BatchNorm1d(32), nn.Linear(32, 16), nn.Tanh())

    def latent(self, n, rng):
        return super().latent(n, rng) | {"label": torch.randint(4, (n,), generator=rng)}

    def forward(self, given):
        label = nn.functional.one_hot(given["label"], 4).float()
        return self.net(torch.cat([given["z"], label], 1)).unflatten(1, (1, 4, 4))


class Conditional(Labelled):
    """The same, but nobody draws the label."""

    needs = ("label",)

    def latent(self, n, rng):
        return ganzoo.Generator.latent(self, n, rng)


class Noisy(ganzoo.Generator):
    """A generator that draws noise inside `forward`, as StyleGAN does."""

    def forward(self, given):
        return torch.tanh(given["z"][:, :16] + torch.randn(len(given["z"]), 16)).unflatten(1, (1, 4, 4))


class Several(ganzoo.Generator):
    """Images, and masks whose values are no pixels."""

    makes = ("image", "mask")

    def forward(self, given):
        image = torch.tanh(given["z"][:, :16]).unflatten(1, (1, 4, 4))
        return {"image": image, "mask": 7 * image}


def changed(run, folder, change):
    """A copy of the run's model whose config went through `change`."""
    folder.mkdir()
    config = json.loads((run.model_folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(change(config) or config))
    (folder / "model.safetensors").write_bytes((run.model_folder / "model.safetensors").read_bytes())
    return folder


def reweighted(run, folder, change):
    """A copy of a model folder whose weights went through `change`, pinned as they then are."""
    weights = tensors_from_bytes((run.model_folder / "model.safetensors").read_bytes())
    content = tensors_to_bytes(change(weights) or weights)
    pinned = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    folder = changed(run, folder, lambda c: c["weights"].update(pinned))
    (folder / "model.safetensors").write_bytes(content)
    return folder


def weights_of(run):
    return tensors_from_bytes((run.model_folder / "model.safetensors").read_bytes())


def labelled_model():
    torch.manual_seed(0)
    return Model(Labelled(), IMAGES, "cpu")
