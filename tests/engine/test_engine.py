"""What the engine promises beside the games: optimizers, schedules, averages, logs, guards, precision and layout."""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

import ganzoo
from ganzoo import Scheduled
from ganzoo.engine.settings import Optimizer

N, SIZE, NOISE = 8, 4, 3


@pytest.fixture(autouse=True)
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def float32(float64):
    torch.set_default_dtype(torch.float32)


class PointGenerator(ganzoo.Generator):
    latent_size = NOISE

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(NOISE, 8), nn.Linear(8, SIZE)

    def forward(self, given):
        return self.last(self.first(given["z"]).tanh())


class PointDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(SIZE, 8), nn.Linear(8, 1)

    def forward(self, images, given):
        hidden = self.first(images).tanh()
        self.dtype_inside = hidden.dtype
        return self.last(hidden)


class NonSaturating(ganzoo.Loss):
    def discriminator(self, step):
        return {"real": softplus(-step.real_scores).mean(), "fake": softplus(step.fake_scores).mean()}

    def generator(self, step):
        return {"fake": softplus(-step.fake_scores).mean()}


class GradientPenalty(ganzoo.Loss):
    def discriminator(self, step):
        mix = step.rand(len(step.real), *[1] * (step.real.dim() - 1))
        slope = step.gradient(torch.lerp(step.real, step.fake, mix), step.batch)
        return {"penalty": (slope.flatten(1).norm(dim=1) - 1).square().mean()}


def point_networks() -> tuple[ganzoo.Generator, nn.Module]:
    return PointGenerator(), PointDiscriminator()


def batches(*shape: int, count: int = 12) -> list[dict[str, Tensor]]:
    torch.manual_seed(2)
    return [{"image": torch.randn(N, *(shape or (SIZE,)))} for _ in range(count)]


def make(
    *losses: ganzoo.Loss | Scheduled,
    networks: Callable[[], tuple[ganzoo.Generator, nn.Module]] = point_networks,
    optimizer: dict[str, Any] | None = None,
    **train: Any,
) -> ganzoo.Engine:
    torch.manual_seed(1)
    train = {"precision": "fp32", **train}
    return ganzoo.Engine(*networks(), losses or [NonSaturating()], train=train, optimizer=optimizer, device="cpu")


def play(engine: ganzoo.Engine, steps: int, data: Iterable[dict[str, Tensor]] | None = None) -> ganzoo.Engine:
    stream = iter(data or batches())
    for _ in range(steps):
        engine.step(stream)
    return engine


def agree(one: nn.Module, other: nn.Module, rtol: float = 1e-9, atol: float = 1e-11) -> None:
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=rtol, atol=atol)


def differ(one: nn.Module, other: nn.Module) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


# Optimizers.

ADAM = {"lr": 0.01, "betas": (0.0, 0.9), "eps": 1e-4, "weight_decay": 0.1}
RMSPROP = {"lr": 0.01, "alpha": 0.8, "eps": 1e-4, "momentum": 0.5, "weight_decay": 0.1}
SGD = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}
OPTIMIZERS = {
    "adam": ({"name": "adam", **ADAM}, (torch.optim.Adam, ADAM), (torch.optim.Adam, ADAM)),
    "adamw": ({"name": "adamw", **ADAM}, (torch.optim.AdamW, ADAM), (torch.optim.AdamW, ADAM)),
    "rmsprop": ({"name": "rmsprop", **RMSPROP}, (torch.optim.RMSprop, RMSPROP), (torch.optim.RMSprop, RMSPROP)),
    "sgd": ({"name": "sgd", **SGD}, (torch.optim.SGD, SGD), (torch.optim.SGD, SGD)),
    "two rates": (
        {"lr": 0.01, "betas": (0.0, 0.9), "generator": {"lr": 0.02}},
        (torch.optim.Adam, {"lr": 0.02, "betas": (0.0, 0.9)}),
        (torch.optim.Adam, {"lr": 0.01, "betas": (0.0, 0.9)}),
    ),
    "two kinds": (
        {"name": "adam", **ADAM, "generator": {"name": "sgd", "momentum": 0.9}},
        (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1}),
        (torch.optim.Adam, ADAM),
    ),
}


