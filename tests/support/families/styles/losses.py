"""Style mixing, the length of paths, and noise that fades away."""

import torch
from torch.nn.functional import softplus

import ganzoo


class Mixing(ganzoo.Loss):
    """Karras et al. 2019, section 3.1: a second latent for the later layers."""

    def generator(self, step):
        mixed = step.generate({**step.given, "z2": step.another_latent()["z"]})
        return {"fool": softplus(-step.score(mixed, step.given)).mean()}


class PathLength(ganzoo.Loss):
    """Karras et al. 2020, equation 4."""

    def __init__(self, decay: float = 0.99):
        super().__init__()
        self.decay = decay
        self.register_buffer("mean", torch.zeros(()))

    def setup(self, step):
        if "w" not in step.generator_extras:
            raise ValueError("it needs a generator that returns its style 'w' as an extra, such as fam-styles")

    def generator(self, step):
        images, extras = step.make(step.given, twice=True)
        noise = step.randn(*images.shape) / (images.shape[-1] * images.shape[-2]) ** 0.5
        (slope,) = torch.autograd.grad((images * noise).sum(), extras["w"], create_graph=True)
        length = (slope.square().sum(1) + 1e-8).sqrt()
        return {"path": (length - self.mean).square().mean(), "length": length.mean().detach()}

    def after(self, step, terms):
        if step.turn == "generator":
            self.mean.lerp_(terms["length"], 1 - self.decay)


class FadingNoise(ganzoo.Loss):
    """Noise on what the discriminator sees."""

    schedulable = ("strength",)

    def __init__(self, strength: float = 0.1):
        super().__init__()
        self.strength = strength

    def view(self, step, images, given):
        return images + self.strength * step.randn(*images.shape)
