"""LeCam, the two consistencies and APA against plain sums over samples, in float64."""

import numpy as np
import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_augment.apa import Apa
from ganzoo_augment.numbers import Numbers
from ganzoo_augment.penalties import BalancedConsistency, LatentConsistency, LeCam
from ganzoo_augment.transforms import mirror, translate

toys = ganzoo.testing.toys
SHAPE = (1, 8, 8)


def play(turn, n=6, scores=(), discriminator=None, seed=1, **more):
    """A turn in float64, always with the same numbers."""
    torch.manual_seed(0)
    generator = toys.TinyGenerator(SHAPE).double()
    discriminator = discriminator or toys.TinyCritic(SHAPE, scores).double()
    rng = torch.Generator().manual_seed(seed)
    batch = {"image": torch.rand(n, *SHAPE, generator=rng, dtype=torch.float64) * 2 - 1}
    latent = {"z": torch.randn(n, 3, generator=rng, dtype=torch.float64)}
    for key, (real, drawn) in more.items():
        batch[key], latent[key] = real, drawn
    return toys.make_step(turn, generator, discriminator, batch, latent, torch.Generator().manual_seed(seed + 1))


@torch.no_grad()
def judged(step, images):
    """The scores by calling the network directly."""
    return step.discriminator(images, {}).numpy()


def lecam(real, fake, means, one_sided):
    """Tseng et al. 2021, with the moving averages of real and fake scores."""
    cost = (lambda x: np.maximum(x, 0) ** 2) if one_sided else np.square
    return np.mean(cost(real - means[1])) + np.mean(cost(means[0] - fake))


@pytest.mark.parametrize("scores", [(), (1,), (1, 2, 2)])
@pytest.mark.parametrize("one_sided", [False, True])
def test_lecam_pulls_scores_to_the_moving_average_of_the_other_kind(scores, one_sided):
    loss, means = LeCam(decay=0.9, one_sided=one_sided).double(), None
    for number in range(4):
        step = play("discriminator", scores=scores, seed=number)
        terms = loss.discriminator(step)
        real, fake = judged(step, step.real), judged(step, step.fake)
        assert terms["pull"].item() == pytest.approx(lecam(real, fake, means, one_sided) if number else 0, rel=1e-12)
        loss.after(step, {key: value.detach() for key, value in terms.items()})
        now = np.array([real.mean(), fake.mean()])
        means = now if means is None else 0.9 * means + 0.1 * now
        np.testing.assert_allclose(loss.means.numpy(), means, rtol=1e-12)


def test_lecams_gradient_is_that_of_finite_differences():
    loss = LeCam().double()
    loss.means.copy_(torch.tensor([0.7, -0.3])), loss.turns.fill_(1)
    critic = play("discriminator").discriminator
    loss.discriminator(play("discriminator", discriminator=critic))["pull"].backward()
    for parameter in critic.parameters():

        def cost():
            step = play("discriminator", discriminator=critic)
            return lecam(judged(step, step.real), judged(step, step.fake), [0.7, -0.3], False)

        torch.testing.assert_close(parameter.grad, toys.central_differences(cost, parameter), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("real_only", [False, True])
def test_balanced_consistency_is_the_squared_distance_of_the_scores_of_augmented_pictures(real_only):
    step = play("discriminator")
    terms = BalancedConsistency(real_only=real_only).discriminator(step)
    again = play("discriminator")  # the same random numbers
    expected = {}
    for name, images in {"real": again.real, "fake": again.fake}.items():
        augmented = translate(mirror(images, Numbers(again, images)), Numbers(again, images))
        expected[name] = np.mean((judged(step, images) - judged(step, augmented)) ** 2)
    assert terms.keys() == ({"real"} if real_only else {"real", "fake"})
    for name, term in terms.items():
        assert term.item() == pytest.approx(expected[name], rel=1e-12) and term.item() > 0 and term.requires_grad


def test_views_of_other_losses_are_applied_to_both_pictures_of_a_pair():
    step = play("discriminator")
    step._views = [lambda step, images, given: (images + 5, given)]
    found = BalancedConsistency(("mirror",)).discriminator(step)["real"].item()
    again = play("discriminator")
    mirrored = mirror(again.real, Numbers(again, again.real))
    expected = np.mean((judged(step, again.real + 5) - judged(step, mirrored + 5)) ** 2)
    assert found == pytest.approx(expected, rel=1e-12)


def test_latent_consistency_pulls_scores_together_and_pictures_apart():
    loss = LatentConsistency(deviation=0.3, steady=4.0, diverse=0.25)
    for turn in ("discriminator", "generator"):
        step, again = play(turn), play(turn)
        z = again.latent["z"]
        near = z + 0.3 * again.randn(*z.shape).double()
        one, other = (step.generator({"z": each}).detach() for each in (z, near))
        if turn == "discriminator":
            expected = 4 * np.mean((judged(step, one) - judged(step, other)) ** 2)
        else:
            expected = -0.25 * np.mean((one - other).numpy() ** 2)
        (term,) = getattr(loss, turn)(step).values()
        assert term.item() == pytest.approx(expected, rel=1e-12)
        term.backward()
        own, frozen = (step.discriminator, step.generator)[:: 1 if turn == "discriminator" else -1]
        assert any(p.grad is not None for p in own.parameters()) and all(p.grad is None for p in frozen.parameters())


def test_latent_consistency_refuses_a_generator_without_a_latent_z():
    step = play("generator")
    del step.latent["z"]
    with pytest.raises(ValueError, match="it moves the latent 'z', but the generator draws none"):
        LatentConsistency().setup(step)


def test_apa_passes_off_fakes_as_real_where_it_draws_them_and_leaves_fakes_alone():
    step, again = play("discriminator", n=40), play("discriminator", n=40)
    step._views = [Apa(p=0.5).view]
    real = step.see(step.real, step.batch)[0]
    replaced = again.rand(40) < 0.5
    assert 8 < replaced.sum() < 32
    for number in range(40):
        assert real[number].equal((step.fake if replaced[number] else step.real)[number])
    assert step.see(step.fake, step.given)[0] is step.fake


def test_apa_gives_fakes_the_labels_that_they_were_drawn_with():
    labels, drawn = torch.arange(40), torch.arange(100, 140)
    step = play("discriminator", n=40, label=(labels, drawn))
    step.given["label"] = drawn  # as with labels = "drawn"
    step._views = [Apa(p=0.5).view]
    real, given = step.see(step.real, step.batch)
    replaced = (real == step.fake).flatten(1).all(1)
    assert replaced.any() and given["label"].tolist() == torch.where(replaced, drawn, labels).tolist()
    assert given.keys() == step.batch.keys()


class Quadratic(nn.Module):
    """A sample's score is half its squared norm, so that its gradient is itself."""

    def forward(self, images, given):
        return images.flatten(1).square().sum(1) / 2


def test_a_penalty_beside_apa_takes_the_slope_at_what_is_passed_off_as_real():
    step = play("discriminator", n=40, discriminator=Quadratic())
    step._views = [Apa(p=0.5).view]
    slopes = step.gradient(step.real, step.batch)
    at_fake = (slopes == step.fake).flatten(1).all(1)
    at_real = (slopes == step.real).flatten(1).all(1)
    assert at_fake.any() and at_real.any() and (at_fake | at_real).all()


def test_apa_keeps_the_generator_out_of_what_is_judged_as_real():
    step = play("generator")
    step._views = [Apa(p=1.0).view]
    real = step.see(step.real, step.batch)[0]
    assert real.equal(step.fake) and not real.requires_grad