@pytest.mark.parametrize(("settings", "of_g", "of_d"), OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_each_optimizer_moves_each_side_as_in_plain_torch(settings, of_g, of_d):
    engine, rng = make(optimizer=settings), torch.Generator()
    rng.set_state(engine.rng.get_state())
    torch.manual_seed(1)
    g, d = point_networks()
    optimizer_g, optimizer_d = (kind(side.parameters(), **keys) for side, (kind, keys) in ((g, of_g), (d, of_d)))
    for batch in batches(count=4):
        fake = g({"z": torch.randn(N, NOISE, generator=rng)}).detach()
        optimizer_d.zero_grad()
        (softplus(-d(batch["image"], batch)) + softplus(d(fake, batch))).mean().backward()
        optimizer_d.step()
        optimizer_g.zero_grad()
        softplus(-d(g({"z": torch.randn(N, NOISE, generator=rng)}), batch)).mean().backward()
        optimizer_g.step()
    play(engine, 4)
    agree(engine.generator, g)
    agree(engine.discriminator, d)


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "sgd", "momentum": 0.9},
        {"lr": 0.1, "generator": {"name": "adamw"}, "discriminator": {"name": "rmsprop"}},
        {"generator": {"name": "sgd", "momentum": 0.5}, "discriminator": {"name": "rmsprop", "momentum": 0.5}},
    ],
)
def test_optimizer_settings_written_out_and_read_again_mean_the_same(settings):
    first = Optimizer(**settings)
    second = Optimizer(**first.written_out())
    for side in ("generator", "discriminator"):
        assert second.side(side).written_out() == first.side(side).written_out()


# A game in which every gradient is one: the weights record what each turn was told to do, in units of the rate.

RATE = 0.01


class RampGenerator(ganzoo.Generator):
    """Images are the sum of four weights everywhere."""

    latent_size = 1

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(4))

    def forward(self, given):
        return self.w.sum() + 0 * given["z"]


