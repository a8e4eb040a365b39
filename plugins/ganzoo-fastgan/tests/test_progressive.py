"""Networks that grow: what they make at each moment, the schedule, and what the discriminator sees; in float64."""

from fractions import Fraction

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo_fastgan.growing import Growing, grow, show_at
from ganzoo_fastgan.progressive import Discriminator, Generator

toys = ganzoo.testing.toys

IMAGE = (3, 32, 32)
MOMENTS = [0.0, 0.25, 1.0, 1.5, 2.0, 2.75, 3.0]


def networks(image=IMAGE):
    torch.manual_seed(0)
    generator = Generator(image=image, latent_size=5, width=2, max_width=8).double().eval()
    return generator, Discriminator(image=image, width=2, max_width=8).double().eval()


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def repeat(images, factor):
    return images.repeat(factor, -1).repeat(factor, -2)


def average(images, factor):
    n, c, h, w = images.shape
    return images.reshape(n, c, h // factor, factor, w // factor, factor).mean((3, 5))


def at(network, growth):
    network.growth.fill_(growth)
    return network


@torch.no_grad()
@pytest.mark.parametrize("growth", MOMENTS)
def test_the_generator_mixes_the_images_of_two_levels_while_one_fades_in(growth):
    generator, _ = networks()
    z = draw(3, 5)
    features = [generator.first(z)]
    for block in generator.blocks:
        features.append(block(features[-1]))
    level = int(np.ceil(growth))
    alpha = growth - level + 1
    new = generator.to_image[level](features[level]).numpy()
    old = repeat(generator.to_image[max(0, level - 1)](features[max(0, level - 1)]).numpy(), 2)
    small = new if level == 0 else (1 - alpha) * old + alpha * new
    expected = repeat(small, 2 ** (3 - level))
    np.testing.assert_allclose(at(generator, growth)({"z": z}).numpy(), expected, rtol=1e-12, atol=1e-14)


@torch.no_grad()
@pytest.mark.parametrize("growth", MOMENTS)
def test_the_discriminator_mixes_the_features_of_two_levels_while_one_fades_in(growth):
    _, discriminator = networks()
    images, level = draw(4, *IMAGE), int(np.ceil(growth))
    alpha = growth - level + 1
    seen = average(images, 2 ** (3 - level))
    features = discriminator.from_image[level](seen)
    for depth in range(level, 0, -1):
        features = discriminator.blocks[depth - 1](features)
        if depth == level:
            features = (1 - alpha) * discriminator.from_image[level - 1](average(seen, 2)) + alpha * features
    expected = discriminator.last(features)
    torch.testing.assert_close(at(discriminator, growth)(images, {}), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "level, fade, growth",
    [
        (0, 0.5, 0),
        (0.5, 0.5, 0),
        (0.75, 0.5, 0.5),
        (1, 0.5, 1),
        (3.9, 0.5, 3.8),
        (1.5, 1, 1.5),
        (2.99, 0, 2),
        (4, 0, 4),
    ],
)
def test_a_level_stays_and_then_the_next_one_fades_in(level, fade, growth):
    assert grow(level, fade) == pytest.approx(growth)


def test_growth_follows_the_schedule_of_the_paper():
    # Appendix A: each size is trained, then the next fades in during as many steps; fractions are exact.
    for step in range(0, 4001, 125):
        size, rest = divmod(Fraction(step, 1000), 1)
        assert grow(step / 1000, 0.5) == size + max(0, 2 * rest - 1)


@pytest.mark.parametrize("image", [(1, 32, 32), (2, 32, 48)])
@pytest.mark.parametrize("growth", MOMENTS)
def test_real_images_are_seen_at_the_size_of_this_time(growth, image):
    images, level = draw(2, *image), int(np.ceil(growth))
    alpha, factor = growth - level + 1, 2 ** (3 - level)
    new = repeat(average(images, factor).numpy(), factor)
    old = repeat(average(images, 2 * factor).numpy(), 2 * factor) if level else new
    np.testing.assert_allclose(show_at(images, growth).numpy(), (1 - alpha) * old + alpha * new, rtol=1e-9, atol=1e-12)


class Flat(torch.nn.Module):
    """Keeps what it was shown."""

    def __init__(self):
        super().__init__()
        self.register_buffer("growth", torch.zeros(()))

    def forward(self, images, given):
        self.seen = images
        return images.mean((1, 2, 3))


def play(loss, turn="discriminator"):
    generator, _ = networks()
    batch, latent = {"image": draw(4, *IMAGE)}, {"z": draw(4, 5)}
    step = toys.make_step(turn, generator, Flat(), batch, latent)
    step._views = [loss.view]
    return step


@torch.no_grad()
def test_only_real_images_are_made_coarse_and_the_networks_grow_after_a_step_of_the_generator():
    loss = Growing(0.75)
    step = play(loss)
    loss.setup(step)
    assert step.generator.growth == step.discriminator.growth == 0.5
    _ = step.real_scores
    torch.testing.assert_close(step.discriminator.seen, show_at(step.batch["image"], 0.5))
    _ = step.fake_scores
    assert torch.equal(step.discriminator.seen, step.fake)
    loss.level = 2.0
    loss.after(step, {})
    assert step.generator.growth == 0.5, "the generator's turn of this training step is still to come"
    loss.after(play(loss, "generator"), {})
    step.turn = "generator"
    loss.after(step, {})
    assert step.generator.growth == step.discriminator.growth == 2


def test_coarse_images_of_a_generator_that_has_not_grown_are_squares():
    generator, _ = networks()
    images = at(generator, 1)({"z": draw(2, 5)})
    assert torch.equal(images, repeat_tensor(images[:, :, ::4, ::4], 4))
    assert not torch.equal(images, repeat_tensor(images[:, :, ::8, ::8], 8))


def repeat_tensor(images, factor):
    return images.repeat_interleave(factor, 2).repeat_interleave(factor, 3)


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"level": -1.0}, "level must be a number of 0 or more, got -1.0"),
        ({"level": 1.0, "fade": 1.5}, "fade must lie between 0 and 1, got 1.5"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Growing(**options)


def test_networks_that_do_not_grow_are_refused():
    batch, latent = {"image": torch.rand(4, 1, 2, 2)}, {"z": torch.rand(4, 3)}
    step = toys.make_step("discriminator", toys.TinyGenerator(), toys.TinyCritic(), batch, latent)
    with pytest.raises(ValueError, match=r"^it needs networks that grow, and the generator does not; 'progressive'"):
        Growing(1.0).setup(step)


@pytest.mark.parametrize("level, refused", [(3.0, False), (3.5, True), (99.0, True)])
def test_a_level_after_the_last_one_is_refused(level, refused):
    loss = Growing(level)
    if not refused:
        return loss.setup(play(loss))
    with pytest.raises(
        ValueError, match=rf"^level must be at most 3, the last one for images of 32 x 32, got {level:g}$"
    ):
        loss.setup(play(loss))
