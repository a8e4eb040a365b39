"""Whether a training goes to pieces: samples that are all alike, or a discriminator with nothing left to learn."""

import math
from contextlib import suppress
from functools import cached_property

import torch
from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo.contract import Images, Step
from ganzoo.data.base import Data
from ganzoo.engine.loop import Engine
from ganzoo.errors import Error

STEPS_BETWEEN_LOOKS = 100
"""Training steps between two looks."""
LONG = 5
"""Looks in a row that must show a sign, since either passes by itself at the beginning of many a sound training."""
ALIKE, SATURATED = 0.05, 0.01
SHOWN = 64
"""Samples that are compared with one another."""
FEW = 8
"""With fewer samples in a batch nothing is compared."""
SIGNS = {
    "collapse": "the samples are nearly all alike: they lie {diversity:.1%} as far apart as real ones; "
    "try a lower learning rate (optimizer.generator.lr), another loss or a gradient penalty",
    "saturation": "the discriminator tells real from fake without effort and hardly learns any more; "
    "try a lower optimizer.discriminator.lr, a gradient penalty or another loss",
}
"""What to say of each sign."""


class CollapseDetector:
    """Looks at both sides from time to time. Nothing that it does changes the training.

    `diversity` is how far the samples of a batch lie apart, in units of the real ones' distance: about 1 where all is
    well, 0 where all are the same; None where there is nothing to compare.
    """

    def __init__(self, engine: Engine, data: Data) -> None:
        self.engine, self.data = engine, data
        self.diversity: float | None = None
        self.looks = dict.fromkeys(SIGNS, 0)

    @cached_property
    def batch(self) -> dict[str, Tensor]:
        """The real samples that it looks at, the same at any time, so that what it sees can be compared."""
        train, processes = self.engine.train, self.engine.processes
        first = call_plugin("the data", self.data.first, train.batch, train.seed)
        return {key: processes.shard(value, train.accumulate) for key, value in first.items()}

    def look(self) -> dict[str, str]:
        """Each sign that has been there for long, with what to say of it."""
        batch, self.diversity, errors = self.batch, None, None
        # Losses may play another game than that of real and fake samples of one kind; then there is nothing to see.
        with suppress(Error), self.engine.observe(batch) as step:
            self.diversity = diversity(step)
            errors = slope(self.engine, step)
        signs = {
            "collapse": self.diversity is not None and self.diversity < ALIKE,
            "saturation": errors is not None and errors < SATURATED,
        }
        self.looks = {sign: self.looks[sign] + 1 if there else 0 for sign, there in signs.items()}
        long = [sign for sign, count in self.looks.items() if count >= LONG]
        return {sign: SIGNS[sign].format(diversity=self.diversity) for sign in long}


def diversity(step: Step) -> float | None:
    """How far fake samples lie apart, in units of the real ones' distance."""
    # Both at any rate, as several processes may have to make the fake samples together.
    real, fake = spread(step.real), spread(step.fake)
    found = fake / real if real else math.nan
    return found if math.isfinite(found) else None


@torch.no_grad()
def spread(images: Images) -> float:
    """The mean Euclidean distance between two samples of a batch; 0 for a few samples."""
    kinds = images.values() if isinstance(images, dict) else [images]
    points = torch.cat([kind[:SHOWN].flatten(1).float().cpu() for kind in kinds], 1)
    return torch.pdist(points).mean().item() if len(points) >= FEW else 0.0


def slope(engine: Engine, step: Step) -> float | None:
    """How much the discriminator's terms still depend on its scores: the larger of real and fake ones' mean |dL/ds|.

    With a cross entropy that is the mean of its error, as a probability; with Wasserstein's loss it is 1 at all times.
    None where no term is made of scores.
    """
    active = [use for use in engine.losses if use.every == 1 and use.is_due(engine.index, 0)]
    terms = [term for use in active for term in use.terms(step).values() if term.requires_grad]
    if not terms:
        return None
    scores = [step.real_scores, step.fake_scores]
    found = torch.autograd.grad(torch.stack([term.sum() for term in terms]).sum(), scores, allow_unused=True)
    return max((each.abs().sum().item() for each in found if each is not None), default=None)
