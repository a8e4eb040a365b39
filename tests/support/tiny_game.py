"""An engine with a tiny game on points, and what several tests do with it."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

import ganzoo
from games.losses import NonSaturating
from games.parts import SIZE, PointDiscriminator, PointGenerator
from ganzoo import Scheduled

N = 8


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
