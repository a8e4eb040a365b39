"""Numbers of a recipe that vary: the values of each schedule, and that they are those which train."""

import math
from typing import ClassVar

import pytest
import torch

import ganzoo
from ganzoo import Scheduled
from ganzoo.engine.schedule import Schedule
from tiny_game import Descent, batches, make, moves, play, ramp_networks

pytestmark = pytest.mark.usefixtures("float64")


def schedule(first, last, **keys):
    return {"from": first, "to": last, **keys}


@pytest.mark.parametrize(
    ("table", "total", "values"),
    [
        (schedule(1, 0), 4, [1, 3 / 4, 1 / 2, 1 / 4, 0, 0]),
        (schedule(1, 3, over=2), 100, [1, 2, 3, 3]),
        (schedule(1, 3, over=2, start=2), 100, [1, 1, 1, 2, 3, 3]),
        (schedule(0, 1, start=2), 4, [0, 0, 0, 1 / 2, 1]),
        (schedule(0, 1, over=2, kind="cosine"), 9, [0, 1 / 2, 1]),
        (schedule(1, 0, over=3, kind="cosine"), 9, [1, 3 / 4, 1 / 4, 0]),
        (schedule(1, 16, over=4, kind="exponential"), 9, [1, 2, 4, 8, 16, 16]),
        (schedule(-1, -0.25, over=2, kind="exponential"), 9, [-1, -1 / 2, -1 / 4]),
        (schedule(1, 3), math.inf, [1, 1, 1]),
    ],
)
def test_a_schedule_goes_from_one_number_to_the_other(table, total, values):
    found = Schedule.model_validate(table)
    assert [found.at(index, total) for index in range(len(values))] == pytest.approx(values, abs=1e-15)
    assert found.at(10**6, 10) == table["to"]


WEIGHTED = {
    "over": (schedule(1, 3, over=2), [1, 2, 3, 3]),
    "to the end": (schedule(0, 1), [0, 1 / 4, 2 / 4, 3 / 4]),
    "from a step": (schedule(1, 0, over=1, start=1), [1, 1, 0, 0]),
}


@pytest.mark.parametrize(("weight", "moved"), WEIGHTED.values(), ids=WEIGHTED)
def test_the_weight_of_a_loss_varies(weight, moved):
    assert moves(4, Descent(), Scheduled(Descent(), weight=weight), steps=4) == {
        "generator": pytest.approx([1 + each for each in moved]),
        "discriminator": pytest.approx([1 + each for each in moved]),
    }


@pytest.mark.parametrize(
    ("settings", "factors"),
    [
        ({"lr": schedule(0.01, 0)}, [1, 3 / 4, 1 / 2, 1 / 4]),
        ({"lr": schedule(0.01, 0.02, over=2), "warmup": 1}, [1 / 2, 3 / 2, 2, 2]),
        ({"schedule": "linear", "start": 2}, [1, 1, 1, 1 / 2]),
        ({"schedule": "cosine", "start": 2, "warmup": 1}, [1 / 2, 1, 1, 1 / 2]),
    ],
)
def test_the_learning_rate_varies(settings, factors):
    assert moves(4, optimizer=settings, steps=4) == dict.fromkeys(
        ("generator", "discriminator"), pytest.approx(factors)
    )


def test_a_side_has_a_schedule_of_its_own():
    moved = moves(3, optimizer={"generator": {"lr": schedule(0.01, 0.03, over=2)}})
    assert moved == {"generator": pytest.approx([1, 2, 3]), "discriminator": pytest.approx([1, 1, 1])}


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"name": "adam", "betas": [schedule(0, 0.8, over=4), 0.9]}, torch.optim.Adam),
        ({"name": "adamw", "betas": [0.5, schedule(0.9, 0.99, over=4)], "weight_decay": 0.1}, torch.optim.AdamW),
        ({"name": "sgd", "momentum": schedule(0.2, 0.8, over=4)}, torch.optim.SGD),
        ({"name": "sgd", "weight_decay": schedule(0, 0.8, over=4)}, torch.optim.SGD),
        ({"name": "rmsprop", "alpha": schedule(0.9, 0.5, over=4)}, torch.optim.RMSprop),
    ],
)
def test_each_setting_that_varies_is_that_of_plain_torch_in_each_step(settings, kind):
    """Gradients are one: an optimizer of torch, told the values by hand, goes the same way."""
    engine = make(Descent(), networks=ramp_networks, optimizer={"lr": 0.01, **settings})
    weights = torch.zeros(4, requires_grad=True)
    names = {"eps": 1e-8} if kind is not torch.optim.SGD else {}
    plain = kind([weights], lr=0.01, **names, **({"betas": (0.5, 0.999)} if "betas" in settings else {}))
    stream = iter(batches(1))
    for index in range(6):
        for key, value in settings.items():
            if key != "name":
                plain.param_groups[0][key] = value_at(value, index)
        plain.zero_grad()
        weights.sum().backward()
        plain.step()
        engine.step(stream)
        torch.testing.assert_close(engine.generator.w, weights, rtol=1e-12, atol=1e-12)