class RampDiscriminator(nn.Module):
    """Scores are the sum of four weights everywhere."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(4))

    def forward(self, images, given):
        return self.w.sum() + 0 * images


def ramp_networks() -> tuple[ganzoo.Generator, nn.Module]:
    return RampGenerator(), RampDiscriminator()


class Descent(ganzoo.Loss):
    def discriminator(self, step):
        return {"sum": step.real_scores.mean()}

    def generator(self, step):
        return {"sum": step.fake.mean()}


def moves(count: int, /, *losses: ganzoo.Loss | Scheduled, optimizer: dict[str, Any] | None = None, **train: Any):
    """How far each side went in each of `count` steps: {"generator": [...], "discriminator": [...]}."""
    optimizer = {"name": "sgd", "lr": RATE, **(optimizer or {})}
    engine = make(*losses or [Descent()], networks=ramp_networks, optimizer=optimizer, **train)
    stream, at = iter(batches(1)), {"generator": [0.0], "discriminator": [0.0]}
    for _ in range(count):
        engine.step(stream)
        for side, places in at.items():
            places.append(-getattr(engine, side).w.mean().item() / RATE)
    return {side: [b - a for a, b in pairwise(places)] for side, places in at.items()}


@pytest.mark.parametrize(
    ("settings", "steps", "factors"),
    [
        ({}, 4, [1, 1, 1, 1]),
        ({"schedule": "linear"}, 4, [1, 3 / 4, 1 / 2, 1 / 4, 0]),
        ({"schedule": "cosine"}, 4, [1, (1 + math.sqrt(0.5)) / 2, 1 / 2, (1 - math.sqrt(0.5)) / 2, 0]),
        ({"warmup": 3}, 5, [1 / 4, 2 / 4, 3 / 4, 1, 1]),
        ({"schedule": "linear", "warmup": 2}, 6, [1 / 3, 2 / 3, 1, 3 / 4, 1 / 2, 1 / 4, 0]),
        ({"schedule": "cosine", "warmup": 1}, 3, [1 / 2, 1, 1 / 2, 0]),
        ({"schedule": "linear"}, None, [1, 1 - 1 / 2000]),
    ],
)
def test_the_learning_rate_follows_its_schedule(settings, steps, factors):
    moved = moves(len(factors), optimizer=settings, steps=steps)
    assert moved == {"generator": pytest.approx(factors), "discriminator": pytest.approx(factors)}


def test_each_side_may_have_its_own_schedule():
    moved = moves(3, optimizer={"generator": {"schedule": "linear"}}, steps=2)
    assert moved == {"generator": pytest.approx([1, 1 / 2, 0]), "discriminator": pytest.approx([1, 1, 1])}


@pytest.mark.parametrize(("largest", "expected"), [(0.5, 0.25), (1.0, 0.5), (3.0, 1.0)])
def test_a_gradient_of_norm_two_is_clipped_to_the_largest_norm(largest, expected):
    moved = moves(2, optimizer={"discriminator": {"clip_norm": largest}})
    assert moved["discriminator"] == pytest.approx([expected] * 2, rel=1e-5)
    assert moved["generator"] == pytest.approx([1, 1])


def test_a_lazy_term_plays_on_each_kth_turn_of_a_side_and_counts_k_times():
    moved = moves(4, Descent(), Scheduled(Descent(), weight=10, every=3), critic_steps=2)
    assert moved["discriminator"] == pytest.approx([31 + 1, 1 + 31, 1 + 1, 31 + 1])
    assert moved["generator"] == pytest.approx([31, 1, 1, 31])


def test_a_loss_plays_from_start_on_and_before_stop():
    moved = moves(5, Descent(), Scheduled(Descent(), weight=10, start=1, stop=3))
    assert moved == dict.fromkeys(("generator", "discriminator"), pytest.approx([1, 11, 11, 1, 1]))


# Accumulation.


class Spy(NonSaturating):
    """Keeps what `after` is given."""

    def __init__(self):
        super().__init__()
        self.given = []

    def after(self, step, terms):
        assert not any(term.requires_grad for term in terms.values()) and not torch.is_grad_enabled()
        self.given.append({f"{step.turn}/{name}": term.item() for name, term in terms.items()})


def test_accumulation_changes_nothing_but_memory():
    spies = Spy(), Spy()
    whole, parts = (
        play(make(spy, Scheduled(GradientPenalty(), weight=10), critic_steps=2, accumulate=k), 3)
        for spy, k in zip(spies, (1, 4), strict=True)
    )
    agree(parts.generator, whole.generator)
    agree(parts.discriminator, whole.discriminator)
    assert torch.equal(parts.rng.get_state(), whole.rng.get_state())
    assert parts.metrics() == pytest.approx(whole.metrics())
    assert len(spies[1].given) == 3 * 3
    assert all(a == pytest.approx(b) for a, b in zip(*(spy.given for spy in spies), strict=True))


# The averaged generator.


class NormedGenerator(PointGenerator):
    def __init__(self):
        super().__init__()
        self.norm, self.dropout = nn.BatchNorm1d(SIZE), nn.Dropout(0.5)

    def forward(self, given):
        return self.norm(self.dropout(super().forward(given)))


class NormedDiscriminator(PointDiscriminator):
    def __init__(self):
        super().__init__()
        self.norm, self.dropout = nn.BatchNorm1d(SIZE), nn.Dropout(0.5)

    def forward(self, images, given):
        return super().forward(self.norm(self.dropout(images)), given)


def normed_networks() -> tuple[ganzoo.Generator, nn.Module]:
    return NormedGenerator(), NormedDiscriminator()


@pytest.mark.parametrize("ema", [0.999, 0.2, 0])
def test_the_average_warms_up_and_copies_buffers(ema):
    engine = make(networks=normed_networks, ema=ema, optimizer={"lr": 0.1})
    expected = {name: value.clone() for name, value in engine.generator.named_parameters()}
    stream = iter(batches())
    for t in range(6):
        engine.step(stream)
        decay = min(ema, (1 + t) / (10 + t))
        for name, value in engine.generator.named_parameters():
            expected[name] = decay * expected[name] + (1 - decay) * value
        torch.testing.assert_close(dict(engine.ema.named_parameters()), expected, rtol=1e-12, atol=1e-14)
        buffers = (dict(net.named_buffers()) for net in (engine.ema, engine.generator))
        torch.testing.assert_close(*buffers, rtol=0, atol=0)
    assert not engine.ema.training and not any(p.requires_grad for p in engine.ema.parameters())


def test_after_a_while_the_average_is_renewed_less_often_with_the_decay_of_all_steps_between(monkeypatch):
    monkeypatch.setattr("ganzoo.engine.loop.EACH", 3)
    engine = make(networks=normed_networks, ema=0.9, ema_every=2, optimizer={"lr": 0.1})
    expected = {name: value.clone() for name, value in engine.generator.named_parameters()}
    stream, renewed_after = iter(batches()), {1: [1], 2: [2], 3: [3], 5: [4, 5], 7: [6, 7]}
    for step in range(1, 9):
        engine.step(stream)
        if step in renewed_after:
            decay = math.prod(min(0.9, count / (9 + count)) for count in renewed_after[step])
            for name, value in engine.generator.named_parameters():
                expected[name] = decay * expected[name] + (1 - decay) * value
        torch.testing.assert_close(dict(engine.ema.named_parameters()), expected, rtol=1e-12, atol=1e-14)


# Seeds and setup.


def test_the_seed_alone_decides_the_weights():
    data = batches()
    torch.manual_seed(10)
    one = play(make(seed=3), 3, data)
    torch.manual_seed(11)
    same, other = play(make(seed=3), 3, data), play(make(seed=4), 3, data)
    agree(one.generator, same.generator, rtol=0, atol=0)
    assert differ(one.generator, other.generator) and differ(one.discriminator, other.discriminator)


def everything(engine: ganzoo.Engine) -> dict[str, Tensor]:
    """All that a setup could touch: weights, buffers, and where both random generators stand."""
    sides = {"generator": engine.generator, "discriminator": engine.discriminator, "ema": engine.ema}
    states = {f"{side} {name}": value for side in sides for name, value in sides[side].state_dict().items()}
    states |= {"run": engine.rng.get_state(), "torch": torch.get_rng_state()}
    return {name: value.clone() for name, value in states.items()}


@pytest.mark.parametrize("precision", ["fp32", "auto"])
def test_setup_leaves_networks_and_random_generators_as_they_are(precision, float32):
    engine = make(NonSaturating(), GradientPenalty(), networks=normed_networks, precision=precision)
    (batch,) = batches(count=1)
    before = everything(engine)
    engine.prepare(batch)
    torch.testing.assert_close(everything(engine), before, rtol=0, atol=0)
    for side in (engine.generator, engine.discriminator):
        assert all(module.training for module in side.modules())
        assert all(parameter.grad is None for parameter in side.parameters())


def test_setup_gives_back_the_random_numbers_that_a_network_draws_by_itself():
    class NoisyGenerator(PointGenerator):
        def forward(self, given):
            return super().forward(given) + 0.1 * torch.randn(len(given["z"]), SIZE)

    engine, (batch,) = make(networks=lambda: (NoisyGenerator(), PointDiscriminator())), batches(count=1)
    before = torch.get_rng_state()
    engine.prepare(batch)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_second_engine_can_go_on_with_the_networks_of_the_first():
    first = play(make(), 2)
    before = first.discriminator.first.weight.clone()
    play(make(networks=lambda: (first.generator, first.discriminator)), 1)
    assert not torch.equal(first.discriminator.first.weight, before)


# The log.


def test_terms_are_named_after_turn_loss_and_word_and_same_names_are_told_apart():
    engine = make(NonSaturating(), NonSaturating(), Scheduled(GradientPenalty(), name="gp"))
    assert set(play(engine, 1).metrics()) == {
        "discriminator/NonSaturating/real", "discriminator/NonSaturating/fake", "generator/NonSaturating/fake",
        "discriminator/NonSaturating-2/real", "discriminator/NonSaturating-2/fake", "generator/NonSaturating-2/fake",
        "discriminator/gp/penalty",
    }  # fmt: skip


def test_a_number_given_to_a_name_does_not_hide_a_loss_that_has_that_name():
    losses = [Scheduled(GradientPenalty(), name=name) for name in ("gp", "gp", "gp-2")]
    assert len(play(make(NonSaturating(), *losses), 1).metrics()) == 3 + 3


class Clock(ganzoo.Loss):
    """Logs the training step."""

    def discriminator(self, step):
        return {"index": torch.tensor(float(step.index))}


@pytest.mark.parametrize("every", [1, 2, 3])
def test_metrics_are_means_over_all_turns_since_the_last_call(every):
    engine = make(NonSaturating(), Clock(), Scheduled(GradientPenalty(), every=every))
    stream = batches()
    assert play(engine, 4, stream).metrics()["discriminator/Clock/index"] == pytest.approx((0 + 1 + 2 + 3) / 4)
    assert play(engine, 3, stream).metrics()["discriminator/Clock/index"] == pytest.approx((4 + 5 + 6) / 3)


class Counter(ganzoo.Loss):
    """Logs a buffer that it counts up in place after each turn."""

    def setup(self, step):
        self.register_buffer("turns", torch.zeros(()))

    def discriminator(self, step):
        return {"turns": self.turns}

    def after(self, step, terms):
        if step.turn == "discriminator":
            self.turns += 1


def test_a_term_is_logged_as_it_was_on_its_turn_however_many_turns_follow():
    engine = play(make(NonSaturating(), Counter()), 150, batches(count=150))
    assert engine.metrics()["discriminator/Counter/turns"] == pytest.approx(sum(range(150)) / 150)


class Watching(ganzoo.Loss):
    """Logs a parameter of the discriminator."""

    def __init__(self):
        super().__init__()
        self.seen, self.reported_by_me = [], []

    def discriminator(self, step):
        self.seen.append(step.discriminator.last.bias.item())
        return {"bias": step.discriminator.last.bias.detach()[0]}

    def after(self, step, terms):
        if step.turn == "discriminator":
            self.reported_by_me.append(terms["bias"].item())


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_term_that_is_a_parameter_is_told_as_it_was_before_the_update(accumulate):
    watching = Watching()
    engine = play(make(NonSaturating(), watching, accumulate=accumulate, optimizer={"lr": 0.1}), 4)
    seen = watching.seen[-4 * accumulate :: accumulate]
    assert watching.reported_by_me == pytest.approx(seen)
    assert engine.metrics()["discriminator/Watching/bias"] == pytest.approx(sum(seen) / 4)
    assert len(set(seen)) == 4


class Poison(ganzoo.Loss):
    """One term of one side is not finite in training step `at`, and neither is its gradient."""

    def __init__(self, turn: str, at: int, value: float = math.nan):
        super().__init__()
        self.turn, self.at, self.value = turn, at, value

    def discriminator(self, step):
        return {"term": self.factor(step) * step.fake_scores.mean()}

    def generator(self, step):
        return {"term": self.factor(step) * step.fake_scores.mean()}

    def factor(self, step):
        return self.value if (step.turn, step.index) == (self.turn, self.at) else 1.0


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize(("at", "value"), [(0, math.nan), (3, math.nan), (3, math.inf), (5, math.nan)])
@pytest.mark.parametrize("turn", ["discriminator", "generator"])
def test_divergence_names_the_first_bad_term_and_its_step_at_log_time(turn, at, value, every):
    engine = make(Poison(turn, at, value), NonSaturating(), Scheduled(GradientPenalty(), every=every))
    play(engine, 6)
    for look in (engine.check, engine.metrics):
        with pytest.raises(ganzoo.Diverged, match=f"'{turn}/Poison/term' is not a finite number at step {at};"):
            look()


@pytest.mark.parametrize("at", [63, 64, 130])
def test_divergence_is_found_however_many_turns_follow(at):
    engine = play(make(Poison("discriminator", at), NonSaturating()), 150, batches(count=150))
    with pytest.raises(ganzoo.Diverged, match=f"'discriminator/Poison/term' is not a finite number at step {at};"):
        engine.metrics()


def test_a_weight_that_went_bad_behind_finite_terms_is_found_by_check():
    class InfiniteSlope(NonSaturating):
        def generator(self, step):
            return {"zero": (0 * step.fake).sqrt().mean()}

    engine = play(make(InfiniteSlope()), 1)
    with pytest.raises(ganzoo.Diverged, match="a weight is not a finite number after step 1"):
        engine.check()
    assert all(math.isfinite(value) for value in engine.metrics().values())
    play(make(), 1).check()


# What is refused.


@pytest.mark.parametrize(
    ("train", "sentence"),
    [
        ({"steps": 10, "epochs": 2}, "give steps or epochs, not both"),
        ({"epochs": 2}, "give train.steps instead of train.epochs"),
        ({"batch": 10, "accumulate": 4}, "batch 10 cannot be split into 4 equal parts"),
        ({"critic_stepz": 5}, "critic_stepz"),
        ({"critic_steps": 0}, "critic_steps"),
        ({"ema": 1.0}, "ema"),
        ({"precision": "fp8"}, "precision"),
    ],
)
def test_train_settings_that_make_no_sense_are_refused(train, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(**train)


@pytest.mark.parametrize(
    ("optimizer", "sentence"),
    [
        ({"name": "rmsprop", "betas": (0.5, 0.9)}, "'betas' does not go with rmsprop"),
        ({"generator": {"name": "sgd", "betas": (0.5, 0.9)}}, "'betas' does not go with sgd"),
        ({"alpha": 0.9}, "'alpha' does not go with adam"),
        ({"betas": (0.5, 1.0)}, r"betas must lie in \[0, 1\)"),
        ({"name": "lion"}, "name"),
        ({"lr": -1}, "lr"),
        ({"learning_rate": 0.1}, "learning_rate"),
        ({"discriminator": {"learning_rate": 0.1}}, "learning_rate"),
    ],
)
def test_optimizer_settings_that_make_no_sense_are_refused(optimizer, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(optimizer=optimizer)


def test_sides_that_share_a_parameter_are_refused():
    g, d = point_networks()
    d.first.bias = g.first.bias
    with pytest.raises(ganzoo.BadInput, match=r"share a parameter \(first.bias is first.bias\)"):
        make(networks=lambda: (g, d))


def test_a_game_without_a_loss_is_refused():
    with pytest.raises(ganzoo.BadInput, match="there is no loss"):
        ganzoo.Engine(*point_networks(), [], device="cpu")


def test_a_generator_that_makes_another_shape_than_the_data_is_refused():
    with pytest.raises(ganzoo.BadInput, match=r"makes 'image' of shape \(8, 4\), the data has \(8, 5\)"):
        play(make(), 1, batches(5))


def test_a_side_whose_needs_the_data_does_not_meet_is_refused():
    class Labelled(PointDiscriminator):
        needs = ("label",)

    with pytest.raises(ganzoo.BadInput, match="the discriminator needs 'label' in every batch; the data has image"):
        play(make(networks=lambda: (PointGenerator(), Labelled())), 1)


def test_a_generator_of_another_class_is_refused():
    with pytest.raises(ganzoo.BadInput, match=r"the generator is a Linear; it must be a subclass of ganzoo.Generator"):
        make(networks=lambda: (nn.Linear(NOISE, SIZE), PointDiscriminator()))


def test_a_batch_key_that_is_not_there_is_named_beside_those_that_are():
    with pytest.raises(ganzoo.BadInput, match="the batch has no 'image'; it has 'picture'"):
        play(make(), 1, [{"picture": torch.randn(N, SIZE)}])


def test_a_loss_that_refuses_in_setup_is_named():
    class Picky(NonSaturating):
        def setup(self, step):
            if step.real_scores.dim() == 2:
                raise ValueError("scores must be a map; take a patch discriminator")

    with pytest.raises(ganzoo.BadInput, match=r"^loss 'picky': scores must be a map; take a patch discriminator$"):
        play(make(Scheduled(Picky(), name="picky")), 1)


def test_data_that_end_are_refused_and_data_that_can_begin_again_are_not():
    with pytest.raises(ganzoo.BadInput, match="the data gave no more batches"):
        make().run((batch for batch in batches(count=3)), 4)
    with pytest.raises(ganzoo.BadInput, match="the data gave no batch at all"):
        make().run([], 1)
    again = make()
    again.run(batches(count=3), 4)
    agree(again.generator, play(make(), 4, batches(count=3) * 2).generator)


def test_an_iterator_goes_on_where_the_last_run_left_it():
    engine, stream = make(), iter(batches())
    engine.run(stream, 2)
    engine.run(stream, 2)
    agree(engine.generator, play(make(), 4).generator)


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ("tpu", "unknown device 'tpu'; did you mean 'cpu'?"),
        ("vulkan", "unknown device 'vulkan'; allowed: auto, cpu, cuda, mps"),
        ("cpu:1", "this machine has no device 'cpu:1'; it has cpu"),
        ("cpu:", "this machine has no device 'cpu:'; it has cpu"),
        ("cuda:99", "this machine has no device 'cuda:99'; it has cpu"),
    ],
)
def test_a_device_that_is_unknown_or_absent_is_refused(device, sentence):
    with pytest.raises(ganzoo.BadInput) as refusal:
        ganzoo.Engine(*point_networks(), [NonSaturating()], device=device)
    assert str(refusal.value).startswith(sentence)


# Layout and precision.


class Says(NonSaturating):
    """A loss whose generator's term is whatever it is told."""

    def __init__(self, terms):
        super().__init__()
        self.terms = terms

    def generator(self, step):
        return self.terms(step.fake_scores)


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        (lambda scores: {"all": scores}, "terms are scalar tensors by name, but 'all' is shape (8, 1)"),
        (lambda scores: {"number": 1.0}, "but 'number' is float"),
        (lambda scores: None, 'must return a dict of terms by name, such as {"fool": ...}, and returns NoneType'),
        (lambda scores: -scores.mean(), "and returns Tensor"),
    ],
)
def test_what_is_no_scalar_tensor_by_name_is_refused(terms, sentence):
    with pytest.raises(ganzoo.BadInput) as error:
        play(make(Says(terms)), 1)
    assert sentence in str(error.value)


