"""Games of several judges, with more than samples and scores, and with parts of networks."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot, softplus

import ganzoo
from games.conditional import ConditionalDiscriminator, ConditionalGenerator, labelled_points
from games.losses import R1, NonSaturating, plain_slope
from games.parts import CLASSES, NOISE, SIZE, N, PointDiscriminator, PointGenerator, adams, descend, game, mlp, noise
from ganzoo import Scheduled


def plain_vanilla(d, real, fake, given):
    return softplus(-d(real, given)).mean() + softplus(d(fake, given)).mean()


class TwoScales(nn.Module):
    """Wang et al. 2018 (pix2pixHD), section 3.2: several judges return a list of score maps, here of two sizes."""

    def __init__(self):
        super().__init__()
        self.fine, self.coarse = mlp(SIZE, 3), mlp(SIZE // 2, 1)

    def forward(self, images, given):
        return [self.fine(images), self.coarse(images.reshape(len(images), -1, 2).mean(2))]

    def map(self, number):
        return lambda images, given: self(images, given)[number]


@game(lambda: [NonSaturating(), R1()], discriminator=TwoScales)
def multi_scale(g, d, batches, rng):
    """Both count alike, whatever the size of their maps; a penalty is each judge's own."""
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        real, fake = batch["image"], g({"z": noise(rng)})
        costs = [plain_vanilla(one, real, fake, batch) + plain_slope(one, real, batch) for one in map(d.map, (0, 1))]
        descend(adam_d, sum(costs) / 2)
        fake = g({"z": noise(rng)})
        descend(adam_g, sum(softplus(-d.map(one)(fake, batch)).mean() for one in (0, 1)) / 2)
        yield


class Mapped(PointGenerator):
    """Karras et al. 2019: a mapping before the synthesis. Losses are shown its result, beside the samples."""

    def __init__(self):
        super().__init__()
        self.mapping = mlp(NOISE, NOISE)

    def forward(self, given):
        w = self.mapping(given["z"])
        return self.net(w), {"w": w}


class SmallStyles(ganzoo.Loss):
    """What was made for the scores, and another sample beside it."""

    def generator(self, step):
        _, extras = step.make(step.given | step.another_latent())
        return {"own": step.generator_extras["w"].square().mean(), "other": extras["w"].square().mean()}


