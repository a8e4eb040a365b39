"""Parts of a network with a learning rate of their own."""

import pytest
import torch
from torch import nn

import ganzoo
from tiny_game import Descent, batches, make, play

pytestmark = pytest.mark.usefixtures("float64")

RATE = 0.01


class Parted(ganzoo.Generator):
    """Samples are the sum of all weights: each has the gradient one."""

    latent_size = 1

    def __init__(self):
        super().__init__()
        self.const = nn.Parameter(torch.zeros(()))
        self.mapping = nn.ParameterList([torch.zeros(()), torch.zeros(())])
        self.mapping_too = nn.ParameterDict({"bias": torch.zeros(())})
        self.blocks = nn.ModuleList([nn.ParameterDict({"w": torch.zeros(())}) for _ in range(2)])

    def forward(self, given):
        return sum(self.parameters()) + 0 * given["z"]


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.low, self.high = (nn.ParameterDict({"w": torch.zeros(())}) for _ in range(2))

    def forward(self, images, given):
        return sum(self.parameters()) + 0 * images


def moved(steps=1, optimizer="sgd", **parts):
    """How far each parameter went, in units of the rate."""
    settings = {"name": optimizer, "lr": RATE, **{side: {"parts": table} for side, table in parts.items()}}
    engine = make(Descent(), networks=lambda: (Parted(), Judge()), optimizer=settings)
    play(engine, steps, batches(1))
    networks = (*engine.generator.named_parameters(), *engine.discriminator.named_parameters())
    return {name: round(-parameter.item() / RATE, 9) for name, parameter in networks}


ONES = {"const": 1, "mapping.0": 1, "mapping.1": 1, "mapping_too.bias": 1, "blocks.0.w": 1, "blocks.1.w": 1}
ONES |= {"low.w": 1, "high.w": 1}
BLOCKS = {"blocks.0.w": 0.5, "blocks.1.w": 2}
PARTS = {
    "none": ({}, {}),
    "a module": ({"mapping": 0.1}, {"mapping.0": 0.1, "mapping.1": 0.1}),
    "a parameter": ({"const": 0.1, "mapping.1": 3}, {"const": 0.1, "mapping.1": 3}),
    "the longest name counts": ({"blocks": 0.5, "blocks.1": 2}, BLOCKS),
    "in any order": ({"blocks.1": 2, "blocks": 0.5}, BLOCKS),
    "as tables": ({"blocks": {"0": 0.5, "1": 2}}, BLOCKS),
    "frozen": ({"blocks": 0, "blocks.1": 1}, {"blocks.0.w": 0}),
}


@pytest.mark.parametrize(("parts", "others"), PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_each_part_has_its_own_rate(parts, others, optimizer):
    assert moved(generator=parts, optimizer=optimizer) == pytest.approx({**ONES, **others}, rel=1e-6)


def test_both_sides_have_parts():
    found = moved(generator={"mapping": 0.1}, discriminator={"low": 0})
    assert found == {**ONES, "mapping.0": 0.1, "mapping.1": 0.1, "low.w": 0}


def test_a_part_may_thaw():
    found = moved(3, generator={"const": {"from": 0, "to": 1, "over": 2}})
    assert found == {**dict.fromkeys(ONES, 3), "const": 1.5}


def test_what_is_frozen_has_no_gradient_and_the_other_side_plays_through_it():
    engine = make(Descent(), networks=lambda: (Parted(), Judge()), optimizer={"discriminator": {"parts": {"low": 0}}})
    play(engine, 2, batches(1))
    low, high = engine.discriminator.low["w"], engine.discriminator.high["w"]
    assert not low.requires_grad and low.grad is None and low.item() == 0 and high.item() != 0


class Normed(Parted):
    """Has statistics of its own in every part, and another part inside one."""

    def __init__(self):
        super().__init__()
        self.mapping = nn.ModuleDict({"norm": nn.BatchNorm1d(1), "deep": nn.Sequential(nn.BatchNorm1d(1))})
        self.mapping["spectral"] = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2))
        self.other = nn.BatchNorm1d(1)

    def forward(self, given):
        norms = [self.mapping["norm"], *self.mapping["deep"], self.other]
        return sum(norm(given["z"]) for norm in norms) + self.mapping["spectral"].weight.sum()


