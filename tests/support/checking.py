"""Batches of data that only a plugin's author can make, and how checks end."""

import torch

from tinyplugin import IMAGE

PIXELS = "torch.tanh(self.last(hidden)).unflatten(1, self.image)"
FORWARD = "def forward(self, given):"


def endings(outcome):
    return {result for result, _ in outcome.values()}


SOURCE = [
    ("networks.py", FORWARD, 'needs = ("source",)\n\n    ' + FORWARD),
    ("networks.py", "self.last = nn.Linear(12, prod(image))", "self.last = nn.Linear(12 + prod(image), prod(image))"),
    ("networks.py", PIXELS, PIXELS.replace("(hidden)", '(torch.cat([hidden, given["source"].flatten(1)], 1))')),
]


def source(n, rng):
    return {"source": torch.rand(n, *IMAGE, generator=rng)}


def takes(condition):
    """A change by which the architecture refuses all other shapes."""
    refusal = f"if not ({condition}):\n            raise ValueError('not this shape')\n        self.image = image"
    return ("networks.py", "self.image = image", refusal)
