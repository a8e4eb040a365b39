import math

import numpy as np
import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_vanilla.losses import Minimax, NonSaturating

toys = ganzoo.testing.toys

SHAPES = [(), (1,), (1, 4, 4)]


def log_sigmoid(scores):
    return np.log(1 / (1 + np.exp(-scores)))


def discriminator_value(real, fake):
    """Goodfellow et al. 2014, equation 1, negated: what the discriminator minimises."""
    return -log_sigmoid(real).mean() - np.log(1 - 1 / (1 + np.exp(-fake))).mean()


FORMULAS = [
    (Minimax, "discriminator", discriminator_value),
    (Minimax, "generator", lambda real, fake: np.log(1 - 1 / (1 + np.exp(-fake))).mean()),
    (NonSaturating, "discriminator", discriminator_value),
    (NonSaturating, "generator", lambda real, fake: -log_sigmoid(fake).mean()),
]


def game(shape=()):
    torch.manual_seed(0)
    return toys.TinyGenerator().double(), toys.TinyCritic(scores=shape).double()


def play(turn, generator, discriminator, n=6):
    """A step in which the other side is frozen, as the engine does it."""
    rng = torch.Generator().manual_seed(1)
    batch = {"image": torch.rand(n, 1, 2, 2, generator=rng, dtype=torch.float64) * 2 - 1}
    latent = {"z": torch.randn(n, 3, generator=rng, dtype=torch.float64)}
    return toys.make_step(turn, generator, discriminator, batch, latent, rng)


@torch.no_grad()
def scores(step):
    """Real and fake scores by calling the networks directly."""
    real = step.discriminator(step.batch["image"], {})
    fake = step.discriminator(step.generator(step.latent), {})
    return real.numpy(), fake.numpy()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("loss", "turn", "formula"), FORMULAS)
def test_a_loss_and_its_gradients_are_those_of_the_paper(loss, turn, formula, shape):
    step = play(turn, *game(shape))
    total = sum(getattr(loss(), turn)(step).values())
    total.backward()
    assert total.item() == pytest.approx(formula(*scores(step)), rel=1e-12)
    for parameter in getattr(step, turn).parameters():
        expected = toys.central_differences(lambda: formula(*scores(step)), parameter)
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-6, atol=1e-9)


class Scaled(nn.Module):
    """Scores that are known beforehand: the images themselves, times a weight of 1."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, images, given):
        return self.weight * images


class Given(ganzoo.Generator):
    """Makes the numbers that it is given, times a weight of 1."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, given):
        return self.weight * given["z"]


def play_scores(turn, real, fake):
    return ganzoo.Step(
        turn, 0, {"image": torch.tensor(real)}, {"z": torch.tensor(fake)}, generator=Given(), discriminator=Scaled(),
        call=lambda module, *inputs, twice=False: module(*inputs), rng=torch.Generator(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("loss", "turn", "expected"),
    [
        (Minimax, "discriminator", {"real": 0.5e4, "fake": 0.5e4}),
        (Minimax, "generator", {"fool": -0.5e4}),
        (NonSaturating, "generator", {"fool": 0.5e4}),
    ],
)
def test_scores_too_large_for_a_sigmoid_still_give_finite_losses_and_gradients(loss, turn, expected):
    step = play_scores(turn, real=[1e4, -1e4], fake=[1e4, -1e4])
    terms = getattr(loss(), turn)(step)
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(expected)
    sum(terms.values()).backward()
    assert getattr(step, turn).weight.grad.isfinite()


def test_only_the_non_saturating_generator_still_learns_where_the_discriminator_is_sure():
    slopes = {}
    for loss in (Minimax, NonSaturating):
        step = play_scores("generator", real=[20.0], fake=[-20.0])
        loss().generator(step)["fool"].backward()
        slopes[loss] = step.generator.weight.grad.item()
    assert slopes[Minimax] == pytest.approx(20 / (1 + math.exp(20)), rel=1e-4)
    assert slopes[NonSaturating] == pytest.approx(20 / (1 + math.exp(-20)), rel=1e-4)


@pytest.mark.parametrize("loss", [Minimax, NonSaturating])
def test_the_engine_plays_it_and_logs_its_terms(loss):
    torch.manual_seed(0)
    engine = ganzoo.Engine(
        toys.TinyGenerator(),
        toys.TinyCritic(),
        [loss()],
        train={"precision": "fp32"},
        optimizer={"lr": 1e-2},
        device="cpu",
    )
    means = engine.run([{"image": torch.full((8, 1, 2, 2), 0.5)}], 20)
    name = loss.__name__
    assert set(means) == {f"discriminator/{name}/real", f"discriminator/{name}/fake", f"generator/{name}/fool"}
