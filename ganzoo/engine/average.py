"""The exponential moving average of the generator."""

import copy
import math

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ganzoo.contract import Generator
from ganzoo.engine.schedule import Number, at

FIRST_STEPS = 100
"""The average is updated after each of the first training steps, this many, whatever `train.ema_every` is."""


class MovingAverage:
    """The exponential moving average of a generator's parameters, with copies of its buffers.

    `network` is the averaged generator, in `eval()` and without gradients. After the first steps it is updated every
    `every` steps only, with the product of the decays of all steps since the last update.
    """

    def __init__(self, generator: Generator, decay: Number, every: int) -> None:
        self.network = copy.deepcopy(generator).eval().requires_grad_(False)
        self._decay, self._every = decay, every

    def decay_after(self, index: int, total: float = math.inf) -> float | None:
        """Return the decay of the update after training step `index` of `total`, in [0, 1); None if none is due."""
        late = index + 1 - FIRST_STEPS
        every = self._every if late > 0 else 1
        if not self._decay or late % every:
            return None
        # A warm-up, (1 + t) / (10 + t) in step t, so that a short run forgets its random start.
        steps = range(index, index - every, -1)
        return math.prod(min(at(self._decay, step, total), (1 + step) / (10 + step)) for step in steps)

    @torch.no_grad()
    def update(self, generator: nn.Module, decay: float) -> None:
        """Move the average towards a generator, all the way if `decay` is 0."""
        average, current = list(self.network.parameters()), list(generator.parameters())
        get_ema_multi_avg_fn(decay)(average, current, None)  # type: ignore[no-untyped-call]  # torch has no types here
        for kept, buffer in zip(self.network.buffers(), generator.buffers(), strict=True):
            kept.copy_(buffer)
