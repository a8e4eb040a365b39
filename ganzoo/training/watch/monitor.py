"""Measure samples during a training: which generator was the best, and whether the samples still improve."""

import math
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ganzoo.data.base import Data
from ganzoo.engine.settings import Train
from ganzoo.errors import BadInput
from ganzoo.evaluation.independence import choose_independent
from ganzoo.evaluation.lookup import find_default, list_measured
from ganzoo.evaluation.real import RealSamples
from ganzoo.evaluation.suites import Gauge, Pieces, Suite
from ganzoo.evaluation.swd import SlicedWasserstein
from ganzoo.zoo.kept import read_real
from ganzoo.zoo.sampling import are_finite

MAX_INPUT_BYTES = 2**28
"""Memory for real inputs; where there are fewer than samples, they are used again."""
DECIMALS = 4
"""Decimal places of measures in the log."""


class Evaluation:
    """Measures `count` samples by the metrics that a suite names for the monitoring of a training, or all it allows.

    A metric that is better when lower is divided by its value for `count` real samples outside the training set, so
    that 1 is as good as they are; its name then ends in "_ratio". The first metric, `key` in the log, decides which
    generator is the best. Raises `BadInput` for fewer samples than a metric needs or more than the suite has.
    """

    def __init__(self, suite: Suite[Any], count: int) -> None:
        self.suite, self.count = suite, min(count, most) if (most := suite.most_samples()) else count
        self.metrics = {name: suite.metrics[name] for name in suite.watched}
        for name, metric in self.metrics.items():
            if count < metric.least:
                raise BadInput(f"train.evaluate_samples is {count}, but '{name}' needs {metric.least} or more")
        with torch.no_grad():
            observed = suite.control(self.count)
            self.real = {name: metric.measure(observed) for name, metric in self.metrics.items()}
        lower = [name for name, metric in self.metrics.items() if metric.better == "lower" and self.real[name] > 0]
        self.divisors = {name: self.real[name] for name in lower}
        self.key, self.better = self._log_key(suite.watched[0]), self.metrics[suite.watched[0]].better

    def measure(self, pieces: Pieces) -> dict[str, float]:
        """Return the values by their keys in the log, such as "fd_ratio"; empty if a sample is not finite."""
        pieces = list(pieces)
        if not all(are_finite(samples) for samples, _ in pieces):
            return {}
        observed = self.suite.observe(pieces)
        found = {name: metric.measure(observed) for name, metric in self.metrics.items()}
        return {self._log_key(name): value / self.divisors.get(name, 1) for name, value in found.items()}

    @property
    def about(self) -> dict[str, Any]:
        """The protocol and the values of real samples."""
        protocol = self.suite.protocol(self.count)
        return {"by": self.suite.name, "samples": self.count, "real": self.real, "protocol": protocol}

    def _log_key(self, name: str) -> str:
        key = name.replace("-", "_")
        return f"{key}_ratio" if name in self.divisors else key


def choose_suite(data: Data, seen: Collection[str] = ()) -> tuple[Suite[Any] | None, list[str]]:
    """Return the suite that measures samples of these data, and why others are left out.

    None where all use a pretrained network that the training has `seen`. Raises `BadInput` if there is no suite.
    """
    suites = [suite for suite in find_default(data.description, RealSamples.of(data)) if suite.watched]
    if not suites:
        known = ", ".join(list_measured())
        raise BadInput(f"train.evaluate_every: there are no metrics for '{data.name}', only for {known}; leave it at 0")
    independent, left_out = choose_independent(suites, seen)
    if not independent:
        return None, left_out
    independent[0].check_data(data.description)
    return independent[0], []


