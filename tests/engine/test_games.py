"""The contract, by example: GANs of the literature, each played twice, by the engine and by a plain loop of torch.

A game is a decorated function. The decorator takes what plugins and a recipe would bring: losses, and networks and
data where they are not the simplest. The function plays the same game with nothing of ganzoo, one training step per
`yield`; after every step all weights and buffers must agree in float64. The networks are tiny, since what is tested is
who moves, when, and by what.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, l1_loss, one_hot, relu, softplus

import ganzoo
from ganzoo import Scheduled

STEPS, N, SIZE, NOISE, CLASSES = 5, 6, 4, 3, 3


def mlp(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, outputs))


class PointGenerator(ganzoo.Generator):
    """What is called an image may be any tensor whose first axis is the sample; here it is a point."""

    latent_size, inputs, outputs = NOISE, NOISE, SIZE

    def __init__(self):
        super().__init__()
        self.net = mlp(self.inputs, self.outputs)

    def forward(self, given):
        return self.net(given["z"])


class PointDiscriminator(nn.Module):
    inputs, outputs = SIZE, 1

    def __init__(self):
        super().__init__()
        self.net = mlp(self.inputs, self.outputs)

    def forward(self, images, given):
        return self.net(images)


def points() -> dict[str, Tensor]:
    return {"image": torch.randn(N, SIZE)}


@dataclass(frozen=True)
class Game:
    """What the engine is given, and the loop `plain(g, d, batches, rng)` that must come to the same weights."""

    plain: Callable[..., Iterator[None]]
    losses: Callable[[], list[ganzoo.Loss | Scheduled]]
    generator: Callable[[], ganzoo.Generator] = PointGenerator
    discriminator: Callable[[], nn.Module] = PointDiscriminator
    data: Callable[[], dict[str, Tensor]] = points
    critic_steps: int = 1
    optimizer: str = "adam"

    def networks(self) -> tuple[nn.Module, nn.Module]:
        torch.manual_seed(1)
        return self.generator(), self.discriminator()

    def batches(self) -> Iterator[dict[str, Tensor]]:
        torch.manual_seed(2)
        return iter([self.data() for _ in range(STEPS * self.critic_steps)])

    def engine(self, *more: ganzoo.Loss) -> ganzoo.Engine:
        train = {"critic_steps": self.critic_steps, "precision": "fp32"}
        optimizer = {"name": self.optimizer, "lr": 0.01}
        return ganzoo.Engine(
            *self.networks(), [*self.losses(), *more], train=train, optimizer=optimizer, device="cpu"
        )  # fmt: skip


GAMES: dict[str, Game] = {}


def game(losses: Callable[[], list[ganzoo.Loss | Scheduled]], **parts: Any) -> Callable[..., Any]:
    def register(plain: Callable[..., Iterator[None]]) -> Callable[..., Iterator[None]]:
        GAMES[plain.__name__] = Game(plain, losses, **parts)
        return plain

    return register


# What the plain loops share: an optimizer for each side, one way to move a side, and the noise of the run.


def adams(*sides: nn.Module) -> list[torch.optim.Optimizer]:
    return [torch.optim.Adam(side.parameters(), lr=0.01, betas=(0.5, 0.999)) for side in sides]


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Moves this optimizer's parameters alone, whatever else the loss depends on."""
    own = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for parameter, gradient in zip(own, torch.autograd.grad(loss, own, allow_unused=True), strict=True):
        parameter.grad = gradient
    optimizer.step()


def noise(rng: torch.Generator) -> Tensor:
    return torch.randn(N, NOISE, generator=rng)


# The games.


class NonSaturating(ganzoo.Loss):
    """Goodfellow et al. 2014, section 3: both sides' cross entropy on raw scores."""

    def discriminator(self, step):
        return {"real": softplus(-step.real_scores).mean(), "fake": softplus(step.fake_scores).mean()}

    def generator(self, step):
        return {"fake": softplus(-step.fake_scores).mean()}


@game(lambda: [NonSaturating()])
def vanilla(g, d, batches, rng):
    adam_g, adam_d = adams(g, d)
    for batch in batches:
        fake = g({"z": noise(rng)})
        descend(adam_d, softplus(-d(batch["image"], batch)).mean() + softplus(d(fake, batch)).mean())
        fake = g({"z": noise(rng)})
        descend(adam_g, softplus(-d(fake, batch)).mean())
        yield


class Wasserstein(ganzoo.Loss):
    """Arjovsky et al. 2017, equation 2."""

    def discriminator(self, step):
        return {"critic": step.fake_scores.mean() - step.real_scores.mean()}

    def generator(self, step):
        return {"critic": -step.fake_scores.mean()}


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


class R1(ganzoo.Loss):
    """Mescheder et al. 2018, equation 9, with gamma = 1."""

    def discriminator(self, step):
        return {"r1": step.gradient(step.real, step.batch).flatten(1).square().sum(1).mean() / 2}


def plain_slope(d, images, given):
    images = images.detach().requires_grad_()
    (slope,) = torch.autograd.grad(d(images, given).sum(), images, create_graph=True)
    return 0.5 * (slope**2).sum() / N


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


