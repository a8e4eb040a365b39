"""Games with labels, codes, or packs of samples."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot, softplus

import ganzoo
from games.losses import GradientPenalty, NonSaturating, Wasserstein, plain_penalty
from games.parts import CLASSES, NOISE, SIZE, N, PointDiscriminator, PointGenerator, adams, descend, game, noise, points
from ganzoo import Scheduled


class ConditionalGenerator(PointGenerator):
    inputs, needs, key = NOISE + CLASSES, ("label",), "label"

    def latent(self, n, rng):
        return {**super().latent(n, rng), self.key: torch.randint(CLASSES, (n,), generator=rng)}

    def forward(self, given):
        return self.net(torch.cat([given["z"], one_hot(given[self.key], CLASSES)], 1))


class ConditionalDiscriminator(PointDiscriminator):
    inputs = SIZE + CLASSES

    def forward(self, images, given):
        return self.net(torch.cat([images, one_hot(given["label"], CLASSES)], 1))


def labelled_points() -> dict[str, Tensor]:
    return {**points(), "label": torch.randint(CLASSES, (N,))}


CONDITIONAL = {"generator": ConditionalGenerator, "discriminator": ConditionalDiscriminator, "data": labelled_points}


def noise_and_label(rng, batch):
    """The generator draws a label for when it samples alone; in training the label of the real batch replaces it."""
    z, _ = noise(rng), torch.randint(CLASSES, (N,), generator=rng)
    return {"z": z, "label": batch["label"]}


@game(lambda: [NonSaturating()], **CONDITIONAL)
def conditional(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        fake = g(noise_and_label(rng, batch))
        descend(adam_d, softplus(-d(batch["image"], batch)).mean() + softplus(d(fake, batch)).mean())
        fake = g(noise_and_label(rng, batch))
        descend(adam_g, softplus(-d(fake, batch)).mean())
        yield


@game(lambda: [Wasserstein(), Scheduled(GradientPenalty(), weight=10)], critic_steps=2, **CONDITIONAL)
def conditional_wgan_gp(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    while True:
        for _ in range(2):
            batch = next(batches)
            real, fake = batch["image"], g(noise_and_label(rng, batch))
            critic = d(fake, batch).mean() - d(real, batch).mean()
            descend(adam_d, critic + plain_penalty(d, real, fake, batch, rng))
        fake = g(noise_and_label(rng, batch))
        descend(adam_g, -d(fake, batch).mean())
        yield


class CodeGenerator(ConditionalGenerator):
    needs, key = (), "code"


class CodeReader(PointDiscriminator):
    """A discriminator that says more than a score returns a pair (scores, extras)."""

    outputs = 1 + CLASSES

    def forward(self, images, given):
        scores, code = self.net(images).split([1, CLASSES], 1)
        return scores, {"code": code}


class MutualInformation(ganzoo.Loss):
    """Chen et al. 2016, equation 5; both sides maximise it."""

    def discriminator(self, step):
        return {"code": cross_entropy(step.fake_extras["code"], step.given["code"])}

    generator = discriminator


@game(lambda: [NonSaturating(), MutualInformation()], generator=CodeGenerator, discriminator=CodeReader)
def infogan(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        given = {"z": noise(rng), "code": torch.randint(CLASSES, (N,), generator=rng)}
        (real_scores, _), (fake_scores, read) = d(batch["image"], batch), d(g(given), given)
        cost = softplus(-real_scores).mean() + softplus(fake_scores).mean()
        descend(adam_d, cost + cross_entropy(read["code"], given["code"]))
        given = {"z": noise(rng), "code": torch.randint(CLASSES, (N,), generator=rng)}
        fake_scores, read = d(g(given), given)
        descend(adam_g, softplus(-fake_scores).mean() + cross_entropy(read["code"], given["code"]))
        yield


class PackedDiscriminator(PointDiscriminator):
    """Lin et al. 2018: judges two samples at once, so there are fewer scores than images."""

    inputs = 2 * SIZE

    def forward(self, images, given):
        return self.net(images.reshape(len(images) // 2, -1))


@game(lambda: [NonSaturating()], discriminator=PackedDiscriminator)
def pacgan(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        fake = g({"z": noise(rng)})
        descend(adam_d, softplus(-d(batch["image"], batch)).mean() + softplus(d(fake, batch)).mean())
        fake = g({"z": noise(rng)})
        descend(adam_g, softplus(-d(fake, batch)).mean())
        yield


@game(
    lambda: [Wasserstein(), Scheduled(GradientPenalty(), weight=10)],
    critic_steps=2, discriminator=PackedDiscriminator,
)  # fmt: skip
def pacgan_with_gradient_penalty(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    while True:
        for _ in range(2):
            batch = next(batches)
            real, fake = batch["image"], g({"z": noise(rng)})
            critic = d(fake, batch).mean() - d(real, batch).mean()
            descend(adam_d, critic + plain_penalty(d, real, fake, batch, rng))
        fake = g({"z": noise(rng)})
        descend(adam_g, -d(fake, batch).mean())
        yield