@pytest.mark.parametrize("times", [{"every": 0}, {"start": 5, "stop": 5}, {"stop": 0}])
def test_a_loss_that_would_never_play_is_refused(times):
    with pytest.raises(ganzoo.BadInput, match="'NonSaturating' would never play"):
        Scheduled(NonSaturating(), **times)


def test_losses_without_any_term_are_refused():
    with pytest.raises(ganzoo.BadInput, match="nothing would be trained"):
        make(ganzoo.Loss())


def test_the_same_scheduled_loss_twice_counts_twice_and_stays_as_it_was():
    use = Scheduled(NonSaturating(), name="ns")
    engine = make(use, use)
    assert [each.name for each in engine.losses] == ["ns", "ns-2"]
    assert use.name == "ns"
    agree(play(engine, 3).generator, play(make(Scheduled(NonSaturating(), weight=2.0)), 3).generator)


class Twofold(ganzoo.Loss):
    """The same tensor under two names."""

    def discriminator(self, step):
        term = (softplus(-step.real_scores) + softplus(step.fake_scores)).mean()
        return {"one": term, "other": term}

    def generator(self, step):
        return {"fake": 2 * softplus(-step.fake_scores).mean()}


def test_the_same_tensor_under_two_names_counts_twice():
    engine = play(make(Twofold()), 3)
    agree(engine.generator, play(make(Scheduled(NonSaturating(), weight=2.0)), 3).generator)


