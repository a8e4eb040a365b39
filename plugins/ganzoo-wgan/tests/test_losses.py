import math

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_wgan.losses import GradientPenalty, Wasserstein, WeightClipping
from single_turns import SHAPES, Linear

toys = ganzoo.testing.toys


class Recording(nn.Module):
    """Keeps what it was asked to score; a sample's score is half its squared norm, so its gradient is itself."""

    def forward(self, images, given):
        self.images, self.given = images.detach(), given
        return images.flatten(1).square().sum(1) / 2


def play(turn, discriminator, n=6, **extra):
    """A step in which the other side is frozen, as the engine does it; always with the same numbers."""
    torch.manual_seed(0)
    generator = toys.TinyGenerator().double()
    rng = torch.Generator().manual_seed(1)
    batch = {"image": torch.rand(n, 1, 2, 2, generator=rng, dtype=torch.float64) * 2 - 1, **extra}
    latent = {"z": torch.randn(n, 3, generator=rng, dtype=torch.float64)}
    return toys.make_step(turn, generator, discriminator, batch, latent, rng)


def tiny_critic(shape=()):
    torch.manual_seed(2)
    return toys.TinyCritic(scores=shape).double()


@torch.no_grad()
def mean_scores(step):
    """Mean real and fake score, one sample and one score at a time."""
    score = step.discriminator
    fakes = step.generator(step.latent)
    real = [s.item() for image in step.batch["image"] for s in score(image[None], {}).flatten()]
    fake = [s.item() for image in fakes for s in score(image[None], {}).flatten()]
    return math.fsum(real) / len(real), math.fsum(fake) / len(fake)


FORMULAS = {"discriminator": lambda real, fake: fake - real, "generator": lambda real, fake: -fake}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("turn", FORMULAS)
def test_wasserstein_and_its_gradients_are_those_of_the_paper(turn, shape):
    step, formula = play(turn, tiny_critic(shape)), FORMULAS[turn]
    total = sum(term for term in getattr(Wasserstein(), turn)(step).values() if term.requires_grad)
    total.backward()
    assert total.item() == pytest.approx(formula(*mean_scores(step)), rel=1e-12)
    for parameter in getattr(step, turn).parameters():
        expected = toys.central_differences(lambda: formula(*mean_scores(step)), parameter)
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-6, atol=1e-9)
    frozen = step.generator if turn == "discriminator" else step.discriminator
    assert all(parameter.grad is None for parameter in frozen.parameters())


def test_wasserstein_logs_the_distance_without_playing_for_it():
    step = play("discriminator", tiny_critic())
    distance = Wasserstein().discriminator(step)["distance"]
    real, fake = mean_scores(step)
    assert not distance.requires_grad
    assert distance.item() == pytest.approx(real - fake, rel=1e-12)


def critic_after_training(losses, critic=None, steps=3):
    torch.manual_seed(0)
    engine = ganzoo.Engine(
        toys.TinyGenerator(), critic or toys.TinyCritic(), losses, device="cpu",
        train={"precision": "fp32"}, optimizer={"name": "sgd", "lr": 0.5},
    )  # fmt: skip
    engine.run([{"image": torch.full((8, 1, 2, 2), 0.5)}], steps)
    return engine


def test_weight_clipping_holds_every_weight_of_the_critic_and_none_of_the_generator():
    free = critic_after_training([Wasserstein()])
    assert max(p.abs().max() for p in free.discriminator.parameters()) > 0.1
    clipped = critic_after_training([Wasserstein(), WeightClipping(0.03)])
    weights = torch.cat([p.detach().flatten() for p in clipped.discriminator.parameters()])
    assert weights.abs().max() == torch.tensor(0.03)
    assert (weights.abs() < 0.03).any()
    assert max(p.abs().max() for p in clipped.generator.parameters()) > 0.1


def test_weight_clipping_leaves_frozen_weights_alone():
    critic = toys.TinyCritic()
    critic.network[1].requires_grad_(False).weight.fill_(0.5)
    critic_after_training([Wasserstein(), WeightClipping(0.03)], critic)
    assert (critic.network[1].weight == 0.5).all()
    assert critic.network[3].weight.abs().max() <= 0.03


def test_the_penalised_points_lie_between_each_real_sample_and_its_fake_one():
    step = play("discriminator", Recording(), n=50)
    GradientPenalty().discriminator(step)
    real, fake = step.batch["image"].flatten(1), step.generator(step.latent).detach().flatten(1)
    shares = (step.discriminator.images.flatten(1) - real) / (fake - real)
    torch.testing.assert_close(shares, shares[:, :1].expand(50, 4), rtol=0, atol=1e-6)
    assert shares.min() >= 0
    assert shares.max() < 1
    assert shares[:, 0].std() == pytest.approx(math.sqrt(1 / 12), abs=0.06)


@pytest.mark.parametrize(("target", "one_sided"), [(1.0, False), (0.0, False), (1.0, True), (0.7, True)])
def test_the_penalty_is_the_mean_squared_distance_of_each_norm_from_the_target(target, one_sided):
    step = play("discriminator", Recording(), n=40)
    terms = GradientPenalty(target, one_sided).discriminator(step)
    norms = [math.sqrt(sum(x * x for x in sample)) for sample in step.discriminator.images.flatten(1).tolist()]
    assert min(norms) < 0.7 < 1 < max(norms)
    costs = [(norm - target) ** 2 for norm in norms if norm > target or not one_sided]
    assert terms["penalty"].item() == pytest.approx(sum(costs) / len(norms), rel=1e-9)
    assert terms["norm"].item() == pytest.approx(sum(norms) / len(norms), rel=1e-9)


