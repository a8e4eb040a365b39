"""Before the first step: seeds, what setup leaves alone, and networks that were trained before."""

import pytest
import torch
from torch import Tensor, nn

import ganzoo
from games.losses import GradientPenalty, NonSaturating
from games.parts import SIZE, PointDiscriminator, PointGenerator
from normed import normed_networks
from tiny_game import agree, batches, differ, make, play

pytestmark = pytest.mark.usefixtures("float64")


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
    before = first.discriminator.net[0].weight.clone()
    play(make(networks=lambda: (first.generator, first.discriminator)), 1)
    assert not torch.equal(first.discriminator.net[0].weight, before)


def test_no_steps_train_nothing():
    engine = make()
    before = engine.generator.net[0].weight.clone()
    assert engine.run(batches(), 0) == {}
    assert torch.equal(engine.generator.net[0].weight, before)


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


def test_an_engine_has_all_its_attributes_before_the_first_step():
    engine = make()
    before = set(vars(engine))
    play(engine, 1)
    assert set(vars(engine)) == before
    assert set(engine.players) == {"generator", "discriminator"}


def test_a_layer_that_is_frozen_after_the_engine_was_built_stays_as_it_is():
    engine = make()
    layer = engine.generator.net[0].requires_grad_(False)
    before, last = layer.weight.clone(), engine.generator.net[-1].weight.clone()
    play(engine, 2)
    assert torch.equal(layer.weight, before) and not layer.weight.requires_grad
    assert not torch.equal(engine.generator.net[-1].weight, last)


class TwoHeaded(PointDiscriminator):
    """Tells classes in an extra, by a head of its own; `spare` is another part, which grows late."""

    def __init__(self, extras=True):
        super().__init__()
        self.guess, self.spare, self.extras = nn.Sequential(nn.Linear(SIZE, 3), nn.Tanh()), nn.Linear(1, 1), extras

    def forward(self, images, given):
        scores = super().forward(images, given)
        return (scores, {"guess": self.guess(images)}) if self.extras else scores


class Reads(ganzoo.Loss):
    def discriminator(self, step):
        return {"guess": step.real_extras["guess"].square().mean()}


@pytest.mark.parametrize(
    ("losses", "extras", "parts"),
    [
        ([NonSaturating()], True, "guess, spare"),
        ([NonSaturating(), ganzoo.Scheduled(Reads(), start=99)], True, "spare"),
        ([NonSaturating()], False, None),
    ],
)
def test_parts_that_no_loss_trains_are_told_once_where_a_network_returns_extras(losses, extras, parts, caplog):
    caplog.set_level("WARNING", "ganzoo")
    play(make(*losses, networks=lambda: (PointGenerator(), TwoHeaded(extras))), 2)
    end = "of the discriminator, which returns the extras 'guess'; add a loss that reads these, or choose a network"
    assert caplog.messages == ([f"no loss trains {parts} {end} without them"] if parts else [])