def test_a_batch_that_cannot_be_split_is_refused():
    with pytest.raises(ganzoo.BadInput, match="a batch of 8 cannot be split into 3 equal parts"):
        play(make(batch=9, accumulate=3), 1)


def test_a_side_with_nothing_to_train_is_refused():
    class Fixed(PointDiscriminator):
        def __init__(self):
            super().__init__()
            self.requires_grad_(False)

    engine = make(GradientPenalty(), networks=lambda: (PointGenerator(), Fixed()))
    with pytest.raises(ganzoo.BadInput, match="no loss gives the discriminator a gradient at step 0"):
        play(engine, 1)


@pytest.mark.parametrize("count", [0, -1, 2.5, None])
def test_a_categorical_latent_without_values_is_refused(count):
    class Wrong(PointGenerator):
        categorical = {"label": count}  # noqa: RUF012

    with pytest.raises(ganzoo.BadInput, match=rf"categorical 'label' has {count} values; it needs 1 or more"):
        make(networks=lambda: (Wrong(), PointDiscriminator()))


def test_a_term_that_was_detached_is_named_where_nothing_else_trains_a_side():
    sentence = r"no loss gives the generator a gradient at step 0 \(Says/fool have none"
    with pytest.raises(ganzoo.BadInput, match=sentence):
        play(make(Says(lambda scores: {"fool": -scores.detach().mean()})), 1)


