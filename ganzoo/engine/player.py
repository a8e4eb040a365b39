"""One of the two players as the engine sees it: its parameters, its optimizer and its count of turns."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from ganzoo.engine.hardware import Hardware
from ganzoo.engine.settings import SideOptimizer


class Player:
    """One of the two players: its trainable parameters, its optimizer and its count of turns."""

    def __init__(self, module: nn.Module, settings: SideOptimizer, hardware: Hardware) -> None:
        self.settings = settings
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.optimizer = make_optimizer(self.parameters, settings) if self.parameters else None
        self.scaler = hardware.scaler()
        self.turns = 0

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """While the other side plays: no parameter of this one asks for a gradient."""
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in self.parameters:
                parameter.requires_grad_(True)

    def update(self, factor: float) -> None:
        """One optimizer step with the learning rate times `factor`, on the gradient that has gathered."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.lr * factor
        if self.settings.clip_norm:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.parameters, self.settings.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)


def make_optimizer(parameters: list[nn.Parameter], settings: SideOptimizer) -> torch.optim.Optimizer:
    """The torch optimizer of that name, in the fastest implementation that needs no compiler."""
    kinds = {
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "rmsprop": torch.optim.RMSprop,
        "sgd": torch.optim.SGD,
    }
    fast = {"foreach": True} if settings.name == "rmsprop" else {"fused": True}
    return kinds[settings.name](parameters, **settings.arguments(), **fast)
