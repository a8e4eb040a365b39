"""One side of the game as the engine trains it."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

from ganzoo.engine.parts import sort_into_parts
from ganzoo.engine.schedule import at
from ganzoo.engine.settings import SideOptimizer


class Player:
    """One side of the game as the engine trains it: trainable parameters, optimizer, gradient scaler, count of turns.

    `side` is "generator" or "discriminator". `names` are those of the `parameters` in the network, `factors` those of
    the learning rate for each of the optimizer's groups. One with nothing to train has an optimizer without parameters.
    """

    def __init__(self, side: str, network: nn.Module, settings: SideOptimizer, scaler: torch.amp.GradScaler) -> None:
        self.side, self.settings, self.scaler = side, settings, scaler
        parts = sort_into_parts(side, network, settings.parts)
        trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
        self.names, self.parameters = list(trained), list(trained.values())
        self.factors = [settings.parts.get(part, 1.0) for part in parts]
        self.optimizer = make_optimizer(parts.values(), settings)
        self.varies = bool(settings.varying(0, math.inf))
        self.turns = 0

    @contextmanager
    def freeze(self) -> Iterator[None]:
        """Let no parameter of this side record a gradient inside, where the other side plays."""
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in self.parameters:
                parameter.requires_grad_(True)

    def update(self, index: int, steps: float) -> None:
        """Do one optimizer step on the gradients collected so far, with the settings of training step `index`."""
        rate = self.settings.rate(index, steps)
        varying = self.settings.varying(index, steps) if self.varies else {}
        for factor, group in zip(self.factors, self.optimizer.param_groups, strict=True):
            group.update(varying, lr=rate * at(factor, index, steps))
        if self.settings.clip_norm:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.parameters, self.settings.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)


def make_optimizer(groups: Iterable[list[nn.Parameter]], settings: SideOptimizer) -> torch.optim.Optimizer:
    """Return the torch optimizer of that name for groups, in the fastest implementation that needs no compiler."""
    kinds: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "adam": partial(torch.optim.Adam, fused=True),
        "adamw": partial(torch.optim.AdamW, fused=True),
        "rmsprop": partial(torch.optim.RMSprop, foreach=True),
        "sgd": partial(torch.optim.SGD, fused=True),
    }
    # Torch refuses an empty list of parameters, but not a group with none.
    return kinds[settings.name]([{"params": group} for group in groups], **settings.arguments())
