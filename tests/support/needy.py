"""Architectures that need more of the data than images; registered by strings."""

from torch import nn

import ganzoo


class Conditional(ganzoo.Generator):
    """Cannot work without labels."""

    needs = ("label",)

    def __init__(self, image, classes):
        super().__init__()
        self.net = nn.Linear(100, 28 * 28)

    def forward(self, given):
        return self.net(given["z"]).tanh().unflatten(1, (1, 28, 28))


class NeedsDepth(Conditional):
    """Cannot work without a key that no image set has."""

    needs = ("depth",)

    def __init__(self, image):
        super().__init__(image, 1)
