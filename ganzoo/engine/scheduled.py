"""A loss with its weight and its schedule, which belong to the engine."""

import itertools
import math
from collections.abc import Container, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo._outputs import split_view
from ganzoo.contract import Images, Loss, Step
from ganzoo.engine.schedule import Number, Schedule, at, read_schedule
from ganzoo.engine.settings import SIDES
from ganzoo.engine.terms import mean_terms
from ganzoo.errors import BadInput, suggest


@dataclass
class Scheduled:
    """A loss with its weight and its schedule: the keys that a recipe may give to any loss.

    `weight` multiplies its terms. With `every = k` it plays on every k-th turn of each side, and its terms are
    multiplied by k (lazy regularisation, Karras et al. 2020, appendix B). It plays from training step `start` on and
    before `stop`. `options` are the schedules of its options that vary; its attributes of these names follow them. The
    weight and an option that varies may be tables, as in a recipe: `weight={"from": 0, "to": 1, "over": 1000}`.
    Raises `BadInput` for a weight that is not finite, for a schedule on which the loss never plays, and for an option
    that the loss does not declare `schedulable`.
    """

    loss: Loss
    name: str = ""
    weight: Number | Mapping[str, Any] = 1.0
    every: int = 1
    start: int = 0
    stop: int | None = None
    options: Mapping[str, Schedule | Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.name or type(self.loss).__name__
        self.numbers = {"weight": self._read("weight", self.weight)}
        self.numbers |= {key: self._read(key, value) for key, value in self.options.items()}
        for key in self.options:
            check_schedulable(f"loss '{self.name}'", self.loss, key)
        self.follow(0, math.inf)
        self.varies = bool(self.list_varying())
        if not math.isfinite(self.factor):
            raise BadInput(f"loss '{self.name}': weight must be a finite number, got {self.factor}")
        if self.every < 1 or (self.stop is not None and self.stop <= self.start):
            schedule = f"every {self.every}, start {self.start}, stop {self.stop}"
            raise BadInput(
                f"loss '{self.name}' would never play: {schedule}; every must be 1 or more and stop greater than start"
            )

    def _read(self, key: str, value: Number | Mapping[str, Any]) -> Number:
        if not isinstance(value, Mapping):
            return value
        return call_plugin(f"loss '{self.name}': {key}", read_schedule, value)

    def follow(self, index: int, total: float) -> None:
        """Give the weight, and options that vary, their values of training step `index` of `total`."""
        for key, number in self.numbers.items():
            value = at(number, index, total)
            if key == "weight":
                self.factor = value
            else:
                setattr(self.loss, key, value)

    def as_it_ends(self) -> "Scheduled":
        """Return this loss, or a copy whose options have the last values of their schedules, if any of them varies."""
        if not self.options:
            return self
        ending = replace(self, loss=deepcopy(self.loss), options={})
        for key in self.options:
            number = self.numbers[key]
            setattr(ending.loss, key, number.to if isinstance(number, Schedule) else number)
        return ending

    def set_up(self, step: Step, device: torch.device) -> None:
        """Let the loss make buffers, or refuse the game, and place it on the device."""
        self.call("setup", step)
        self.freeze(device)

    def freeze(self, device: torch.device) -> None:
        """Freeze the networks inside the loss, and move them to the device."""
        self.loss.to(device).eval().requires_grad_(False)

    def list_varying(self) -> dict[str, Schedule]:
        """Return the schedules of the loss by the key of the recipe, such as "loss.r1.weight"."""
        return {f"loss.{self.name}.{key}": each for key, each in self.numbers.items() if isinstance(each, Schedule)}

    def is_due(self, index: int, turn_number: int) -> bool:
        """Return whether this loss plays on turn `turn_number` of a side, from 0, in training step `index`."""
        in_time = self.start <= index and (self.stop is None or index < self.stop)
        return in_time and turn_number % self.every == 0

    def has_terms_for(self, side: str) -> bool:
        """Return whether this loss has terms for that side at all: whether it overrides the method."""
        return self.overrides(side)

    def overrides(self, method: str) -> bool:
        """Return whether this loss has a method of its own."""
        return getattr(type(self.loss), method) is not getattr(Loss, method)

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the loss by name; its errors name the loss."""
        return call_plugin(f"loss '{self.name}'", getattr(self.loss, method), *arguments)

    def view(self, step: Step, images: Images, given: dict[str, Tensor]) -> tuple[Images, dict[str, Tensor]]:
        """Return what the discriminator sees of images, and what belongs to them. Raises `BadInput` for less."""
        return split_view(self.name, self.call("view", step, images, given), given)

    def terms(self, step: Step) -> dict[str, Tensor]:
        """Return the loss's unweighted terms for the side whose turn it is.

        Raises `BadInput` unless it is a dict of scalar tensors.
        """
        if not self.has_terms_for(step.turn):
            return {}
        return mean_terms(self.name, [self._terms_by_judge(step) for _ in step._judges.each()])

    def _terms_by_judge(self, step: Step) -> dict[str, Tensor]:
        terms = self.call(step.turn, step)
        if not isinstance(terms, dict):
            rule = f'its {step.turn}() must return a dict of terms by name, such as {{"fool": ...}}'
            raise BadInput(f"loss '{self.name}': {rule}, and returns {type(terms).__name__}")
        for name, term in terms.items():
            if not isinstance(term, Tensor) or term.dim():
                what = f"shape {tuple(term.shape)}" if isinstance(term, Tensor) else type(term).__name__
                raise BadInput(f"loss '{self.name}': terms are scalar tensors by name, but '{name}' is {what}")
        return terms

    def weigh(self, terms: dict[str, Tensor], parts: int = 1) -> list[Tensor]:
        """Return the terms that have a gradient, each with its factor in the mean over `parts` of the batch."""
        factor = self.factor * self.every / parts
        counted = [term for term in terms.values() if term.requires_grad]
        return counted if factor == 1 else [factor * term for term in counted]


def list_schedulable(loss: Any) -> tuple[str, ...]:
    """Return the options of a loss, or of its class, that may vary."""
    declared = getattr(loss, "schedulable", ())
    return (declared,) if isinstance(declared, str) else tuple(declared)


def check_schedulable(label: str, loss: Loss, key: str) -> None:
    """Raise `BadInput` for an option that a loss does not let vary."""
    if key not in (declared := list_schedulable(loss)):
        others = suggest(key, declared) if declared else "the loss declares nothing schedulable"
        raise BadInput(f"{label}: '{key}' cannot follow a schedule; {others}")
    if not isinstance(getattr(loss, key, None), float | int):
        raise BadInput(f"{label} declares '{key}' schedulable, so that it must have a number in its attribute '{key}'")


def name_uniquely(losses: Iterable[Loss | Scheduled]) -> list[Scheduled]:
    """Return every loss as a `Scheduled` one with a name of its own: a repeated name gets a number, so that both count.

    Raises `BadInput` if there is no loss, or none with a term.
    """
    losses = list(losses)
    for loss in losses:
        if not isinstance(loss, Loss | Scheduled):
            raise BadInput(f"a loss is a ganzoo.Loss object or a ganzoo.Scheduled one, got {loss!r}")
    uses = [loss if isinstance(loss, Scheduled) else Scheduled(loss) for loss in losses]
    if not uses:
        raise BadInput("there is no loss; a game needs at least one")
    if not any(use.has_terms_for(side) for use in uses for side in SIDES):
        raise BadInput("no loss has a term for the generator or the discriminator, so nothing would be trained")
    named: dict[str, Scheduled] = {}
    for use in uses:
        name = unused_name(use.name, named)
        named[name] = replace(use, name=name)
    return list(named.values())


def no_gradient(side: str, index: int, losses: Iterable[Scheduled], terms: Iterable[dict[str, Tensor]]) -> BadInput:
    """Return the error for a turn whose losses have given these terms, none of which has a gradient."""
    names = [f"{use.name}/{name}" for use, own in zip(losses, terms, strict=True) for name in own]
    reason = f" ({', '.join(names)} have none: a detached term is only logged)" if names else ""
    return BadInput(f"no loss gives the {side} a gradient at step {index}{reason}")


def unused_name(name: str, taken: Container[str]) -> str:
    """Return the name itself, or with the lowest number from 2 on that makes it unused."""
    if name not in taken:
        return name
    return next(numbered for n in itertools.count(2) if (numbered := f"{name}-{n}") not in taken)


def trained_sides(losses: Iterable[Scheduled], steps: float = math.inf) -> list[str]:
    """Return the sides for which some loss has terms before step `steps`."""
    losses = list(losses)
    return [side for side in SIDES if any(use.has_terms_for(side) and use.start < steps for use in losses)]


def check_something_trained(losses: Iterable[Scheduled], steps: int | None, keep_discriminator: bool) -> None:
    """Raise `BadInput` if no loss would train, within so many steps, what a run keeps: the generator, or either side.

    A run keeps its discriminator beside the model if so told (`train.keep_discriminator`).
    """
    losses = list(losses)
    trained = trained_sides(losses, steps or math.inf)
    if "generator" not in trained and not (trained and keep_discriminator):
        names = ", ".join(use.name for use in losses)
        before = f" before step {steps}" if steps else ""
        raise BadInput(
            f"nothing would train the generator: none of the losses ({names}) has a term for it{before}; "
            "--loss replaces all losses of a recipe, so name them all"
        )


def describe_one_side(losses: Iterable[Scheduled], steps: int | None) -> str:
    """Say which side alone is trained within so many steps, and why; empty where both are."""
    trained = trained_sides(losses, steps or math.inf)
    if len(trained) != 1:
        return ""
    (other,) = set(SIDES) - set(trained)
    return f"the {trained[0]} alone, as no loss has a term for the {other}" + (f" before step {steps}" if steps else "")