class Monitor:
    """Measures samples from time to time, and remembers the `best`: its training step and all values of that step.

    `unimproved` counts the measurements since the best one. Values that are not finite are ignored. Raises `BadInput`
    for settings that these data cannot be measured by. `inputs` are the keys of the data that samples are made from,
    `makes` those that they imitate, `seen` the pretrained networks that the training sees. `labels` are keys that
    samples have as real ones do, so that they are as frequent, unless the suite knows the classes itself.
    """

    def __init__(
        self,
        data: Data,
        settings: Train,
        inputs: Collection[str] = (),
        makes: str | Sequence[str] = "image",
        seen: Collection[str] = (),
        labels: Collection[str] = (),
    ) -> None:
        self.every = settings.evaluate_every or settings.save_every
        self.patience = settings.patience
        self.data, self.seed, self.input_keys = data, settings.seed, [*inputs, *labels]
        self.gauge: Gauge = SlicedWasserstein(data, settings.seed, self.input_keys, makes)
        self.left_out: list[str] = []
        if settings.evaluate_every:
            suite, self.left_out = choose_suite(data, seen)
            self.gauge = Evaluation(suite, settings.evaluate_samples) if suite else self.gauge
            self.input_keys = [*inputs] if suite and suite.classes else self.input_keys
        self.best: dict[str, Any] | None = None
        self.unimproved = 0

    def is_due(self, step: int) -> bool:
        """Return True if samples are to be measured after that training step."""
        return self.gauge.count > 0 and step % self.every == 0

    @cached_property
    def inputs(self) -> dict[str, Tensor]:
        """Distinct real inputs to make the samples from, as many as are measured."""
        if not self.input_keys:
            return {}
        if isinstance(self.gauge, SlicedWasserstein):
            return self.gauge.inputs
        count = min(self.gauge.count, self.data.count or self.gauge.count)
        return read_real(self.data, self.input_keys, count, self.seed, MAX_INPUT_BYTES)

    def measure(self, step: int, pieces: Pieces) -> dict[str, float]:
        """Return the measures of a step's samples for the log; the step becomes the best if none was better."""
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

    def is_best_step(self, step: int) -> bool:
        """Return True if the samples of that training step are the best so far."""
        return self.best is not None and int(self.best["step"]) == step

    @property
    def exhausted(self) -> bool:
        """True if there were `train.patience` measurements in a row without an improvement."""
        return is_out_of_patience(self.state, self.patience)

    @property
    def about(self) -> dict[str, Any]:
        """The evaluation as the history of a run has it, without which its numbers mean nothing; else empty."""
        return {"evaluation": self.gauge.about} if isinstance(self.gauge, Evaluation) else {}

    @property
    def notes(self) -> list[str]:
        """The messages for the user at the start of a training."""
        if not isinstance(self.gauge, Evaluation):
            return self.left_out
        real = ", ".join(f"{name} {value:.4g}" for name, value in self.gauge.real.items())
        return [f"evaluated every {self.every} steps on {self.gauge.count:,} samples; as many real ones have {real}"]

    @property
    def state(self) -> dict[str, Any]:
        """The plain values that a checkpoint keeps."""
        return {"best": self.best, "unimproved": self.unimproved, "count": self.gauge.count}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint's `state`; a best by another metric or number of samples is not comparable."""
        # Earlier checkpoints have neither "count" nor "unimproved".
        count = state.get("count", self.gauge.count)
        if state["best"] and self.gauge.key in state["best"] and self.gauge.count == count:
            self.best, self.unimproved = state["best"], state.get("unimproved", 0)


def is_out_of_patience(state: Mapping[str, Any], patience: int) -> bool:
    """Return True if a `Monitor.state` has `patience` measurements without an improvement; 0 is patience for ever."""
    unimproved: int = state.get("unimproved", 0)
    return 0 < patience <= unimproved


def describe_patience(state: Mapping[str, Any]) -> str:
    """Return a clause that says for how many measurements nothing has improved."""
    best = state["best"]
    key = next(key for key in best if key != "step")
    return f"{key} has not improved on its {best[key]} of step {best['step']} in {state['unimproved']} measurements"