def test_a_lazy_layer_is_refused_by_name():
    class Lazy(PointDiscriminator):
        def __init__(self):
            super().__init__()
            self.late = nn.LazyLinear(1)

    with pytest.raises(ganzoo.BadInput, match=r"Lazy has a lazy layer \('late\.weight'\): give it its size"):
        make(networks=lambda: (PointGenerator(), Lazy()))


def test_what_makes_says_must_be_what_forward_returns():
    class Wrong(PointGenerator):
        makes = ("image", "mask")

    with pytest.raises(ganzoo.BadInput, match="its forward must return a dict with these keys"):
        play(make(networks=lambda: (Wrong(), PointDiscriminator())), 1)


def test_no_steps_train_nothing():
    engine = make()
    before = engine.generator.first.weight.clone()
    assert engine.run(batches(), 0) == {}
    assert torch.equal(engine.generator.first.weight, before)


def test_a_part_that_its_author_put_into_eval_stays_there():
    def networks():
        generator, discriminator = normed_networks()
        for module in discriminator.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.eval()
        return generator, discriminator

    engine = make(networks=networks)
    play(engine, 2)
    assert [m.training for m in engine.discriminator.modules() if isinstance(m, nn.BatchNorm1d)] == [False]
    assert engine.discriminator.training
    assert engine.generator.training


