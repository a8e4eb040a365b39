"""A plugin that imports weights from JSON files, and such files."""

import json

PLUGIN = """
import ganzoo

@ganzoo.hookimpl
def register_architectures(register):
    register("mini", generator="tiny_import.networks:Maker", discriminator="tiny_import.networks:Judge")

@ganzoo.hookimpl
def register_importers(register):
    register("mini-json", "tiny_import.files:read", about="weights of mini as JSON")
    register("other-json", "tiny_import.files:read_other")
    register("number", "tiny_import.files:NUMBER")
"""
NETWORKS = """
import torch
from torch import nn
import ganzoo

class Maker(ganzoo.Generator):
    latent_size = 2

    def __init__(self, image, classes: int | None = None, bias: bool = True, depth: int = 1):
        super().__init__()
        self.image = image
        self.categorical = {"label": classes} if classes else {}
        self.first = nn.Linear(2, image[0] * image[1] * image[2], bias=bias)

    def forward(self, given):
        return self.first(given["z"]).unflatten(1, self.image).clamp(-1, 1)

class Judge(nn.Module):
    def __init__(self, image):
        super().__init__()
        self.last = nn.Linear(image[0] * image[1] * image[2], 1)

    def forward(self, images, given):
        return self.last(images.flatten(1))
"""
FILES = '''
import json
import torch
import ganzoo

NUMBER = 3

def tensors(table):
    return {name: torch.tensor(value) for name, value in table.items()}

def read(path):
    """Read the weights of mini."""
    table = json.loads(path.read_text(errors="replace") or "x")
    if not isinstance(table, dict) or "generator" not in table:
        raise ValueError("it has no table 'generator'")
    judge = table.get("discriminator")
    data = {"image": ganzoo.Spec("image", tuple(table["image"]))}
    if table.get("classes"):
        data["label"] = ganzoo.Spec("label", classes=tuple(table["classes"]))
    return ganzoo.Imported(
        architecture=table.get("architecture", "mini"), options=table.get("options", {}), data=data,
        generator=tensors(table["generator"]), discriminator=tensors(judge) if judge else None,
        notes=("these weights are for study only",),
    )

def read_other(path):
    return json.loads(path.read_text())
'''
WEIGHTS = {"first.weight": [[0.5, 0.0]] * 4, "first.bias": [0.0, 0.1, 0.2, 0.3]}
JUDGE = {"last.weight": [[1.0, 2.0, 3.0, 4.0]], "last.bias": [0.0]}


def install(site):
    site.install("tiny-import", PLUGIN)
    (site.folder / "tiny_import" / "networks.py").write_text(NETWORKS)
    (site.folder / "tiny_import" / "files.py").write_text(FILES)


def write(path, **changes):
    """Write a file that fits, but for some changes."""
    table = {"image": [1, 2, 2], "generator": WEIGHTS, "discriminator": JUDGE, **changes}
    path.write_text(json.dumps(table))
    return path
