"""Games whose scores are used in other ways: in pairs, as an error, through a view, beside a frozen network."""

import torch
from torch import nn
from torch.nn.functional import softplus

import ganzoo
from games.losses import R1, NonSaturating, plain_slope
from games.parts import SIZE, N, PointDiscriminator, adams, descend, game, noise
from ganzoo import Scheduled


class Relativistic(ganzoo.Loss):
    """Huang et al. 2024 (R3GAN), equation 2: real and fake scores on both turns."""

    def discriminator(self, step):
        return {"pair": softplus(step.fake_scores - step.real_scores).mean()}

    def generator(self, step):
        return {"pair": softplus(step.real_scores - step.fake_scores).mean()}


class R2(ganzoo.Loss):
    """Mescheder et al. 2018, equation 10, with gamma = 1."""

    def discriminator(self, step):
        return {"r2": step.gradient(step.fake, step.given).flatten(1).square().sum(1).mean() / 2}


@game(lambda: [Relativistic(), R1(), R2()])
def relativistic_with_r1_and_r2(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        real, fake = batch["image"], g({"z": noise(rng)})
        pair = softplus(d(fake, batch) - d(real, batch)).mean()
        descend(adam_d, pair + plain_slope(d, real, batch) + plain_slope(d, fake, batch))
        fake = g({"z": noise(rng)})
        descend(adam_g, softplus(d(real, batch) - d(fake, batch)).mean())
        yield


def features() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(SIZE, 8), nn.Dropout(0.5), nn.Tanh())


class Perceptual(ganzoo.Loss):
    """Johnson et al. 2016, equation 2. A network in a loss stays frozen and in eval(), so its dropout does nothing."""

    def __init__(self):
        super().__init__()
        self.features = features()

    def generator(self, step):
        return {"distance": (self.features(step.fake) - self.features(step.real)).square().mean()}


@game(lambda: [NonSaturating(), Perceptual()])
def perceptual(g, d, batches, rng):
    (adam_g, adam_d), linear = adams(g, d), features()[0]
    for batch in batches:
        real, fake = batch["image"], g({"z": noise(rng)})
        descend(adam_d, softplus(-d(real, batch)).mean() + softplus(d(fake, batch)).mean())
        fake = g({"z": noise(rng)})
        distance = ((linear(fake).tanh() - linear(real).tanh()) ** 2).mean()
        descend(adam_g, softplus(-d(fake, batch)).mean() + distance)
        yield


class Jitter(ganzoo.Loss):
    """Brightness (Zhao et al. 2020) and instance noise (Sønderby et al. 2017)."""

    def view(self, step, images, given):
        return images + step.rand(len(images), 1) + 0.1 * step.randn(*images.shape)


@game(lambda: [Scheduled(Jitter(), start=2), NonSaturating(), R1()])
def augmentation(g, d, batches, rng):
    """The view is drawn anew for every score and every gradient; it too has its time."""
    adam_g, adam_d = adams(g, d)

    def jittered(images, given):
        bright = images + torch.rand(N, 1, generator=rng)
        return d(bright + 0.1 * torch.randn(N, SIZE, generator=rng), given)

    for index, batch in enumerate(batches):
        judge = d if index < 2 else jittered
        real, fake = batch["image"], g({"z": noise(rng)})
        cost = softplus(-judge(real, batch)).mean() + softplus(judge(fake, batch)).mean()
        descend(adam_d, cost + plain_slope(judge, real, batch))
        fake = g({"z": noise(rng)})
        descend(adam_g, softplus(-judge(fake, batch)).mean())
        yield


class Autoencoder(PointDiscriminator):
    """Its score is the error with which it reproduces an image."""

    outputs = SIZE

    def forward(self, images, given):
        return (self.net(images) - images).abs().mean(1)


class BoundaryEquilibrium(ganzoo.Loss):
    """Berthelot et al. 2017, section 3.4. State is a buffer that changes in `after`, by the loss's own terms."""

    def __init__(self):
        super().__init__()
        self.register_buffer("k", torch.tensor(0.0))

    def discriminator(self, step):
        real, fake = step.real_scores.mean(), step.fake_scores.mean()
        return {"real": real, "fake": -self.k * fake, "balance": (0.5 * real - fake).detach()}

    def generator(self, step):
        return {"fake": step.fake_scores.mean()}

    def after(self, step, terms):
        if step.turn == "discriminator":
            self.k.add_(0.1 * terms["balance"]).clamp_(0, 1)


@game(lambda: [BoundaryEquilibrium()], discriminator=Autoencoder)
def began(g, d, batches, rng):
    (adam_g, adam_d), k = adams(g, d), 0.0
    for batch in batches:
        real, fake = d(batch["image"], batch).mean(), d(g({"z": noise(rng)}), batch).mean()
        descend(adam_d, real - k * fake)
        k = min(1.0, max(0.0, k + 0.1 * (0.5 * real.item() - fake.item())))
        descend(adam_g, d(g({"z": noise(rng)}), batch).mean())
        yield


class ModeSeeking(ganzoo.Loss):
    """Mao et al. 2019, equation 3, turned over so that it is minimised. It needs a second latent for the batch."""

    def generator(self, step):
        other = step.another_latent()
        apart = (step.fake - step.generate({**step.given, **other})).abs().mean(1)
        return {"sameness": ((step.given["z"] - other["z"]).abs().mean(1) / apart).mean()}


@game(lambda: [NonSaturating(), ModeSeeking()])
def mode_seeking(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        fake = g({"z": noise(rng)})
        descend(adam_d, softplus(-d(batch["image"], batch)).mean() + softplus(d(fake, batch)).mean())
        z, other = noise(rng), noise(rng)
        fake = g({"z": z})
        sameness = (z - other).abs().mean(1) / (fake - g({"z": other})).abs().mean(1)
        descend(adam_g, softplus(-d(fake, batch)).mean() + sameness.mean())
        yield
