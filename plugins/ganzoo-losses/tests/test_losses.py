import importlib
import math

import numpy as np
import pytest
import torch
from torch import nn

import ganzoo
import ganzoo_losses
from ganzoo_losses.losses import R1, R2, Dragan, Hinge, LeastSquares, Relativistic

toys = ganzoo.testing.toys

SHAPES = [(), (1,), (1, 4, 4)]


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


class Linear(nn.Module):
    """The same slope everywhere, times the label where there is one."""

    def __init__(self, slope):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))

    def forward(self, images, given):
        return images.flatten(1) @ self.slope * given.get("label", 1)


class Quadratic(nn.Module):
    """A sample's score is half its squared norm times a weight, so its gradient is itself times that weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))

    def forward(self, images, given):
        self.images = images.detach()
        return self.weight * images.flatten(1).square().sum(1) / 2


def play(turn, discriminator, n=6, label=None, drawn_label=None):
    """A step in which the other side is frozen, as the engine does it; always with the same numbers."""
    torch.manual_seed(0)
    generator = toys.TinyGenerator().double()
    rng = torch.Generator().manual_seed(1)
    batch = {"image": torch.rand(n, 1, 2, 2, generator=rng, dtype=torch.float64) * 2 - 1}
    latent = {"z": torch.randn(n, 3, generator=rng, dtype=torch.float64)}
    if label is not None:
        batch["label"], latent["label"] = label, drawn_label
    return toys.make_step(turn, generator, discriminator, batch, latent, rng)


def tiny_discriminator(shape=()):
    torch.manual_seed(2)
    return toys.TinyCritic(scores=shape, scale=4).double()


@torch.no_grad()
def scores(step):
    """Real and fake scores by calling the networks directly."""
    real = step.discriminator(step.batch["image"], {})
    fake = step.discriminator(step.generator(step.latent), {})
    return real.numpy(), fake.numpy()


def squared_norms(images):
    return [math.fsum(x * x for x in image) for image in images.flatten(1).tolist()]


def mean(numbers):
    return math.fsum(numbers) / len(numbers)


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


class Itself(nn.Module):
    """Scores that are known beforehand: the images themselves."""

    def forward(self, images, given):
        return images


class Given(ganzoo.Generator):
    def forward(self, given):
        return given["z"]


def play_scores(turn, real, fake, discriminator=None):
    real, fake = (torch.tensor(s, requires_grad=True) for s in (real, fake))
    return ganzoo.Step(
        turn, 0, {"image": real}, {"z": fake}, generator=Given(), discriminator=discriminator or Itself(),
        call=lambda module, *inputs, twice=False: module(*inputs), rng=torch.Generator(),
    )  # fmt: skip


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


@pytest.mark.parametrize(("loss", "where"), [(R1, "image"), (R2, "fake")])
def test_r1_penalises_the_slope_at_real_samples_and_r2_at_fake_ones(loss, where):
    step = play("discriminator", Quadratic())
    samples = step.batch["image"] if where == "image" else step.generator(step.latent)
    terms = loss(gamma=3.0).discriminator(step)
    terms["penalty"].backward()
    # The gradient at x is 1.5 x, so the penalty is 3 / 2 * 1.5^2 * mean ||x||^2.
    assert terms["penalty"].item() == pytest.approx(1.5 * 2.25 * mean(squared_norms(samples)), rel=1e-12)
    slope = step.discriminator.weight.grad.item()
    assert slope == pytest.approx(1.5 * 2 * 1.5 * mean(squared_norms(samples)), rel=1e-12)


@pytest.mark.parametrize("loss", [R1, R2])
def test_gamma_is_ten_by_default(loss):
    terms = loss().discriminator(play("discriminator", Linear([3.0, 4.0, 0.0, 0.0]).double()))
    assert terms["penalty"].item() == pytest.approx(10 / 2 * 25)


def points_near(step, noise):
    """Where the authors' code looks, from the same random numbers as the loss."""
    draw = play("discriminator", step.discriminator, n=len(step.real))
    share, uniform = draw.rand(len(step.real), 1).double().numpy(), draw.rand(len(step.real), 4).double().numpy()
    real = step.batch["image"].flatten(1).numpy()
    perturbed = real + noise * real.std() * uniform
    return real + share * (perturbed - real)


