import math

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo_losses.penalties import R1, R2, Dragan
from single_turns import SHAPES, Linear, Quadratic, play, tiny_discriminator

toys = ganzoo.testing.toys


def squared_norms(images):
    return [math.fsum(x * x for x in image) for image in images.flatten(1).tolist()]


def mean(numbers):
    return math.fsum(numbers) / len(numbers)


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