def penalty_by_loop(step, shares):
    """One sample at a time, its gradient by central differences of its summed scores."""
    fakes, costs = step.generator(step.latent).detach(), []
    for real, fake, share in zip(step.batch["image"], fakes, shares, strict=True):
        point = real + share * (fake - real)
        slope = toys.central_differences(lambda point=point: step.discriminator(point[None], {}).sum(), point)
        costs.append((slope.square().sum().sqrt() - 1) ** 2)
    return sum(costs) / len(costs)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_penalty_equals_a_plain_loop_over_samples(shape):
    step = play("discriminator", tiny_critic(shape))
    same_draw = play("discriminator", step.discriminator).rand(6).double()
    expected = penalty_by_loop(step, same_draw)
    assert GradientPenalty().discriminator(step)["penalty"].item() == pytest.approx(expected.item(), rel=1e-7)


@pytest.mark.parametrize(("target", "one_sided"), [(1.0, False), (0.4, True)])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_of_the_penalty_reaches_the_critic_as_finite_differences_say(shape, target, one_sided):
    critic, loss = tiny_critic(shape), GradientPenalty(target, one_sided)
    step = play("discriminator", critic)
    terms = loss.discriminator(step)
    assert terms["penalty"] > 0
    assert not terms["norm"].requires_grad
    terms["penalty"].backward()
    for parameter in critic.parameters():
        found = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        expected = toys.central_differences(
            lambda: loss.discriminator(play("discriminator", critic))["penalty"], parameter
        )
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)
    assert all(parameter.grad is None for parameter in step.generator.parameters())


def test_a_slope_of_zero_gives_a_finite_gradient():
    critic = Linear([0.0, 0.0, 0.0, 0.0]).double()
    terms = GradientPenalty().discriminator(play("discriminator", critic))
    terms["penalty"].backward()
    assert terms["penalty"].item() == pytest.approx(1, abs=1e-5)
    assert critic.slope.grad.tolist() == [0, 0, 0, 0]


def test_the_penalty_is_full_precision_in_a_half_precision_run():
    # In bf16 this slope would be rounded by about 0.3 %.
    slope = [0.1234567, 0.2345678, 0.3456789, 0.4567891]
    engine = ganzoo.Engine(
        toys.TinyGenerator(), Linear(slope), [GradientPenalty()], device="cpu", train={"precision": "bf16"}
    )
    means = engine.run([{"image": torch.rand(8, 1, 2, 2)}], 1)
    norm = math.sqrt(sum(x * x for x in slope))
    assert means["discriminator/GradientPenalty/norm"] == pytest.approx(norm, rel=1e-6)
    assert means["discriminator/GradientPenalty/penalty"] == pytest.approx((norm - 1) ** 2, rel=1e-5)


def test_a_conditional_critic_is_given_the_labels_of_the_batch():
    labels = torch.arange(6)
    step = play("discriminator", Recording(), label=labels)
    GradientPenalty().discriminator(step)
    assert step.discriminator.given["label"].equal(labels)


class Normalised(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), norm, nn.LeakyReLU(0.2), nn.Linear(8, 1))

    def forward(self, images, given):
        return self.body(images)


def test_batch_norm_in_the_critic_is_refused_before_training():
    with pytest.raises(ganzoo.BadInput) as refusal:
        critic_after_training([Wasserstein(), GradientPenalty()], Normalised(nn.BatchNorm1d(8)))
    assert str(refusal.value) == (
        "loss 'GradientPenalty': the critic's layer 'body.2' is batch norm, which ties together samples that are "
        "penalised one by one; switch it off with the architecture's option, such as -o architecture.batch_norm=false"
    )


def test_layer_norm_in_the_critic_and_batch_norm_in_the_generator_are_allowed():
    class WithBatchNorm(toys.TinyGenerator):
        def __init__(self):
            super().__init__()
            self.layer = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))

    engine = ganzoo.Engine(
        WithBatchNorm(), Normalised(nn.LayerNorm(8)), [Wasserstein(), GradientPenalty()], device="cpu",
        train={"precision": "fp32"},
    )  # fmt: skip
    means = engine.run([{"image": torch.rand(8, 1, 2, 2)}], 2)
    assert means["discriminator/GradientPenalty/penalty"] > 0


def test_a_generator_of_two_kinds_of_image_is_refused():
    class Pair(toys.TinyGenerator):
        makes = ("left", "right")

        def forward(self, given):
            return {"left": super().forward(given), "right": super().forward(given)}

    engine = ganzoo.Engine(Pair(), toys.TinyCritic(), [GradientPenalty()], device="cpu", train={"precision": "fp32"})
    batch = {"left": torch.zeros(2, 1, 2, 2), "right": torch.zeros(2, 1, 2, 2)}
    with pytest.raises(ganzoo.BadInput, match="needs one kind of image, but the generator makes left and right"):
        engine.run([batch], 1)


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        (WeightClipping, {"limit": 0.0}, "limit must be a number greater than 0, got 0.0"),
        (WeightClipping, {"limit": math.inf}, "limit must be a number greater than 0, got inf"),
        (GradientPenalty, {"target": -1.0}, "target must be a number of 0 or more, got -1.0"),
        (GradientPenalty, {"target": math.nan}, "target must be a number of 0 or more, got nan"),
    ],
)
def test_options_out_of_range_are_refused(loss, options, message):
    with pytest.raises(ValueError, match=message):
        loss(**options)
