"""A loss with the engine's own keys: how much it counts, how often, and from when to when."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo.contract import Loss, Step
from ganzoo.engine.settings import SIDES
from ganzoo.errors import BadInput


@dataclass
class Scheduled:
    """A loss together with the engine's own keys: how much it counts, how often, and from when to when.

    `every = k` plays it on each k-th turn of a side and multiplies its terms by k (lazy regularisation, Karras et
    al. 2020, appendix B); `start` and `stop` are training steps, from `start` on and before `stop`.
    """

    loss: Loss
    name: str = ""
    weight: float = 1.0
    every: int = 1
    start: int = 0
    stop: int | None = None

    def __post_init__(self) -> None:
        self.name = self.name or type(self.loss).__name__
        if not math.isfinite(self.weight):
            raise BadInput(f"loss '{self.name}': weight must be a finite number, got {self.weight}")
        if self.every < 1 or (self.stop is not None and self.stop <= self.start):
            times = f"every {self.every}, start {self.start}, stop {self.stop}"
            raise BadInput(f"loss '{self.name}' would never play: {times}; every is 1 or more, stop lies after start")

    def is_due(self, index: int, turn_number: int) -> bool:
        """Whether this loss has a say in that turn."""
        in_time = self.start <= index and (self.stop is None or index < self.stop)
        return in_time and turn_number % self.every == 0

    def has_terms_for(self, turn: str) -> bool:
        """Whether this loss has terms for that side at all."""
        return getattr(type(self.loss), turn) is not getattr(Loss, turn)

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the loss; what it raises comes with the loss's name."""
        return call_plugin(f"loss '{self.name}'", getattr(self.loss, method), *arguments)

    def terms(self, step: Step) -> dict[str, Tensor]:
        """The loss's terms, as they are. Raises `BadInput` for anything but scalar tensors by name."""
        terms = self.call(step.turn, step) if self.has_terms_for(step.turn) else {}
        if not isinstance(terms, dict):
            said = f'its {step.turn}() must return a dict of terms by name, such as {{"fool": ...}}'
            raise BadInput(f"loss '{self.name}': {said}, and returns {type(terms).__name__}")
        for name, term in terms.items():
            if not isinstance(term, Tensor) or term.dim():
                what = f"shape {tuple(term.shape)}" if isinstance(term, Tensor) else type(term).__name__
                raise BadInput(f"loss '{self.name}': terms are scalar tensors by name, but '{name}' is {what}")
        return terms

    def weighted(self, terms: dict[str, Tensor], parts: int = 1) -> list[Tensor]:
        """The terms that have a gradient, as they count in the sum over all losses and all `parts` of the batch."""
        factor = self.weight * self.every / parts
        counted = [term for term in terms.values() if term.requires_grad]
        return counted if factor == 1 else [factor * term for term in counted]


def name_uniquely(losses: Iterable[Loss | Scheduled]) -> list[Scheduled]:
    """Every loss as a `Scheduled` one; a name that stands twice gets a number, so that both count."""
    losses = list(losses)
    for loss in losses:
        if not isinstance(loss, Loss | Scheduled):
            raise BadInput(f"a loss is a ganzoo.Loss object or a ganzoo.Scheduled one, got {loss!r}")
    uses = [loss if isinstance(loss, Scheduled) else Scheduled(loss) for loss in losses]
    if not uses:
        raise BadInput("there is no loss; a game needs at least one")
    if not any(use.has_terms_for(side) for use in uses for side in SIDES):
        raise BadInput("no loss has a term for either side, so nothing would be trained")
    named: dict[str, Scheduled] = {}
    for use in uses:
        numbers = itertools.chain([use.name], (f"{use.name}-{number}" for number in itertools.count(2)))
        name = next(name for name in numbers if name not in named)
        named[name] = replace(use, name=name)
    return list(named.values())


def check_both_sides_trained(losses: Iterable[Scheduled], steps: int) -> None:
    """Raise `BadInput` where a side would never be trained."""
    for side in SIDES:
        if not any(use.has_terms_for(side) and use.start < steps for use in losses):
            names = ", ".join(use.name for use in losses)
            raise BadInput(
                f"nothing would train the {side}: none of the losses ({names}) has a term for it before step "
                f"{steps}; --loss replaces all losses of a recipe, so name them all"
            )
