"""Losses and networks that keep a state, draw by themselves, or break in mid-run; registered by strings."""

import torch
from torch import nn

import ganzoo


class Pull(ganzoo.Loss):
    """A loss with a state and with random numbers of its own, as BEGAN's and augmentations have."""

    def setup(self, step):
        self.register_buffer("strength", torch.ones(()))

    def discriminator(self, step):
        seen = torch.randn(()) + step.rand(1)
        return {"pull": self.strength * (step.fake_scores - step.real_scores + seen).square().mean()}

    def after(self, step, terms):
        self.strength.mul_(1 + 0.01 * terms.get("pull", torch.zeros(())))


class Counting(ganzoo.Generator):
    """Has a state that its state dict does not show."""

    def __init__(self, image):
        super().__init__()
        self.net = torch.nn.Linear(100, 28 * 28)
        self.register_buffer("calls", torch.zeros(()), persistent=False)

    def forward(self, given):
        self.calls += self.training
        return (self.net(given["z"]) + self.calls.sin()).tanh().unflatten(1, (1, 28, 28))


class Unlucky(ganzoo.Loss):
    """Not finite at step 5 with the first seeds."""

    def __init__(self, seeds: int = 1):
        super().__init__()
        self.seeds = seeds

    def setup(self, step):
        self.register_buffer("factor", torch.ones(()), persistent=False)

    def discriminator(self, step):
        seed = torch.initial_seed()
        bad = step.index == 5 and seed < self.seeds
        return {"fate": step.real_scores.mean() * 0 + (float("nan") if bad else 0.0)}


class Shaky(ganzoo.Loss):
    """Breaks in step 5, at the place that it is told."""

    def __init__(self, place: str = "discriminator"):
        super().__init__()
        self.place = place

    def breaks(self, step, place):
        if (step.index, place) == (5, self.place):
            raise IndexError("shaky")

    def discriminator(self, step):
        self.breaks(step, "discriminator")
        return {"none": step.real_scores.mean() * 0}

    def setup(self, step):
        self.register_buffer("memory", torch.zeros(()))

    def after(self, step, terms):
        self.breaks(step, "after")
        if (step.index, self.place) == (5, "buffer"):
            self.memory.fill_(float("nan"))

    def view(self, step, images, given):
        self.breaks(step, "view")
        return images


class ShakyGenerator(ganzoo.Generator):
    """Breaks in the middle of the training."""

    calls = 0

    def __init__(self, image):
        super().__init__()
        self.net = torch.nn.Linear(100, 28 * 28)

    def forward(self, given):
        type(self).calls += self.training
        if self.training and self.calls == 12:
            raise KeyError("shaky")
        return self.net(given["z"]).tanh().unflatten(1, (1, 28, 28))


class Painter(ganzoo.Generator):
    """Needs the label of real data and makes two things."""

    needs, makes = ("label",), ("image", "mask")

    def __init__(self, image):
        super().__init__()
        self.net = nn.Linear(101, 16)

    def forward(self, given):
        made = self.net(torch.cat([given["z"], given["label"][:, None].float()], 1)).tanh().unflatten(1, (1, 4, 4))
        return {"image": made, "mask": made > 0}


class Judge(nn.Module):
    def __init__(self, image):
        super().__init__()
        self.net = nn.Linear(16, 1)

    def forward(self, images, given):
        return self.net(images["image"].flatten(1))


class Explodes(nn.Module):
    """Scores that become infinite after some calls."""

    def __init__(self, image, after: int = 12):
        super().__init__()
        self.linear, self.calls, self.after = nn.Linear(28 * 28, 1), 0, after

    def forward(self, images, given):
        self.calls += 1
        return self.linear(images.flatten(1)) / (0.0 if self.calls > self.after else 1.0)