class ConvGenerator(ganzoo.Generator):
    latent_size = NOISE

    def __init__(self):
        super().__init__()
        first = nn.ConvTranspose2d(NOISE, 4, 3, bias=False)
        self.net = nn.Sequential(first, nn.BatchNorm2d(4), nn.ReLU(), nn.ConvTranspose2d(4, 2, 3))

    def forward(self, given):
        return self.net(given["z"][:, :, None, None])


class ConvDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layouts_are_last = set()
        self.net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 1), nn.Tanh(), nn.Conv2d(4, 1, 3))

    def forward(self, images, given):
        self.layouts_are_last.add(images.is_contiguous(memory_format=torch.channels_last))
        return self.net(images)


def conv_networks() -> tuple[ganzoo.Generator, nn.Module]:
    return ConvGenerator(), ConvDiscriminator()


@pytest.mark.parametrize("accumulate", [1, 2])
def test_channels_last_changes_the_layout_and_no_number(accumulate):
    def played(channels_last):
        losses = NonSaturating(), Scheduled(GradientPenalty(), weight=10)
        engine = make(*losses, networks=conv_networks, channels_last=channels_last, accumulate=accumulate)
        return play(engine, 5, batches(2, 5, 5))

    last, first = played(True), played(False)
    assert last.discriminator.layouts_are_last == {True} and first.discriminator.layouts_are_last == {False}
    assert last.discriminator.net[0].weight.is_contiguous(memory_format=torch.channels_last)
    for side in ("generator", "discriminator", "ema"):
        agree(getattr(last, side), getattr(first, side), rtol=1e-5, atol=1e-9)


