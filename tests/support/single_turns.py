"""Single turns of the game in float64, for the formula tests of losses."""

import torch
from torch import nn

import ganzoo

toys = ganzoo.testing.toys

SHAPES = [(), (1,), (1, 4, 4)]
"""Shapes of one sample's scores."""


class Linear(nn.Module):
    """The same slope everywhere, times the label where there is one."""

    def __init__(self, slope):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))

    def forward(self, images, given):
        return images.flatten(1) @ self.slope * given.get("label", 1)


class Quadratic(nn.Module):
    """A sample's score is half its squared norm times a weight, so its gradient is itself times that weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))

    def forward(self, images, given):
        self.images = images.detach()
        return self.weight * images.flatten(1).square().sum(1) / 2


def play(turn, discriminator, n=6, label=None, drawn_label=None):
    """A step in which the other side is frozen, as the engine does it; always with the same numbers."""
    torch.manual_seed(0)
    generator = toys.TinyGenerator().double()
    rng = torch.Generator().manual_seed(1)
    batch = {"image": torch.rand(n, 1, 2, 2, generator=rng, dtype=torch.float64) * 2 - 1}
    latent = {"z": torch.randn(n, 3, generator=rng, dtype=torch.float64)}
    if label is not None:
        batch["label"], latent["label"] = label, drawn_label
    return toys.make_step(turn, generator, discriminator, batch, latent, rng)


def tiny_discriminator(shape=()):
    torch.manual_seed(2)
    return toys.TinyCritic(scores=shape, scale=4).double()


@torch.no_grad()
def scores(step):
    """Real and fake scores by calling the networks directly."""
    real = step.discriminator(step.batch["image"], {})
    fake = step.discriminator(step.generator(step.latent), {})
    return real.numpy(), fake.numpy()


class Itself(nn.Module):
    """Scores that are known beforehand: the images themselves."""

    def forward(self, images, given):
        return images


class Given(ganzoo.Generator):
    def forward(self, given):
        return given["z"]


def play_scores(turn, real, fake, discriminator=None):
    real, fake = (torch.tensor(s, requires_grad=True) for s in (real, fake))
    return ganzoo.Step(
        turn, 0, {"image": real}, {"z": fake}, generator=Given(), discriminator=discriminator or Itself(),
        call=lambda module, *inputs, twice=False: module(*inputs), rng=torch.Generator(),
    )  # fmt: skip
