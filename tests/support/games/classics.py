"""The first ones: the non-saturating game, Wasserstein with clipping or a penalty, and lazy R1."""

import torch
from torch.nn.functional import softplus

import ganzoo
from games.losses import R1, GradientPenalty, NonSaturating, Wasserstein, plain_penalty, plain_slope
from games.parts import adams, descend, game, noise
from ganzoo import Scheduled


@game(lambda: [NonSaturating()])
def vanilla(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        fake = g({"z": noise(rng)})
        descend(adam_d, softplus(-d(batch["image"], batch)).mean() + softplus(d(fake, batch)).mean())
        fake = g({"z": noise(rng)})
        descend(adam_g, softplus(-d(fake, batch)).mean())
        yield


class WeightClipping(ganzoo.Loss):
    """Arjovsky et al. 2017, algorithm 1, line 7. It has no terms, only something to do after each critic turn."""

    def after(self, step, terms):
        if step.turn == "discriminator":
            for parameter in step.discriminator.parameters():
                parameter.clamp_(-0.1, 0.1)


@game(lambda: [Wasserstein(), WeightClipping()], critic_steps=5, optimizer="rmsprop")
def wgan_with_clipping(g, d, batches, rng):
    """Each critic turn takes a fresh batch."""
    rmsprop_g, rmsprop_d = (torch.optim.RMSprop(side.parameters(), lr=0.01) for side in (g, d))
    while True:
        for _ in range(5):
            batch = next(batches)
            fake = g({"z": noise(rng)})
            descend(rmsprop_d, d(fake, batch).mean() - d(batch["image"], batch).mean())
            for parameter in d.parameters():
                parameter.data.clamp_(-0.1, 0.1)
        fake = g({"z": noise(rng)})
        descend(rmsprop_g, -d(fake, batch).mean())
        yield


@game(lambda: [Wasserstein(), Scheduled(GradientPenalty(), weight=10)], critic_steps=5)
def wgan_gp(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    while True:
        for _ in range(5):
            batch = next(batches)
            real, fake = batch["image"], g({"z": noise(rng)})
            critic = d(fake, batch).mean() - d(real, batch).mean()
            descend(adam_d, critic + plain_penalty(d, real, fake, batch, rng))
        fake = g({"z": noise(rng)})
        descend(adam_g, -d(fake, batch).mean())
        yield


@game(lambda: [NonSaturating(), Scheduled(R1(), weight=3, every=2)])
def non_saturating_with_lazy_r1(g, d, batches, rng):
    """`every=2` plays on each second turn and counts twice."""
    adam_g, adam_d = adams(g, d)
    for turn, batch in enumerate(batches):
        real, fake = batch["image"], g({"z": noise(rng)})
        cost = softplus(-d(real, batch)).mean() + softplus(d(fake, batch)).mean()
        descend(adam_d, cost + 3 * 2 * plain_slope(d, real, batch) if turn % 2 == 0 else cost)
        fake = g({"z": noise(rng)})
        descend(adam_g, softplus(-d(fake, batch)).mean())
        yield