@pytest.mark.parametrize("options", [{}, {"noise": 2.0, "target": 0.0}])
def test_dragan_penalises_the_slope_at_the_points_of_the_authors_code(options):
    step = play("discriminator", Quadratic(), n=16)
    terms = Dragan(**options).discriminator(step)
    points = points_near(step, options.get("noise", 0.5))
    np.testing.assert_allclose(step.discriminator.images.flatten(1).numpy(), points, rtol=0, atol=1e-6)
    norms = 1.5 * np.sqrt((points**2).sum(1))
    expected = np.mean((norms - options.get("target", 1.0)) ** 2)
    assert terms["penalty"].item() == pytest.approx(expected, rel=1e-6)
    assert terms["norm"].item() == pytest.approx(norms.mean(), rel=1e-6)
    assert not terms["norm"].requires_grad


def test_dragan_moves_each_sample_up_by_at_most_half_a_standard_deviation():
    step = play("discriminator", Quadratic(), n=2000)
    Dragan().discriminator(step)
    moved = (step.discriminator.images - step.batch["image"]) / step.batch["image"].std()
    assert moved.min() >= 0
    assert 0.4 < moved.max() < 0.501
    assert moved.mean() == pytest.approx(0.5 * 0.5 * 0.5, rel=0.1)


def slope_at(discriminator, image):
    return toys.central_differences(lambda: discriminator(image[None], {}).sum(), image)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("loss", [R1, R2])
def test_a_penalty_equals_a_plain_loop_over_samples(loss, shape):
    step = play("discriminator", tiny_discriminator(shape))
    samples = step.batch["image"] if loss is R1 else step.generator(step.latent)
    squares = [slope_at(step.discriminator, image.clone()).square().sum().item() for image in samples.detach()]
    assert loss().discriminator(step)["penalty"].item() == pytest.approx(5 * mean(squares), rel=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("loss", [R1, R2, Dragan])
def test_the_gradient_of_a_penalty_reaches_the_discriminator_as_finite_differences_say(loss, shape):
    discriminator, penalty = tiny_discriminator(shape), loss()
    step = play("discriminator", discriminator)
    penalty.discriminator(step)["penalty"].backward()
    for parameter in discriminator.parameters():
        found = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        expected = toys.central_differences(
            lambda: penalty.discriminator(play("discriminator", discriminator))["penalty"], parameter
        )
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)
    assert all(parameter.grad is None for parameter in step.generator.parameters())


@pytest.mark.parametrize(("loss", "at_zero"), [(R1, 0), (R2, 0), (Dragan, 1)])
def test_a_slope_of_zero_gives_a_finite_gradient(loss, at_zero):
    discriminator = Linear([0.0, 0.0, 0.0, 0.0]).double()
    penalty = loss().discriminator(play("discriminator", discriminator))["penalty"]
    penalty.backward()
    assert penalty.item() == pytest.approx(at_zero, abs=1e-5)
    assert discriminator.slope.grad.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("loss", "cost"), [(R1, lambda k: 5 * k * k), (R2, lambda k: 5 * k * k), (Dragan, lambda k: (k - 1) ** 2)]
)
def test_a_conditional_discriminator_is_given_the_labels_of_the_batch(loss, cost):
    labels, others = torch.arange(1, 7), torch.zeros(6, dtype=torch.long)
    step = play("discriminator", Linear([0.6, 0.8, 0.0, 0.0]).double(), label=labels, drawn_label=others)
    expected = mean([cost(k) for k in range(1, 7)])
    assert loss().discriminator(step)["penalty"].item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("loss", [R1, R2, Dragan])
