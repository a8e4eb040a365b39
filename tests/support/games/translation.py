"""Games that turn one image into another."""

import torch
from torch import nn
from torch.nn.functional import l1_loss, softplus

import ganzoo
from games.losses import NonSaturating, Pixelwise
from games.parts import SIZE, N, adams, descend, game, mlp
from ganzoo import Scheduled


class Translator(ganzoo.Generator):
    """Images to images, without a latent; convolutions and batch norm on both sides."""

    needs = ("source",)

    def __init__(self):
        super().__init__()
        first = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.net = nn.Sequential(first, nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))

    def latent(self, n, rng):
        return {}

    def forward(self, given):
        return self.net(given["source"])


class PatchDiscriminator(nn.Module):
    """Returns a map of scores."""

    def __init__(self):
        super().__init__()
        first = nn.Conv2d(3, 4, 3, bias=False)
        self.net = nn.Sequential(first, nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 2))

    def forward(self, images, given):
        return self.net(torch.cat([images, given["source"]], 1))


@game(
    lambda: [NonSaturating(), Scheduled(Pixelwise(), weight=100)],
    generator=Translator, discriminator=PatchDiscriminator,
    data=lambda: {"image": torch.randn(N, 2, 5, 5), "source": torch.randn(N, 1, 5, 5)},
)  # fmt: skip
def pix2pix(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        real, fake = batch["image"], g(batch)
        descend(adam_d, softplus(-d(real, batch)).mean() + softplus(d(fake, batch)).mean())
        fake = g(batch)
        descend(adam_g, softplus(-d(fake, batch)).mean() + 100 * (fake - real).abs().mean())
        yield


class TwoWays(ganzoo.Generator):
    """Two networks on one side, which make two things: they travel as one dict."""

    makes = ("a", "b")

    def __init__(self):
        super().__init__()
        self.to_a, self.to_b = mlp(SIZE, SIZE), mlp(SIZE, SIZE)

    def latent(self, n, rng):
        return {}

    def forward(self, given):
        return {"a": self.to_a(given["b"]), "b": self.to_b(given["a"])}


class TwoJudges(nn.Module):
    def __init__(self):
        super().__init__()
        self.of = nn.ModuleDict({"a": mlp(SIZE, 1), "b": mlp(SIZE, 1)})

    def forward(self, images, given):
        return self.of[given["domain"]](images)


class LeastSquaresInBothDomains(ganzoo.Loss):
    """Zhu et al. 2017, section 4. A loss may score whatever it likes."""

    def discriminator(self, step):
        real, fake = self.scores(step, step.real), self.scores(step, step.fake)
        return {key: (real[key] - 1).square().mean() + fake[key].square().mean() for key in "ab"}

    def generator(self, step):
        return {key: (scores - 1).square().mean() for key, scores in self.scores(step, step.fake).items()}

    def scores(self, step, images):
        return {key: step.score(images[key], {"domain": key}) for key in "ab"}


class CycleConsistency(ganzoo.Loss):
    """Zhu et al. 2017, equation 2. A loss may generate from whatever it likes."""

    def generator(self, step):
        back = step.generate(step.fake)
        return {key: l1_loss(back[key], step.real[key]) for key in "ab"}


@game(
    lambda: [LeastSquaresInBothDomains(), Scheduled(CycleConsistency(), weight=10)],
    generator=TwoWays, discriminator=TwoJudges,
    data=lambda: {"a": torch.randn(N, SIZE), "b": torch.randn(N, SIZE)},
)  # fmt: skip
def cyclegan(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        a, b = batch["a"], batch["b"]
        cost_a = ((d.of.a(a) - 1) ** 2).mean() + (d.of.a(g.to_a(b)) ** 2).mean()
        cost_b = ((d.of.b(b) - 1) ** 2).mean() + (d.of.b(g.to_b(a)) ** 2).mean()
        descend(adam_d, cost_a + cost_b)
        fake_a, fake_b = g.to_a(b), g.to_b(a)
        fool = ((d.of.a(fake_a) - 1) ** 2).mean() + ((d.of.b(fake_b) - 1) ** 2).mean()
        cycle = (g.to_a(fake_b) - a).abs().mean() + (g.to_b(fake_a) - b).abs().mean()
        descend(adam_g, fool + 10 * cycle)
        yield
