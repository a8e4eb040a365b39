"""Measure samples during a training: which generator was the best, and whether the samples still improve."""

import math
from collections.abc import Mapping
from typing import Any

from ganzoo.data.base import Data
from ganzoo.engine.settings import Train
from ganzoo.errors import BadInput
from ganzoo.evaluation.lookup import SUITES, find_suite
from ganzoo.evaluation.suites import Pieces, Suite, are_finite
from ganzoo.evaluation.swd import SlicedWasserstein

DECIMALS = 4
"""Decimal places in the log."""


class Evaluation:
    """The metrics by which a suite says that a training is watched, on `count` samples.

    What is better when lower is told as `key`, a ratio to the value of as many real samples that no training has seen:
    1 is as good as they are. Raises `BadInput` for fewer samples than a metric needs or more than the suite has.
    """

    def __init__(self, suite: Suite[Any], count: int) -> None:
        self.suite, self.count = suite, count
        self.metrics = {name: suite.metrics[name] for name in suite.watched}
        for name, metric in self.metrics.items():
            if count < metric.least:
                raise BadInput(f"train.evaluate_samples is {count}, and '{name}' needs {metric.least} or more")
        seen = suite.control(count)
        self.real = {name: metric.measure(seen) for name, metric in self.metrics.items()}
        lower = [name for name, metric in self.metrics.items() if metric.better == "lower" and self.real[name] > 0]
        self.units = {name: self.real[name] for name in lower}
        self.key, self.better = self._key(suite.watched[0]), self.metrics[suite.watched[0]].better

    def measure(self, pieces: Pieces) -> dict[str, float]:
        """What is told of samples: "fd_ratio", "coverage" and the like; nothing where one of them is not finite."""
        pieces = list(pieces)
        if not all(are_finite(samples) for samples, _ in pieces):
            return {}
        seen = self.suite.observe(pieces)
        found = {name: metric.measure(seen) for name, metric in self.metrics.items()}
        return {self._key(name): value / self.units.get(name, 1) for name, value in found.items()}

    @property
    def about(self) -> dict[str, Any]:
        """The protocol, and what real samples come to."""
        protocol = self.suite.protocol(self.count)
        return {"by": self.suite.name, "samples": self.count, "real": self.real, "protocol": protocol}

    def _key(self, name: str) -> str:
        key = name.replace("-", "_")
        return f"{key}_ratio" if name in self.units else key


def suite_for(data: Data) -> Suite[Any]:
    """What measures samples of these data. Raises `BadInput` where nothing does."""
    suite = find_suite(data.description)
    if suite is None:
        known = ", ".join(SUITES)
        raise BadInput(f"train.evaluate_every: there are no metrics for '{data.name}', only for {known}; leave it at 0")
    suite.check_data(data.description)
    return suite


class Monitor:
    """Measures samples from time to time, and remembers the `best`: its training step and all that was measured then.

    `unimproved` counts the measurements since then. What is no finite number is left out. Raises `BadInput` where what
    the settings ask for cannot be done.
    """

    def __init__(self, data: Data, settings: Train) -> None:
        self.every = settings.evaluate_every or settings.save_every
        self.patience = settings.patience
        self.gauge: SlicedWasserstein | Evaluation = SlicedWasserstein(data, settings.seed)
        if settings.evaluate_every:
            self.gauge = Evaluation(suite_for(data), settings.evaluate_samples)
        self.best: dict[str, Any] | None = None
        self.unimproved = 0

    def due(self, step: int) -> bool:
        """Whether to measure after that training step."""
        return self.gauge.count > 0 and step % self.every == 0

    def measure(self, step: int, pieces: Pieces) -> dict[str, float]:
        """What the log says of the samples after a training step; the step is the best if none was better."""
        measured = self.gauge.measure(pieces)
        found = {key: round(value, DECIMALS) for key, value in measured.items() if math.isfinite(value)}
        if self._cost(found) < self._cost(self.best or {}):
            self.best, self.unimproved = {"step": step, **found}, 0
        elif self.best:
            self.unimproved += 1
        return found

    def _cost(self, found: Mapping[str, float]) -> float:
        sign = -1 if self.gauge.better == "higher" else 1
        return sign * found[self.gauge.key] if self.gauge.key in found else math.inf

    def at_its_best(self, step: int) -> bool:
        """Whether the samples of a training step were the best so far."""
        return self.best is not None and int(self.best["step"]) == step

    @property
    def exhausted(self) -> bool:
        """Whether patience is at its end."""
        return out_of_patience(self.state, self.patience)

    @property
    def about(self) -> dict[str, Any]:
        """What the history of a run says of the evaluation, if there is one: without it no number says anything."""
        return {"evaluation": self.gauge.about} if isinstance(self.gauge, Evaluation) else {}

    @property
    def notes(self) -> list[str]:
        """What to tell of it."""
        if not isinstance(self.gauge, Evaluation):
            return []
        real = ", ".join(f"{name} {value:.4g}" for name, value in self.gauge.real.items())
        return [f"evaluated every {self.every} steps on {self.gauge.count:,} samples; as many real ones have {real}"]

    @property
    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"best": self.best, "unimproved": self.unimproved, "count": self.gauge.count}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint kept; what was the best by another measure or count is not comparable."""
        # Earlier checkpoints do not say how many samples were measured, nor how often in vain.
        count = state.get("count", self.gauge.count)
        if state["best"] and self.gauge.key in state["best"] and self.gauge.count == count:
            self.best, self.unimproved = state["best"], state.get("unimproved", 0)


def out_of_patience(state: Mapping[str, Any], patience: int) -> bool:
    """Whether a training of that `Watch.state` has gone on for so many measurements without improvement."""
    return 0 < patience <= state.get("unimproved", 0)


def describe_patience(state: Mapping[str, Any]) -> str:
    """How long nothing has improved, in half a sentence."""
    best = state["best"]
    key = next(key for key in best if key != "step")
    return f"{key} has not improved on its {best[key]} of step {best['step']} in {state['unimproved']} measurements"
