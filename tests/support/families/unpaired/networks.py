"""Two painters, from a to b and back, and a judge for each kind of picture."""

from torch import nn

import ganzoo


def painter(there, back, width):
    first, last = nn.Conv2d(there[0], width, 3, padding=1), nn.Conv2d(width, back[0], 3, padding=1)
    return nn.Sequential(first, nn.InstanceNorm2d(width), nn.ReLU(), last, nn.Tanh())


def judge(image, width):
    last = nn.Conv2d(width, 1, 4, 2, 1)
    return nn.Sequential(nn.Conv2d(image[0], width, 4, 2, 1), nn.LeakyReLU(0.2), last)


class Both(ganzoo.Generator):
    makes = ("a", "b")
    needs = ("a", "b")

    def __init__(self, a, b, width: int = 8):
        super().__init__()
        self.to_b, self.to_a = painter(a, b, width), painter(b, a, width)

    def latent(self, n, rng):
        return {}

    def forward(self, given):
        return {"a": self.to_a(given["b"]), "b": self.to_b(given["a"])}


class Judges(nn.Module):
    def __init__(self, a, b, width: int = 8):
        super().__init__()
        self.a, self.b = judge(a, width), judge(b, width)

    def forward(self, images, given):
        return [self.a(images["a"]), self.b(images["b"])]