@pytest.mark.parametrize(
    ("parts", "moves"),
    [
        ({}, {"norm", "deep", "spectral", "other"}),
        ({"mapping": 0}, {"other"}),
        ({"mapping": 0, "mapping.deep": 0.5}, {"deep", "other"}),
        ({"mapping": 0.5}, {"norm", "deep", "spectral", "other"}),
    ],
)
def test_the_statistics_of_a_frozen_part_stay(parts, moves):
    engine = make(Descent(), networks=lambda: (Normed(), Judge()), optimizer={"generator": {"parts": parts}})
    first = {name: value.clone() for name, value in engine.generator.named_buffers()}
    play(engine, 2, batches(1))
    moved = {name for name, value in engine.generator.named_buffers() if not torch.equal(value, first[name])}
    assert {part for part in ("norm", "deep", "spectral", "other") if any(part in name for name in moved)} == moves


@pytest.mark.parametrize(
    ("side", "parts", "words"),
    [
        ("generator", {"maping": 0.1}, "the generator has no 'maping'; did you mean 'mapping'"),
        ("generator", {"map": 0.1}, "the generator has no 'map'; "),
        ("generator", {"x": 0.1}, "the generator has no 'x'; its parts are const, mapping, mapping_too, blocks"),
        ("generator", {"blocks.2": 0.1}, r"has no 'blocks.2'; did you mean 'blocks.1' or 'blocks.0'"),
        ("discriminator", {"mapping": 0.1}, "the discriminator has no 'mapping'; its parts are low, high"),
        ("discriminator", {"low": 0, "high": 0}, "freezes all of the discriminator"),
    ],
)
def test_a_part_that_is_not_there_is_refused(side, parts, words):
    with pytest.raises(ganzoo.BadInput, match=f"optimizer.{side}.parts:? .*{words}"):
        moved(**{side: parts})


def test_the_layers_are_named_where_all_lie_in_one_module():
    def networks():
        judge = Judge()
        judge.network = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))
        del judge.low, judge.high
        return Parted(), judge

    settings = {"name": "sgd", "lr": RATE, "discriminator": {"parts": {"layers": 0}}}
    with pytest.raises(ganzoo.BadInput, match=r"has no 'layers'; its parts are network.0, network.2$"):
        make(Descent(), networks=networks, optimizer=settings)


class Encoder(nn.Module):
    def __init__(self, fault: str):
        super().__init__()
        self.weight, self.fault = nn.Parameter(torch.full((), 0.5)), fault

    def forward(self, images):
        if self.fault == "raises":
            raise RuntimeError("too deep")
        return self.weight * images


class Inverting(Descent):
    """Trains the generator's encoder, which BiGAN and f-AnoGAN have beside their two networks."""

    def generator(self, step):
        inverted = step.call(step.generator.encoder, step.real)
        return {"sum": step.fake.mean(), "invert": (inverted - step.real).square().mean()}


def with_encoder(fault=""):
    generator = Parted()
    generator.encoder = Encoder(fault)
    return generator, Judge()


def test_a_network_beside_the_two_is_trained_with_the_generator_and_has_a_rate_of_its_own():
    optimizer = {"name": "sgd", "lr": RATE, "generator": {"parts": {"encoder": 3}}}
    one, other = (
        play(
            make(Inverting(), networks=with_encoder, optimizer=settings), 1, batches(1)
        ).generator.encoder.weight.item()
        for settings in (optimizer, {"name": "sgd", "lr": RATE})
    )
    assert one - 0.5 == pytest.approx(3 * (other - 0.5)) and one != 0.5


def test_an_error_in_a_network_beside_the_two_names_it():
    engine = make(Inverting(), networks=lambda: with_encoder("raises"))
    with pytest.raises(ganzoo.Error, match=r"the generator's encoder \(.*Encoder\) failed: RuntimeError: too deep"):
        play(engine, 1, batches(1))


def test_a_weight_that_is_not_finite_is_named():
    engine = play(make(Inverting(), networks=with_encoder), 1, batches(1))
    engine.generator.encoder.weight.data.fill_(torch.nan)
    with pytest.raises(ganzoo.Diverged, match=r"after step 1: the generator's encoder\.weight"):
        engine.check()
