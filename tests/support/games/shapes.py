"""Games on other things than one image: several outputs, small images to large ones, sequences."""

import torch
from torch import nn
from torch.nn.functional import relu, softplus

import ganzoo
from games.losses import NonSaturating, Pixelwise
from games.parts import NOISE, SIZE, N, PointDiscriminator, PointGenerator, adams, descend, game, noise, points
from ganzoo import Scheduled


class ImageAndMask(PointGenerator):
    makes, outputs = ("image", "mask"), SIZE + 2

    def forward(self, given):
        image, mask = self.net(given["z"]).split([SIZE, 2], 1)
        return {"image": image, "mask": mask.sigmoid()}


class JudgeOfBoth(PointDiscriminator):
    inputs = SIZE + 2

    def forward(self, images, given):
        return self.net(torch.cat([images["image"], images["mask"]], 1))


@game(
    lambda: [NonSaturating()], generator=ImageAndMask, discriminator=JudgeOfBoth,
    data=lambda: {**points(), "mask": torch.rand(N, 2)},
)  # fmt: skip
def image_and_mask(g, d, batches, rng):
    """Where a generator makes a dict, the discriminator is given dicts, of real data too."""
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        fake = g({"z": noise(rng)})
        descend(adam_d, softplus(-d(batch, batch)).mean() + softplus(d(fake, batch)).mean())
        fake = g({"z": noise(rng)})
        descend(adam_g, softplus(-d(fake, batch)).mean())
        yield


class Upscaler(PointGenerator):
    inputs, needs = NOISE + 2, ("low",)

    def forward(self, given):
        return self.net(torch.cat([given["z"], given["low"]], 1))


@game(
    lambda: [Scheduled(Pixelwise(), stop=4), Scheduled(NonSaturating(), weight=0.1, start=2)],
    generator=Upscaler, data=lambda: {**points(), "low": torch.randn(N, 2)},
)  # fmt: skip
def super_resolution_with_pretraining(g, d, batches, rng):
    """Until the adversarial loss starts, the discriminator's turns are skipped: they draw nothing."""
    adam_g, adam_d = adams(g, d)
    for index, batch in enumerate(batches):
        if index >= 2:
            fake = g({"z": noise(rng), "low": batch["low"]})
            cost = softplus(-d(batch["image"], batch)).mean() + softplus(d(fake, batch)).mean()
            descend(adam_d, 0.1 * cost)
        fake = g({"z": noise(rng), "low": batch["low"]})
        pixelwise, fool = (fake - batch["image"]).abs().mean(), 0.1 * softplus(-d(fake, batch)).mean()
        descend(adam_g, pixelwise if index < 2 else pixelwise + fool if index < 4 else fool)
        yield


class WaveGenerator(ganzoo.Generator):
    """A sequence, made from a latent of its own shape."""

    makes = "wave"

    def __init__(self):
        super().__init__()
        self.recurrent, self.out = nn.GRU(2, 4, batch_first=True), nn.Linear(4, 1)

    def latent(self, n, rng):
        return {"z": torch.randn(n, 7, 2, generator=rng)}

    def forward(self, given):
        return self.out(self.recurrent(given["z"])[0]).tanh()


class WaveDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent, self.out = nn.GRU(1, 4, batch_first=True), nn.Linear(4, 1)

    def forward(self, waves, given):
        return self.out(self.recurrent(waves)[0])


class Hinge(ganzoo.Loss):
    """Miyato et al. 2018, equations 16 and 17."""

    def discriminator(self, step):
        return {"real": relu(1 - step.real_scores).mean(), "fake": relu(1 + step.fake_scores).mean()}

    def generator(self, step):
        return {"fake": -step.fake_scores.mean()}


@game(
    lambda: [Hinge()], generator=WaveGenerator, discriminator=WaveDiscriminator,
    data=lambda: {"wave": torch.rand(N, 7, 1)},
)  # fmt: skip
def recurrent(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        fake = g({"z": torch.randn(N, 7, 2, generator=rng)})
        descend(adam_d, relu(1 - d(batch["wave"], batch)).mean() + relu(1 + d(fake, batch)).mean())
        fake = g({"z": torch.randn(N, 7, 2, generator=rng)})
        descend(adam_g, -d(fake, batch).mean())
        yield
