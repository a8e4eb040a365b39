"""Each side is moved as plain torch would: optimizers, the schedule of the rate, clipping."""

import math

import pytest
import torch
from torch.nn.functional import softplus

from games.parts import NOISE
from ganzoo.engine.settings import Optimizer
from tiny_game import N, agree, batches, make, moves, play, point_networks

pytestmark = pytest.mark.usefixtures("float64")


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
