"""Every transform can be differentiated twice, as gradient penalties do, and in float64 as finite differences say."""

from functools import partial

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import ganzoo
from ganzoo_augment.ada import PIPELINE, Ada
from ganzoo_augment.apa import Apa
from ganzoo_augment.numbers import Numbers
from ganzoo_augment.views import TRANSFORMS, DiffAugment

toys = ganzoo.testing.toys
EVERY = {**TRANSFORMS, **{f"ada {name}": partial(each, p=0.8) for name, each in PIPELINE.items()}}


def make_step(batch, critic=None, rng_seed=0):
    shape = batch.shape[1:]
    generator = toys.TinyGenerator(shape).double()
    z = torch.randn(len(batch), 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    rng = torch.Generator().manual_seed(rng_seed)
    critic = critic or toys.TinyCritic(shape).double()
    return toys.make_step("discriminator", generator, critic, {"image": batch}, {"z": z}, rng)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", EVERY)
def test_a_transform_has_the_derivatives_of_finite_differences(pictures, name, channels):
    before = pictures(2, channels, 4, 5).requires_grad_()

    def see(images):
        return EVERY[name](images, Numbers(make_step(images), images)).sin()

    assert gradcheck(see, before, fast_mode=True)
    assert gradgradcheck(see, before, fast_mode=True)
    assert gradcheck(see, before)


@pytest.mark.parametrize(
    "view", [DiffAugment(), Ada(tuple(PIPELINE), p=0.8), Apa(p=0.5)], ids=lambda view: type(view).__name__
)
def test_a_penalty_on_the_slope_reaches_the_discriminator_as_finite_differences_say(pictures, view):
    batch = pictures(3, 3, 4, 4)
    torch.manual_seed(0)
    critic = toys.TinyCritic((3, 4, 4), width=2).double()

    def penalty():
        torch.manual_seed(1)
        step = make_step(batch, critic)
        step._views = [view.double().view]
        return step.gradient(step.real, step.batch).square().sum()

    penalty().backward()
    for parameter in critic.parameters():
        found = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(found, toys.central_differences(penalty, parameter), rtol=1e-5, atol=1e-7)
