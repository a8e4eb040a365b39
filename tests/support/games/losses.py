"""The losses of the literature that several games play, and the plain sums that two of them come to."""

import torch
from torch.nn.functional import l1_loss, softplus

import ganzoo
from games.parts import N


class NonSaturating(ganzoo.Loss):
    """Goodfellow et al. 2014, section 3: both sides' cross entropy on raw scores."""

    def discriminator(self, step):
        return {"real": softplus(-step.real_scores).mean(), "fake": softplus(step.fake_scores).mean()}

    def generator(self, step):
        return {"fake": softplus(-step.fake_scores).mean()}


class Wasserstein(ganzoo.Loss):
    """Arjovsky et al. 2017, equation 2."""

    def discriminator(self, step):
        return {"critic": step.fake_scores.mean() - step.real_scores.mean()}

    def generator(self, step):
        return {"critic": -step.fake_scores.mean()}


class GradientPenalty(ganzoo.Loss):
    """Gulrajani et al. 2017, equation 3; its weight of 10 is the recipe's."""

    def discriminator(self, step):
        mix = step.rand(len(step.real), *[1] * (step.real.dim() - 1))
        slope = step.gradient(torch.lerp(step.real, step.fake, mix), step.batch)
        return {"penalty": (slope.flatten(1).norm(dim=1) - 1).square().mean()}


def plain_penalty(d, real, fake, given, rng):
    mix = torch.rand(N, 1, generator=rng)
    between = (mix * fake + (1 - mix) * real).detach().requires_grad_()
    (slope,) = torch.autograd.grad(d(between, given).sum(), between, create_graph=True)
    return 10 * (((slope**2).sum(1).sqrt() - 1) ** 2).mean()


class R1(ganzoo.Loss):
    """Mescheder et al. 2018, equation 9, with gamma = 1."""

    def discriminator(self, step):
        return {"r1": step.gradient(step.real, step.batch).flatten(1).square().sum(1).mean() / 2}


def plain_slope(d, images, given):
    images = images.detach().requires_grad_()
    (slope,) = torch.autograd.grad(d(images, given).sum(), images, create_graph=True)
    return 0.5 * (slope**2).sum() / N


class Pixelwise(ganzoo.Loss):
    """Isola et al. 2017, equation 3."""

    def generator(self, step):
        return {"l1": l1_loss(step.fake, step.real)}
