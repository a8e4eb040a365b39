"""A loss and two networks as somebody writes them beside a recipe; tests import this file, copy it and name it."""

from math import prod

from torch import nn
from torch.nn.functional import softplus

import ganzoo


class Mine(ganzoo.Loss):
    """A relativistic loss with an option, and a count of its turns."""

    def __init__(self, scale: float = 1.0):
        super().__init__()
        self.scale = scale

    def setup(self, step):
        self.register_buffer("turns", step.real_scores.new_zeros(()))

    def discriminator(self, step):
        return {"pairs": self.scale * softplus(step.fake_scores - step.real_scores).mean()}

    def generator(self, step):
        return {"pairs": self.scale * softplus(step.real_scores - step.fake_scores).mean()}

    def after(self, step, terms):
        self.turns += 1


class G(ganzoo.Generator):
    """One layer."""

    latent_size = 8

    def __init__(self, image, width: int = 4):
        super().__init__()
        self.width = width
        layers = nn.Linear(8, width), nn.Tanh(), nn.Linear(width, prod(image)), nn.Tanh(), nn.Unflatten(1, image)
        self.network = nn.Sequential(*layers)

    def forward(self, given):
        return self.network(given["z"])


class D(nn.Module):
    """One layer."""

    def __init__(self, image, width: int = 4):
        super().__init__()
        self.network = nn.Sequential(nn.Flatten(), nn.Linear(prod(image), width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, images, given):
        return self.network(images)