class Pixelwise(ganzoo.Loss):
    """Isola et al. 2017, equation 3."""

    def generator(self, step):
        return {"l1": l1_loss(step.fake, step.real)}


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


# The definition.


@pytest.fixture(autouse=True)
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


every_game = pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)


def agree(one: nn.Module, other: nn.Module) -> None:
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=1e-9, atol=1e-11)


@every_game
def test_each_of_five_steps_equals_the_plain_loop(game):
    engine, (g, d), rng = game.engine(), game.networks(), torch.Generator()
    rng.set_state(engine.rng.get_state())
    batches, plain = game.batches(), game.plain(g, d, game.batches(), rng)
    for _ in range(STEPS):
        engine.step(batches)
        next(plain)
        agree(engine.generator, g)
        agree(engine.discriminator, d)
    assert torch.equal(engine.rng.get_state(), rng.get_state())


class Watch(ganzoo.Loss):
    """Looks after every turn whether the side whose turn it was not is frozen and has no gradient."""

    def __init__(self):
        super().__init__()
        self.turns = []

    def after(self, step, terms):
        self.turns.append(step.turn)
        frozen = step.generator if step.turn == "discriminator" else step.discriminator
        assert not any(parameter.requires_grad for parameter in frozen.parameters())
        assert all(parameter.grad is None for parameter in frozen.parameters())


@every_game
def test_the_other_side_is_frozen_and_gets_no_gradient(game):
    watch = Watch()
    engine, batches = game.engine(watch), game.batches()
    for _ in range(STEPS):
        engine.step(batches)
    assert watch.turns.count("generator") == STEPS
    assert "discriminator" in watch.turns


# How terms add up. Plain gradient descent here, since Adam would hide a factor.


def played(*losses: ganzoo.Loss | Scheduled) -> ganzoo.Engine:
    rules = replace(GAMES["vanilla"], losses=lambda: losses, optimizer="sgd")
    engine, batches = rules.engine(), rules.batches()
    for _ in range(STEPS):
        engine.step(batches)
    return engine


def test_two_losses_with_the_same_term_word_both_count():
    twice, doubled = played(NonSaturating(), NonSaturating()), played(Scheduled(NonSaturating(), weight=2))
    agree(twice.generator, doubled.generator)
    agree(twice.discriminator, doubled.discriminator)


def test_a_detached_term_is_logged_and_nothing_else():
    class Logged(NonSaturating):
        def discriminator(self, step):
            return {**super().discriminator(step), "margin": 7 + 0 * step.real_scores.mean().detach()}

    logged, silent = played(Logged()), played(NonSaturating())
    agree(logged.generator, silent.generator)
    agree(logged.discriminator, silent.discriminator)
    assert logged.metrics()["discriminator/Logged/margin"] == 7


def test_on_the_discriminators_turn_the_fake_has_no_graph():
    graphs = {}

    class Graph(NonSaturating):
        def discriminator(self, step):
            graphs["discriminator"] = step.fake.requires_grad
            return super().discriminator(step)

        def generator(self, step):
            graphs["generator"] = step.fake.requires_grad
            return super().generator(step)

    played(Graph())
    assert graphs == {"discriminator": False, "generator": True}


def test_the_discriminator_is_given_the_batch_and_for_a_fake_also_its_latent():
    engine = GAMES["conditional"].engine()
    seen = []
    engine.discriminator.register_forward_pre_hook(lambda module, inputs: seen.append(set(inputs[1])))
    engine.prepare(next(GAMES["conditional"].batches()))
    seen.clear()
    engine.step(GAMES["conditional"].batches())
    real, fake = {"image", "label"}, {"image", "label", "z"}
    assert seen == [real, fake, fake]


@pytest.mark.parametrize("turn", ["discriminator", "generator"])
def test_a_turn_whose_losses_give_no_gradient_is_an_error(turn):
    class Constant(ganzoo.Loss):
        pass

    setattr(Constant, turn, lambda self, step: {"one": torch.ones(())})
    with pytest.raises(ganzoo.BadInput, match=f"no loss gives the {turn} a gradient at step 0"):
        played(Constant())


@pytest.mark.parametrize(
    ("loss", "moves", "rests"),
    [(Pixelwise, "generator", "discriminator"), (R1, "discriminator", "generator")],
)
def test_a_turn_without_a_scheduled_loss_is_skipped_and_its_optimizer_untouched(loss, moves, rests):
    rules = replace(GAMES["vanilla"], losses=lambda: [loss(), Scheduled(NonSaturating(), start=3)])
    engine, batches = rules.engine(), rules.batches()
    start = copy.deepcopy({side: getattr(engine, side).state_dict() for side in (moves, rests)})
    for _ in range(3):
        engine.step(batches)
    torch.testing.assert_close(getattr(engine, rests).state_dict(), start[rests], rtol=0, atol=0)
    assert not engine.players[rests].optimizer.state
    assert engine.players[moves].optimizer.state
    engine.step(batches)
    assert engine.players[rests].optimizer.state