def test_the_generator_has_no_part_in_a_penalty(loss):
    assert loss().generator(play("generator", tiny_discriminator())) == {}


def test_lazy_r1_is_computed_on_each_16th_turn_and_counts_16_times():
    slope = [0.5, -0.25, 1.0, 2.0]
    discriminator = Linear(slope)
    lazy = ganzoo.Scheduled(R1(gamma=2.0), every=16)
    engine = ganzoo.Engine(
        toys.TinyGenerator(), discriminator, [lazy], device="cpu",
        train={"precision": "fp32"}, optimizer={"name": "sgd", "lr": 0.01},
    )  # fmt: skip
    data = [{"image": torch.rand(4, 1, 2, 2)}]
    # For a linear discriminator the penalty is gamma / 2 * ||slope||^2, with gradient gamma * slope.
    engine.run(data, 16)
    once = torch.tensor(slope) * (1 - 0.01 * 16 * 2)
    torch.testing.assert_close(discriminator.slope.detach(), once)
    engine.run(data, 1)
    torch.testing.assert_close(discriminator.slope.detach(), once * (1 - 0.01 * 16 * 2))


@pytest.mark.parametrize("loss", [R1, R2, Dragan])
def test_a_penalty_refuses_a_generator_of_two_kinds_of_image(loss):
    class Pair(toys.TinyGenerator):
        makes = ("left", "right")

        def forward(self, given):
            return {"left": super().forward(given), "right": super().forward(given)}

    engine = ganzoo.Engine(Pair(), toys.TinyCritic(scale=4), [loss()], device="cpu", train={"precision": "fp32"})
    batch = {"left": torch.zeros(2, 1, 2, 2), "right": torch.zeros(2, 1, 2, 2)}
    with pytest.raises(ganzoo.BadInput, match="needs one kind of image, but the generator makes left and right"):
        engine.run([batch], 1)


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        (R1, {"gamma": 0.0}, "gamma must be a number greater than 0, got 0.0"),
        (R2, {"gamma": math.nan}, "gamma must be a number greater than 0, got nan"),
        (Dragan, {"noise": -0.5}, "noise must be a number greater than 0, got -0.5"),
        (Dragan, {"target": -1.0}, "target must be a number of 0 or more, got -1.0"),
        (LeastSquares, {"fool": math.inf}, "the targets must be finite numbers, got real 1.0, fake 0.0 and fool inf"),
    ],
)
def test_options_out_of_range_are_refused(loss, options, message):
    with pytest.raises(ValueError, match=message):
        loss(**options)


@pytest.mark.parametrize("losses", [[LeastSquares()], [Hinge()], [Hinge(), Dragan()], [Relativistic(), R1(), R2()]])
def test_the_engine_plays_them_together(losses):
    torch.manual_seed(0)
    engine = ganzoo.Engine(
        toys.TinyGenerator(),
        toys.TinyCritic(scores=(1, 4, 4), scale=4),
        losses,
        device="cpu",
        train={"precision": "fp32"},
    )
    before = [parameter.clone() for parameter in engine.generator.parameters()]
    means = engine.run([{"image": torch.full((8, 1, 2, 2), 0.5)}], 5)
    assert {name.split("/")[1] for name in means} == {type(loss).__name__ for loss in losses}
    assert all((a != b).any() for a, b in zip(before, engine.generator.parameters(), strict=True))


def test_every_name_registered_leads_to_a_loss():
    found = {}
    ganzoo_losses.register_losses(found.__setitem__)
    assert set(found) == {"least-squares", "hinge", "relativistic", "r1", "r2", "dragan"}
    for path in found.values():
        module, name = path.split(":")
        assert issubclass(getattr(importlib.import_module(module), name), ganzoo.Loss)
