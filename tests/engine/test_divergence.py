"""A training that diverges is stopped, and the first bad term named with its step."""

import math

import pytest

import ganzoo
from games.losses import GradientPenalty, NonSaturating
from ganzoo import Scheduled
from tiny_game import batches, make, play

pytestmark = pytest.mark.usefixtures("float64")


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
