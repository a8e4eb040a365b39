"""One side of the game as the engine trains it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

from ganzoo.engine.settings import SideOptimizer


class Player:
    """One side of the game as the engine trains it: trainable parameters, optimizer, gradient scaler, count of turns.

    `side` is "generator" or "discriminator". A network with nothing to train has an optimizer without parameters.
    """

    def __init__(self, side: str, network: nn.Module, settings: SideOptimizer, scaler: torch.amp.GradScaler) -> None:
        self.side, self.settings, self.scaler = side, settings, scaler
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = make_optimizer(self.parameters, settings)
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

    def update(self, factor: float) -> None:
        """Do one optimizer step on the gradients collected so far, with the learning rate times `factor`."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.lr * factor
        if self.settings.clip_norm:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.parameters, self.settings.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)


def make_optimizer(parameters: list[nn.Parameter], settings: SideOptimizer) -> torch.optim.Optimizer:
    """Return the torch optimizer of that name, in the fastest implementation that needs no compiler."""
    kinds: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "adam": partial(torch.optim.Adam, fused=True),
        "adamw": partial(torch.optim.AdamW, fused=True),
        "rmsprop": partial(torch.optim.RMSprop, foreach=True),
        "sgd": partial(torch.optim.SGD, fused=True),
    }
    group = {"params": parameters}  # torch refuses an empty list of parameters, but not a group with none
    return kinds[settings.name]([group], **settings.arguments())