class Dtypes(NonSaturating):
    """Takes part in the game, and keeps what it sees of precision."""

    def discriminator(self, step):
        terms, inside_a_score = super().discriminator(step), step.discriminator.dtype_inside
        slope, inside_a_gradient = step.gradient(step.real, step.batch), step.discriminator.dtype_inside
        self.inside = inside_a_score, inside_a_gradient
        self.outside = {tensor.dtype for tensor in (step.fake, step.real_scores, step.fake_scores, slope)}
        return terms


def cpu_computes_in_fp16() -> bool:
    try:
        with torch.autocast("cpu", torch.float16):
            nn.Linear(2, 2).float()(torch.ones(2, 2, dtype=torch.float32)).sum().backward()
        return True
    except RuntimeError:
        return False


needs_fp16 = pytest.mark.skipif(not cpu_computes_in_fp16(), reason="this torch has no fp16 on the CPU")
half = pytest.mark.parametrize(
    ("precision", "dtype"), [("bf16", torch.bfloat16), pytest.param("fp16", torch.float16, marks=needs_fp16)]
)


@half
def test_half_precision_stays_inside_the_networks(precision, dtype, float32):
    dtypes = Dtypes()
    engine = play(make(dtypes, precision=precision), 2)
    assert dtypes.inside == (dtype, torch.float32)
    assert dtypes.outside == {torch.float32}
    for side in (engine.generator, engine.discriminator, engine.ema):
        assert {parameter.dtype for parameter in side.parameters()} == {torch.float32}


@half
@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": "adam", "eps": 1e-2},
        {"name": "rmsprop", "eps": 1e-2},
        {"name": "sgd", "lr": 0.1},
        {"name": "sgd", "lr": 0.1, "clip_norm": 0.01},
    ],
)
def test_half_precision_moves_the_weights_nearly_as_fp32_does(precision, dtype, optimizer, float32):
    def weights(precision, steps):
        engine = play(make(optimizer=optimizer, precision=precision), steps)
        return nn.utils.parameters_to_vector([*engine.generator.parameters(), *engine.discriminator.parameters()])

    start, exact, rough = weights("fp32", 0), weights("fp32", 4), weights(precision, 4)
    error = (rough - exact).norm() / (exact - start).norm()
    assert 0 < error < 0.05


class Casting(NonSaturating):
    """Counts the half-precision copies of the critic's parameters that its terms go back to."""

    def discriminator(self, step):
        terms = super().discriminator(step)
        nodes, waiting = set(), [term.grad_fn for term in terms.values()]
        while waiting:
            node = waiting.pop()
            if node not in nodes:
                nodes.add(node)
                waiting += [following for following, _ in node.next_functions if following]
        kinds = {node: [following.name() for following, _ in node.next_functions if following] for node in nodes}
        self.copies = sum(
            "ToCopy" in node.name() and "AccumulateGrad" in kinds[node][0] for node in nodes if kinds[node]
        )
        return terms


@half
def test_real_and_fake_samples_are_scored_with_the_same_half_precision_weights(precision, dtype, float32):
    casting = Casting()
    engine = play(make(casting, precision=precision), 2)
    assert casting.copies == len(list(engine.discriminator.parameters()))


@half
def test_an_autocast_around_the_training_changes_nothing(precision, dtype, float32):
    with torch.autocast("cpu", enabled=False):
        around = play(make(precision=precision), 3)
    agree(around.discriminator, play(make(precision=precision), 3).discriminator, rtol=0, atol=0)


class Peeking(NonSaturating):
    """Looks at scores without a graph before it asks for them with one."""

    def discriminator(self, step):
        with torch.no_grad():
            step.score(step.real, step.batch)
        return super().discriminator(step)

    def generator(self, step):
        with torch.no_grad():
            step.generate(step.given)
        return super().generator(step)


@half
def test_a_look_without_a_graph_takes_no_gradient_away(precision, dtype, float32):
    peeking, plain = (play(make(loss, precision=precision), 3) for loss in (Peeking(), NonSaturating()))
    agree(peeking.discriminator, plain.discriminator, rtol=0, atol=0)
    agree(peeking.generator, plain.generator, rtol=0, atol=0)


@needs_fp16
def test_fp16_skips_an_update_that_overflows_and_then_finds_a_scale_that_does_not(float32):
    engine = make(Scheduled(NonSaturating(), weight=1e4), precision="fp16", optimizer={"name": "sgd", "lr": 1e-6})
    untouched = make()
    stream = iter(batches(count=40))
    engine.step(stream)
    agree(engine.discriminator, untouched.discriminator, rtol=0, atol=0)
    for _ in range(30):
        engine.step(stream)
    assert differ(engine.discriminator, untouched.discriminator) and differ(engine.generator, untouched.generator)
    assert all(math.isfinite(value) for value in engine.metrics().values())
