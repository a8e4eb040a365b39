import math

import numpy as np
import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_losses.adversarial import Hinge, LabelSmoothing, LeastSquares, Relativistic
from ganzoo_losses.penalties import R1, R2
from single_turns import SHAPES, play, play_scores, scores, tiny_discriminator

toys = ganzoo.testing.toys


def chi_squared():
    return LeastSquares(real=1.0, fake=-1.0, fool=0.0)


def log_sigmoid(scores):
    return np.log(1 / (1 + np.exp(-scores)))


FORMULAS = [
    (LeastSquares, "discriminator", lambda real, fake: 0.5 * np.mean((real - 1) ** 2) + 0.5 * np.mean(fake**2)),
    (LeastSquares, "generator", lambda real, fake: 0.5 * np.mean((fake - 1) ** 2)),
    (chi_squared, "discriminator", lambda real, fake: 0.5 * np.mean((real - 1) ** 2) + 0.5 * np.mean((fake + 1) ** 2)),
    (chi_squared, "generator", lambda real, fake: 0.5 * np.mean(fake**2)),
    (Hinge, "discriminator", lambda r, f: -np.minimum(0, r - 1).mean() - np.minimum(0, -1 - f).mean()),
    (Hinge, "generator", lambda real, fake: -np.mean(fake)),
    (Relativistic, "discriminator", lambda real, fake: -np.mean(log_sigmoid(real - fake))),
    (Relativistic, "generator", lambda real, fake: -np.mean(log_sigmoid(fake - real))),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("loss", "turn", "formula"), FORMULAS)
def test_a_loss_and_its_gradients_are_those_of_the_paper(loss, turn, formula, shape):
    step = play(turn, tiny_discriminator(shape))
    total = sum(getattr(loss(), turn)(step).values())
    total.backward()
    assert total.item() == pytest.approx(formula(*scores(step)), rel=1e-12)
    for parameter in getattr(step, turn).parameters():
        expected = toys.central_differences(lambda: formula(*scores(step)), parameter)
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-6, atol=1e-9)


def test_hinge_leaves_scores_beyond_the_margin_alone():
    step = play_scores("discriminator", real=[-2.0, 0.5, 1.5, 9.0], fake=[0.0, 0.0, 0.0, 0.0])
    Hinge().discriminator(step)["real"].backward()
    assert step.batch["image"].grad.tolist() == [-0.25, -0.25, 0, 0]


def test_relativistic_pairs_the_first_real_score_with_the_first_fake_one():
    step = play_scores("generator", real=[0.0, 100.0], fake=[0.0, 100.0])
    assert Relativistic().generator(step)["pairs"].item() == pytest.approx(math.log(2))


def test_relativistic_stays_finite_where_a_sigmoid_would_not():
    step = play_scores("generator", real=[1e4, -1e4], fake=[-1e4, 1e4])
    pairs = Relativistic().generator(step)["pairs"]
    pairs.backward()
    assert pairs.item() == pytest.approx(1e4)
    assert step.latent["z"].grad.tolist() == [-0.5, 0]


@pytest.mark.parametrize("gammas", [(3.0, 0.0), (0.0, 2.0), (3.0, 2.0)])
def test_relativistic_with_penalties_is_the_sum_of_three_losses_from_two_forwards(gammas):
    r1, r2 = gammas
    found = []
    for losses in ([Relativistic(r1, r2)], [Relativistic(), *([R1(r1)] if r1 else []), *([R2(r2)] if r2 else [])]):
        step = play("discriminator", tiny_discriminator(SHAPES[0]))
        forwards = []
        step.discriminator.register_forward_hook(lambda *_, forwards=forwards: forwards.append(1))
        total = sum(term for loss in losses for term in loss.discriminator(step).values())
        total.backward()
        gradients = [parameter.grad for parameter in step.discriminator.parameters()]
        found.append((total.detach(), gradients, len(forwards)))
    (one, own, few), (other, expected, many) = found
    torch.testing.assert_close(one, other, rtol=1e-12, atol=0)
    torch.testing.assert_close(own, expected, rtol=1e-9, atol=1e-12)
    assert (few, many) == (2, 2 + (r1 > 0) + (r2 > 0))


def test_relativistic_refuses_a_negative_gamma():
    with pytest.raises(ValueError, match="r2 must"):
        Relativistic(r2=-1.0)


def test_relativistic_refuses_scores_that_cannot_be_paired():
    class PositiveOnly(nn.Module):
        def forward(self, images, given):
            return images[images > 0]

    engine = ganzoo.Engine(
        toys.TinyGenerator(), PositiveOnly(), [Relativistic()], device="cpu", train={"precision": "fp32"}
    )
    with pytest.raises(ganzoo.BadInput) as refusal:
        engine.prepare({"image": torch.full((8, 1, 2, 2), -1.0)})
    message = str(refusal.value)
    assert message.startswith(
        "loss 'Relativistic': it pairs real and fake scores one to one, but their shapes are (0,)"
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_smoothing_makes_the_target_of_real_samples_less_than_one(shape):
    step = play("discriminator", tiny_discriminator(shape))
    smoothed = sum(loss.discriminator(step)["real" if i else "smoothing"] for i, loss in enumerate(BESIDE))
    real = 1 / (1 + np.exp(-scores(step)[0]))
    assert smoothed.item() == pytest.approx(np.mean(-0.75 * np.log(real) - 0.25 * np.log(1 - real)), rel=1e-12)
    assert LabelSmoothing().generator(step) == {}


BESIDE = [LabelSmoothing(amount=0.25), toys.NonSaturating()]