@game(lambda: [NonSaturating(), SmallStyles()], generator=Mapped)
def mapping_network(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        fake, _ = g({"z": noise(rng)})
        descend(adam_d, plain_vanilla(d, batch["image"], fake, batch))
        (fake, own), other = g({"z": noise(rng)}), g({"z": noise(rng)})[1]
        descend(adam_g, softplus(-d(fake, batch)).mean() + own["w"].square().mean() + other["w"].square().mean())
        yield


class OnMask(PointDiscriminator):
    inputs = 2 * SIZE

    def forward(self, images, given):
        return self.net(torch.cat([images, given["mask"]], 1))


class Flip(ganzoo.Loss):
    """Turn some images round, and the mask of each with it."""

    def view(self, step, images, given):
        turned = step.rand(len(images), 1) < 0.5
        flipped = {"mask": torch.where(turned, given["mask"].flip(1), given["mask"])}
        return torch.where(turned, images.flip(1), images), {**given, **flipped}


@game(
    lambda: [Flip(), NonSaturating()], discriminator=OnMask,
    data=lambda: {"image": torch.randn(N, SIZE), "mask": torch.randn(N, SIZE)},
)  # fmt: skip
def flipped_with_the_mask(g, d, batches, rng):
    def seen(images, batch):
        turned = torch.rand(N, 1, generator=rng) < 0.5
        both = [torch.where(turned, each.flip(1), each) for each in (images, batch["mask"])]
        return d(both[0], {"mask": both[1]})

    adam_g, adam_d = adams(g, d)
    for batch in batches:
        fake = g({"z": noise(rng)})
        descend(adam_d, softplus(-seen(batch["image"], batch)).mean() + softplus(seen(fake, batch)).mean())
        descend(adam_g, softplus(-seen(g({"z": noise(rng)}), batch)).mean())
        yield


class MatchingAware(NonSaturating):
    """Reed et al. 2016, algorithm 1: real images with a label that is not theirs are judged, too."""

    def discriminator(self, step):
        wrong = {**step.batch, "label": (step.batch["label"] + 1) % CLASSES}
        scores, extras = step.judge(step.real, wrong)
        return {**super().discriminator(step), "wrong": softplus(scores).mean() + extras["size"].mean()}


class Talkative(ConditionalDiscriminator):
    def forward(self, images, given):
        scores = super().forward(images, given)
        return scores, {"size": scores.square()}


@game(lambda: [MatchingAware()], generator=ConditionalGenerator, discriminator=Talkative, data=labelled_points)
def matching_aware(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        label, real = batch["label"], batch["image"]
        fake = g({"z": drawn(rng)[0], "label": label})
        wrong = d(real, {"label": (label + 1) % CLASSES})[0]
        cost = softplus(-d(real, batch)[0]).mean() + softplus(d(fake, batch)[0]).mean()
        descend(adam_d, cost + softplus(wrong).mean() + wrong.square().mean())
        descend(adam_g, softplus(-d(g({"z": drawn(rng)[0], "label": label}), batch)[0]).mean())
        yield


def drawn(rng):
    return noise(rng), torch.randint(CLASSES, (N,), generator=rng)


class LabelGenerator(PointGenerator):
    """Fakes have labels of their own, whatever the real samples have."""

    inputs, labels, categorical = NOISE + CLASSES, "drawn", {"label": CLASSES}

    def forward(self, given):
        return self.net(torch.cat([given["z"], one_hot(given["label"], CLASSES)], 1))


class LabelReader(PointDiscriminator):
    outputs = 1 + CLASSES

    def forward(self, images, given):
        scores, label = self.net(images).split([1, CLASSES], 1)
        return scores, {"label": label}


class Auxiliary(ganzoo.Loss):
    """Odena et al. 2017 (ACGAN), equation 3."""

    def discriminator(self, step):
        real = cross_entropy(step.real_extras["label"], step.batch["label"])
        return {"real": real, **self.generator(step)}

    def generator(self, step):
        return {"fake": cross_entropy(step.fake_extras["label"], step.given["label"])}


@game(lambda: [NonSaturating(), Auxiliary()], generator=LabelGenerator, discriminator=LabelReader, data=labelled_points)
def acgan(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        z, label = drawn(rng)
        (real, read), (fake, read_fake) = d(batch["image"], batch), d(g({"z": z, "label": label}), batch)
        cost = softplus(-real).mean() + softplus(fake).mean() + cross_entropy(read["label"], batch["label"])
        descend(adam_d, cost + cross_entropy(read_fake["label"], label))
        z, label = drawn(rng)
        fake, read = d(g({"z": z, "label": label}), batch)
        descend(adam_g, softplus(-fake).mean() + cross_entropy(read["label"], label))
        yield


class WithEncoder(PointGenerator):
    """An encoder is a part of the side that it plays on."""

    def __init__(self):
        super().__init__()
        self.encoder = mlp(SIZE, NOISE)


class OfPairs(PointDiscriminator):
    inputs = SIZE + NOISE

    def forward(self, images, given):
        return self.net(torch.cat([images, given["z"]], 1))


class Bidirectional(ganzoo.Loss):
    """Donahue et al. 2017 (BiGAN), equation 2; the encoder is called as the engine calls networks."""

    def discriminator(self, step):
        encoded = {"z": step.call(step.generator.encoder, step.real)}
        return {"real": softplus(-step.score(step.real, encoded)).mean(), "fake": softplus(step.fake_scores).mean()}

    def generator(self, step):
        encoded = {"z": step.call(step.generator.encoder, step.real)}
        return {"real": softplus(step.score(step.real, encoded)).mean(), "fake": softplus(-step.fake_scores).mean()}


@game(lambda: [Scheduled(Bidirectional(), weight=0.5)], generator=WithEncoder, discriminator=OfPairs)
def bigan(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        real, given = batch["image"], {"z": noise(rng)}
        cost = softplus(-d(real, {"z": g.encoder(real)})).mean() + softplus(d(g(given), given)).mean()
        descend(adam_d, 0.5 * cost)
        given = {"z": noise(rng)}
        cost = softplus(d(real, {"z": g.encoder(real)})).mean() + softplus(-d(g(given), given)).mean()
        descend(adam_g, 0.5 * cost)
        yield
