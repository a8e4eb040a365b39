"""The probability: how it follows the scores, and that trainings log it and go on with it."""

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_augment.ada import Ada
from ganzoo_augment.apa import Apa

toys = ganzoo.testing.toys
N = 10
"""Images in a batch."""


class Knows(nn.Module):
    """Scores of this sign for bright images and of the other for dark ones."""

    def __init__(self, sign=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(sign))

    def forward(self, images, given):
        return self.weight * (1 + images.flatten(1).mean(1))


def train(loss, steps, discriminator=None, **train):
    engine = ganzoo.Engine(
        toys.TinyGenerator(), discriminator or Knows(), [toys.NonSaturating(), loss], device="cpu",
        train={"precision": "fp32", **train}, optimizer={"name": "sgd", "lr": 1e-9},
    )  # fmt: skip
    found = [engine.run([{"image": torch.full((N, 1, 2, 2), 0.5)}], 1) for _ in range(steps)]
    name = type(loss).__name__
    return [line[f"discriminator/{name}/p"] for line in found], [
        line.get(f"discriminator/{name}/sign") for line in found
    ]


def expected(signs, p=0.0, target=0.6, speed=500.0, limit=0.8, images=N):
    """The probability before each turn, as a loop."""
    found, kept = [], []
    for sign in signs:
        found.append(p)
        kept.append(sign)
        if len(kept) == 4:
            r = sum(kept) / 4
            p = min(max(p + ((r > target) - (r < target)) * 4 * images / speed, 0), limit)
            kept = []
    return found


@pytest.mark.parametrize("kind", [Ada, Apa])
@pytest.mark.parametrize(("p", "limit"), [(0.0, 1.0), (0.3, 0.8)])
def test_it_rises_to_its_limit_in_as_many_images_as_the_speed_says(kind, p, limit):
    loss = kind(p=p, speed=500, limit=limit, **({"policy": ("blit",)} if kind is Ada else {}))
    found, signs = train(loss, 54)
    assert signs == [1.0] * 54
    assert found == pytest.approx(expected(signs, p, limit=limit), abs=1e-6)
    assert found[0] == pytest.approx(p) and found[-1] == pytest.approx(limit) and max(found) <= 1


@pytest.mark.parametrize("kind", [Ada, Apa])
def test_it_falls_to_zero_where_real_images_are_taken_for_fakes(kind):
    found, signs = train(kind(p=0.3, speed=500, **({"policy": ("blit",)} if kind is Ada else {})), 20, Knows(-1.0))
    assert signs == [-1.0] * 20
    assert found == pytest.approx(expected(signs, 0.3), abs=1e-6) and found[-1] == 0


def step(signs):
    """A turn in which the real images have scores of these signs."""
    batch = {"image": torch.tensor(signs).view(-1, 1, 1, 1).expand(-1, 1, 2, 2) - 1}
    return toys.make_step("discriminator", toys.TinyGenerator(), Knows(), batch, {"z": torch.zeros(len(signs), 3)})


@pytest.mark.parametrize(("target", "speed"), [(0.6, 100.0), (0.05, 90.0), (-0.5, 1000.0)])
def test_it_goes_up_and_down_by_the_mean_sign_of_four_turns(target, speed):
    rng, loss, turns = torch.Generator().manual_seed(0), Ada(p=0.5, target=target, speed=speed), []
    for number in range(60):
        share = 0.9 if number < 24 else 0.4
        turn = step([1.0 if u < share else -1.0 for u in torch.rand(N, generator=rng).tolist()])
        terms = loss.discriminator(turn)
        turns.append((terms["p"].item(), terms["sign"].item()))
        loss.after(turn, terms)
    found, signs = zip(*turns, strict=True)
    assert found == pytest.approx(expected(signs, 0.5, target, speed), abs=1e-5)
    assert len(set(found)) > 3


def test_the_generators_turn_does_not_count():
    loss, turn = Ada(p=0.2, speed=40), step([1.0] * N)
    turn.turn = "generator"
    for _ in range(8):
        loss.after(turn, {})
    assert loss.probability.item() == pytest.approx(0.2) and not loss.signs.any()


@pytest.mark.parametrize("kind", [Ada, Apa])
def test_a_fixed_probability_stays_and_may_follow_a_schedule(kind):
    found, signs = train(kind(p=0.3, adaptive=False, speed=1), 9)
    assert found == pytest.approx([0.3] * 9) and signs == [None] * 9
    rising = ganzoo.Scheduled(
        kind(adaptive=False), options={"p": {"from": 0.0, "to": 0.8, "over": 4}}, name=kind.__name__
    )
    engine = ganzoo.Engine(
        toys.TinyGenerator(), Knows(), [toys.NonSaturating(), rising], device="cpu", train={"precision": "fp32"}
    )
    found = [engine.run([{"image": torch.zeros(N, 1, 2, 2)}], 1)[f"discriminator/{kind.__name__}/p"] for _ in range(6)]
    assert found == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 0.8])


@pytest.mark.parametrize("adaptive", [True, False])
def test_a_fixed_probability_asks_for_no_scores(adaptive):
    turn = step([1.0] * N)
    turn.__dict__["_judged_real"] = asked = Asked()
    Ada(p=0.3, adaptive=adaptive).discriminator(turn)
    assert asked.times == adaptive


class Asked:
    """Scores and extras that count how often they are looked at."""

    times = 0

    def __getitem__(self, part):
        self.times += 1
        return [torch.ones(N)]


def test_parts_of_a_batch_count_as_the_whole():
    whole, parts = (train(Ada(p=0.1, speed=500), 9, accumulate=number)[0] for number in (1, 2))
    assert whole == parts and whole[-1] > 0.1
