"""What the log says of the terms: their names, and their means over all turns."""

import pytest
import torch

import ganzoo
from games.losses import GradientPenalty, NonSaturating
from ganzoo import Scheduled
from tiny_game import batches, make, play

pytestmark = pytest.mark.usefixtures("float64")


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
        self.seen.append(step.discriminator.net[2].bias.item())
        return {"bias": step.discriminator.net[2].bias.detach()[0]}

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