def value_at(value, index):
    """The value at a step by another formula: all of these schedules are linear, over four steps."""
    if isinstance(value, list):
        return tuple(value_at(each, index) for each in value)
    return value["from"] + (value["to"] - value["from"]) * min(index, 4) / 4 if isinstance(value, dict) else value


def test_the_decay_of_the_average_varies():
    engine = make(
        Descent(), networks=ramp_networks, optimizer={"name": "sgd", "lr": 0.01}, ema=schedule(0, 0.5, over=2)
    )
    average = 0.0
    for index, decay in enumerate([0, 0.25, 0.5, 0.5]):
        play(engine, 1, batches(1))
        decay = min(decay, (1 + index) / (10 + index))
        average = decay * average + (1 - decay) * engine.generator.w[0].item()
        assert engine.ema.w[0].item() == pytest.approx(average)


class Pull(Descent):
    """Weighs its terms by its options, one of which may vary."""

    schedulable = ("strength",)

    def __init__(self, strength: float = 1.0, other: float = 1.0):
        super().__init__()
        self.strength, self.other = strength, other

    def discriminator(self, step):
        return {"sum": self.strength * step.real_scores.mean()}

    def generator(self, step):
        return {"sum": self.strength * step.fake.mean()}

    def view(self, step, images, given):
        return images


def test_an_option_that_a_loss_lets_vary_has_its_value_in_each_turn():
    use = Scheduled(Pull(), options={"strength": schedule(1, 2, over=2)})
    assert moves(4, use, critic_steps=2) == {
        "generator": pytest.approx([1, 3 / 2, 2, 2]),
        "discriminator": pytest.approx([2, 3, 4, 4]),
    }


class Weak(Pull):
    """Refuses a strength above 2 in `setup`, and counts how often that is called."""

    def setup(self, step):
        if self.strength > 2:
            raise ValueError(f"strength is at most 2, got {self.strength:g}")
        self.seen = [*getattr(self, "seen", []), self.strength]


@pytest.mark.parametrize(("ends", "refused"), [((0, 2), None), ((0, 3), "3"), ((4, 1), "4")])
def test_a_loss_may_refuse_the_first_and_the_last_value_of_an_option_that_varies(ends, refused):
    loss = Weak()
    use = Scheduled(loss, options={"strength": schedule(*ends)})
    if refused:
        with pytest.raises(ganzoo.BadInput, match=f"^loss 'Weak': strength is at most 2, got {refused}$"):
            moves(1, use, steps=5)
    else:
        moves(1, use, steps=5)
        assert loss.seen == [ends[0]]


class Grows(Pull):
    """Gives its strength to the generator in `setup`, and notes whose strength the generator has in a turn."""

    noted: ClassVar[list[tuple[float, float]]] = []

    def setup(self, step):
        step.generator.strength = self.strength

    def generator(self, step):
        self.noted.append((self.strength, step.generator.strength))
        return super().generator(step)


def test_before_the_first_step_a_game_is_rehearsed_as_it_ends():
    Grows.noted.clear()
    use = Scheduled(Grows(), options={"strength": schedule(1, 5)})
    engine, data = make(use, networks=ramp_networks, steps=4), batches(1)
    engine.prepare(data[0])
    assert set(Grows.noted) == {(5, 5)}
    assert (use.loss.strength, engine.generator.strength) == (1, 1)
    Grows.noted.clear()
    play(engine, 1, data)
    assert Grows.noted == [(1, 1)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"options": {"other": schedule(1, 2)}}, "'other' cannot follow a schedule; allowed: strength"),
        ({"options": {"strenght": schedule(1, 2)}}, "'strenght' cannot follow .*did you mean 'strength'"),
        ({"options": {"strength": {"from": 1}}}, "strength: 'to' is missing"),
        ({"weight": schedule(1, 2, over=0)}, "weight: over: input should be greater than 0"),
        ({"weight": schedule(1, 0, kind="exponential")}, "two numbers of one sign"),
        ({"weight": schedule(1, math.inf)}, "finite number"),
    ],
)
def test_what_cannot_vary_is_refused(given, words):
    with pytest.raises(ganzoo.BadInput, match=f"loss 'Pull'.*{words}"):
        Scheduled(Pull(), **given)


def test_a_loss_that_declares_what_it_does_not_have_is_refused():
    class Forgetful(Descent):
        schedulable = ("strength",)

    with pytest.raises(ganzoo.BadInput, match="must have a number in its attribute 'strength'"):
        Scheduled(Forgetful(), options={"strength": schedule(1, 2)})


class Looks(Descent):
    """Notes what it is told about the time."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def after(self, step, terms):
        self.seen.append((step.turn[0], step.index, step.total, step.progress))


@pytest.mark.parametrize(("steps", "total", "parts"), [(4, 4, [0, 1 / 4, 2 / 4]), (2, 2, [0, 1 / 2, 1])])
def test_a_loss_sees_how_far_the_training_is(steps, total, parts):
    looks = Looks()
    moves(3, looks, steps=steps)
    assert looks.seen == [(side, index, total, part) for index, part in enumerate(parts) for side in "dg"]


def test_without_a_number_of_steps_nobody_knows_how_far_it_is():
    looks = Looks()
    moves(2, looks, minutes=1.0)
    assert {(total, progress) for _, _, total, progress in looks.seen} == {(math.inf, 0)}
