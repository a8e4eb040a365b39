"""The unrolled GAN against its formula in numpy, with a linear discriminator whose gradient has a closed form."""

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo_losses.unrolled import Unrolled
from single_turns import Linear, play, tiny_discriminator

toys = ganzoo.testing.toys


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def after_steps(step, steps, rate):
    """Scores of real and fake by a linear discriminator after so many steps of gradient ascent on f."""
    real, fake = (each.detach().flatten(1).numpy() for each in (step.batch["image"], step.generator(step.latent)))
    slope = step.discriminator.slope.detach().numpy()
    for _ in range(steps):  # df / dw = mean of sigmoid(-s) x over real - mean of sigmoid(s) x over fake
        ascent = np.mean(sigmoid(-real @ slope)[:, None] * real, 0) - np.mean(sigmoid(fake @ slope)[:, None] * fake, 0)
        slope = slope + rate * ascent
    return real @ slope, fake @ slope


OBJECTIVES = {
    "minimax": lambda real, fake: np.mean(np.log(sigmoid(real))) + np.mean(np.log(1 - sigmoid(fake))),
    "non-saturating": lambda real, fake: -np.mean(np.log(sigmoid(fake))),
}


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_generators_gradient_goes_through_the_steps_of_the_discriminator(steps, kind):
    step = play("generator", Linear([0.5, -0.25, 1.0, 2.0]).double())
    term = Unrolled(steps, rate=0.7, kind=kind).generator(step)["fool"]
    term.backward()

    def objective():
        return OBJECTIVES[kind](*after_steps(step, steps, 0.7))

    assert term.item() == pytest.approx(objective(), rel=1e-12)
    for parameter in step.generator.parameters():
        expected = toys.central_differences(objective, parameter)
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-6, atol=1e-9)


def test_the_missing_term_is_there():
    """With the last weights held fixed the gradient is another one: it lacks how the discriminator would react."""
    step = play("generator", Linear([0.5, -0.25, 1.0, 2.0]).double())
    Unrolled(2, rate=0.7).generator(step)["fool"].backward()
    whole = [parameter.grad.clone() for parameter in step.generator.parameters()]
    slope = step.discriminator.slope.detach().clone()
    real, fake = (each.detach().flatten(1) for each in (step.real, step.fake))
    for _ in range(2):
        slope += 0.7 * ((-real @ slope).sigmoid() @ real - (fake @ slope).sigmoid() @ fake) / len(real)
    step.generator.zero_grad()
    images = step.generator(step.latent)
    (-torch.nn.functional.softplus(images.flatten(1) @ slope)).mean().backward()
    assert any(not a.allclose(p.grad) for a, p in zip(whole, step.generator.parameters(), strict=True))


def test_the_discriminator_keeps_its_weights_and_has_no_gradient():
    step = play("generator", tiny_discriminator())
    before = {name: value.clone() for name, value in step.discriminator.state_dict().items()}
    Unrolled(3).generator(step)["fool"].backward()
    assert all(value.equal(before[name]) for name, value in step.discriminator.state_dict().items())
    assert all(parameter.grad is None for parameter in step.discriminator.parameters())


def test_the_discriminator_minimises_its_cross_entropy():
    step = play("discriminator", Linear([0.5, -0.25, 1.0, 2.0]).double())
    entropy = -OBJECTIVES["minimax"](*after_steps(step, 0, 0))
    assert Unrolled().discriminator(step)["entropy"].item() == pytest.approx(entropy, rel=1e-12)


def test_views_apply_in_the_steps_ahead():
    step = play("generator", Linear([0.5, -0.25, 1.0, 2.0]).double())
    step._views = [lambda step, images, given: 0 * images]
    assert Unrolled(3).generator(step)["fool"].item() == pytest.approx(2 * np.log(0.5))
