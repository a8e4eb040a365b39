"""The toys for tests of plugins: shapes and ranges, the turn that is made of them, and slopes by differences."""

import pytest
import torch

import ganzoo
from ganzoo.testing import toys


@pytest.mark.parametrize("options", [{}, {"image": (3, 4, 5), "latent_size": 8, "width": 6}])
def test_images_have_the_shape_asked_for_and_lie_between_minus_one_and_one(options):
    generator = toys.TinyGenerator(**options)
    images = generator(generator.latent(7, torch.Generator().manual_seed(0)))
    assert images.shape == (7, *options.get("image", (1, 2, 2)))
    assert 0 < images.abs().max() <= 1


def test_points_have_the_shape_asked_for():
    generator = toys.PointGenerator(point=(3,))
    points = generator(generator.latent(7, torch.Generator().manual_seed(0)))
    assert (generator.makes, points.shape) == ("point", (7, 3))


@pytest.mark.parametrize("scores", [(), (1,), (1, 4, 4)])
@pytest.mark.parametrize("smooth", [True, False])
def test_scores_have_the_shape_asked_for_and_grow_with_the_scale(scores, smooth):
    torch.manual_seed(0)
    critic = toys.TinyCritic(scores=scores, smooth=smooth, scale=2.0)
    images = torch.rand(6, 1, 2, 2)
    found = critic(images, {})
    assert found.shape == (6, *scores)
    critic.scale = 4.0
    assert torch.equal(critic(images, {}), 2 * found)


def game():
    torch.manual_seed(0)
    batch, latent = {"image": torch.rand(6, 1, 2, 2).double()}, {"z": torch.randn(6, 3).double()}
    return toys.TinyGenerator().double(), toys.TinyCritic().double(), batch, latent


@pytest.mark.parametrize("turn", ["generator", "discriminator"])
def test_in_a_turn_the_other_side_is_frozen_and_gets_no_gradient(turn):
    step = toys.make_step(turn, *game())
    sum(getattr(toys.NonSaturating(), turn)(step).values()).backward()
    for side in ("generator", "discriminator"):
        parameters = list(getattr(step, side).parameters())
        assert all(parameter.requires_grad == (side == turn) for parameter in parameters)
        assert all((parameter.grad is not None) == (side == turn) for parameter in parameters)


def test_what_a_loss_draws_in_a_turn_is_the_same_each_time():
    first, second = (toys.make_step("generator", *game()).randn(4) for _ in range(2))
    assert torch.equal(first, second)


def test_differences_are_the_gradient_and_leave_the_parameter_as_it_was():
    generator, critic, batch, latent = game()

    def cost():
        return toys.NonSaturating().generator(toys.make_step("generator", generator, critic, batch, latent))["fool"]

    cost().backward()
    weight = next(generator.parameters())
    before = weight.detach().clone()
    torch.testing.assert_close(toys.central_differences(cost, weight), weight.grad, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(weight.detach(), before, rtol=0, atol=0)


def test_an_engine_plays_with_them():
    engine = ganzoo.Engine(
        toys.TinyGenerator(), toys.TinyCritic(), [toys.NonSaturating()], device="cpu", train={"precision": "fp32"}
    )
    terms = engine.run([{"image": torch.rand(6, 1, 2, 2)}], steps=2)
    assert {name.rpartition("/")[2] for name in terms} == {"real", "fake", "fool"}
