"""What the games are made of: the simplest networks and data, a game, and what the plain loops share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import ganzoo
from ganzoo import Scheduled

STEPS, N, SIZE, NOISE, CLASSES = 5, 6, 4, 3, 3


def mlp(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, outputs))


class PointGenerator(ganzoo.Generator):
    """What is called an image may be any tensor whose first axis is the sample; here it is a point."""

    latent_size, inputs, outputs = NOISE, NOISE, SIZE

    def __init__(self):
        super().__init__()
        self.net = mlp(self.inputs, self.outputs)

    def forward(self, given):
        return self.net(given["z"])


class PointDiscriminator(nn.Module):
    inputs, outputs = SIZE, 1

    def __init__(self):
        super().__init__()
        self.net = mlp(self.inputs, self.outputs)

    def forward(self, images, given):
        return self.net(images)


def points() -> dict[str, Tensor]:
    return {"image": torch.randn(N, SIZE)}


@dataclass(frozen=True)
class Game:
    """What the engine is given, and the loop `plain(g, d, batches, rng)` that must come to the same weights."""

    plain: Callable[..., Iterator[None]]
    losses: Callable[[], list[ganzoo.Loss | Scheduled]]
    generator: Callable[[], ganzoo.Generator] = PointGenerator
    discriminator: Callable[[], nn.Module] = PointDiscriminator
    data: Callable[[], dict[str, Tensor]] = points
    critic_steps: int = 1
    optimizer: str = "adam"

    def networks(self) -> tuple[nn.Module, nn.Module]:
        torch.manual_seed(1)
        return self.generator(), self.discriminator()

    def batches(self) -> Iterator[dict[str, Tensor]]:
        torch.manual_seed(2)
        return iter([self.data() for _ in range(STEPS * self.critic_steps)])

    def engine(self, *more: ganzoo.Loss, accumulate: int = 1) -> ganzoo.Engine:
        train = {"critic_steps": self.critic_steps, "precision": "fp32", "accumulate": accumulate}
        optimizer = {"name": self.optimizer, "lr": 0.01}
        return ganzoo.Engine(
            *self.networks(), [*self.losses(), *more], train=train, optimizer=optimizer, device="cpu"
        )  # fmt: skip


GAMES: dict[str, Game] = {}


def game(losses: Callable[[], list[ganzoo.Loss | Scheduled]], **parts: Any) -> Callable[..., Any]:
    def register(plain: Callable[..., Iterator[None]]) -> Callable[..., Iterator[None]]:
        GAMES[plain.__name__] = Game(plain, losses, **parts)
        return plain

    return register


# What the plain loops share: an optimizer for each side, one way to move a side, and the noise of the run.


def adams(*sides: nn.Module) -> list[torch.optim.Optimizer]:
    return [torch.optim.Adam(side.parameters(), lr=0.01, betas=(0.5, 0.999)) for side in sides]


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Moves this optimizer's parameters alone, whatever else the loss depends on."""
    own = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for parameter, gradient in zip(own, torch.autograd.grad(loss, own, allow_unused=True), strict=True):
        parameter.grad = gradient
    optimizer.step()


def noise(rng: torch.Generator) -> Tensor:
    return torch.randn(N, NOISE, generator=rng)
