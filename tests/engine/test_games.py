"""The contract, by example: each game of `support/games`, played by the engine, equals the same game in plain torch.

After every step all weights and buffers must agree in float64.
"""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

import ganzoo
from games.losses import R1, NonSaturating, Pixelwise
from games.parts import GAMES, STEPS
from ganzoo import Scheduled

pytestmark = pytest.mark.usefixtures("float64")
every_game = pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)


def agree(one: nn.Module, other: nn.Module) -> None:
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=1e-9, atol=1e-11)


@every_game
def test_each_of_five_steps_equals_the_plain_loop(game):
    engine, (g, d), rng = game.engine(), game.networks(), torch.Generator()
    rng.set_state(engine.rng.get_state())
    batches, plain = game.batches(), game.plain(g, d, game.batches(), rng)
    for _ in range(STEPS):
        engine.step(batches)
        next(plain)
        agree(engine.generator, g)
        agree(engine.discriminator, d)
    assert torch.equal(engine.rng.get_state(), rng.get_state())


class Watch(ganzoo.Loss):
    """Looks after every turn whether the side whose turn it was not is frozen and has no gradient."""

    def __init__(self):
        super().__init__()
        self.turns = []

    def after(self, step, terms):
        self.turns.append(step.turn)
        frozen = step.generator if step.turn == "discriminator" else step.discriminator
        assert not any(parameter.requires_grad for parameter in frozen.parameters())
        assert all(parameter.grad is None for parameter in frozen.parameters())


@every_game
def test_the_other_side_is_frozen_and_gets_no_gradient(game):
    watch = Watch()
    engine, batches = game.engine(watch), game.batches()
    for _ in range(STEPS):
        engine.step(batches)
    assert watch.turns.count("generator") == STEPS
    assert "discriminator" in watch.turns


# How terms add up. Plain gradient descent here, since Adam would hide a factor.


def played(*losses: ganzoo.Loss | Scheduled) -> ganzoo.Engine:
    rules = replace(GAMES["vanilla"], losses=lambda: losses, optimizer="sgd")
    engine, batches = rules.engine(), rules.batches()
    for _ in range(STEPS):
        engine.step(batches)
    return engine


def test_two_losses_with_the_same_term_word_both_count():
    twice, doubled = played(NonSaturating(), NonSaturating()), played(Scheduled(NonSaturating(), weight=2))
    agree(twice.generator, doubled.generator)
    agree(twice.discriminator, doubled.discriminator)


def test_a_detached_term_is_logged_and_nothing_else():
    class Logged(NonSaturating):
        def discriminator(self, step):
            return {**super().discriminator(step), "margin": 7 + 0 * step.real_scores.mean().detach()}

    logged, silent = played(Logged()), played(NonSaturating())
    agree(logged.generator, silent.generator)
    agree(logged.discriminator, silent.discriminator)
    assert logged.metrics()["discriminator/Logged/margin"] == 7


def test_on_the_discriminators_turn_the_fake_has_no_graph():
    graphs = {}

    class Graph(NonSaturating):
        def discriminator(self, step):
            graphs["discriminator"] = step.fake.requires_grad
            return super().discriminator(step)

        def generator(self, step):
            graphs["generator"] = step.fake.requires_grad
            return super().generator(step)

    played(Graph())
    assert graphs == {"discriminator": False, "generator": True}


def test_the_discriminator_is_given_the_batch_and_for_a_fake_also_its_latent():
    engine = GAMES["conditional"].engine()
    seen = []
    engine.discriminator.register_forward_pre_hook(lambda module, inputs: seen.append(set(inputs[1])))
    engine.prepare(next(GAMES["conditional"].batches()))
    seen.clear()
    engine.step(GAMES["conditional"].batches())
    real, fake = {"image", "label"}, {"image", "label", "z"}
    assert seen == [real, fake, fake]


@pytest.mark.parametrize("turn", ["discriminator", "generator"])
def test_a_turn_whose_losses_give_no_gradient_is_an_error(turn):
    class Constant(ganzoo.Loss):
        pass

    setattr(Constant, turn, lambda self, step: {"one": torch.ones(())})
    with pytest.raises(ganzoo.BadInput, match=f"no loss gives the {turn} a gradient at step 0"):
        played(Constant())


@pytest.mark.parametrize(
    ("loss", "moves", "rests"),
    [(Pixelwise, "generator", "discriminator"), (R1, "discriminator", "generator")],
)
def test_a_turn_without_a_scheduled_loss_is_skipped_and_its_optimizer_untouched(loss, moves, rests):
    rules = replace(GAMES["vanilla"], losses=lambda: [loss(), Scheduled(NonSaturating(), start=3)])
    engine, batches = rules.engine(), rules.batches()
    start = copy.deepcopy({side: getattr(engine, side).state_dict() for side in (moves, rests)})
    for _ in range(3):
        engine.step(batches)
    torch.testing.assert_close(getattr(engine, rests).state_dict(), start[rests], rtol=0, atol=0)
    assert not engine.players[rests].optimizer.state
    assert engine.players[moves].optimizer.state
    engine.step(batches)
    assert engine.players[rests].optimizer.state
