"""What every suite of metrics promises, each as a function of the `SuiteCase` in which it is checked."""

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from ganzoo.data.base import Data
from ganzoo.data.sources import open_data
from ganzoo.errors import Error
from ganzoo.evaluation.lookup import make_suite
from ganzoo.evaluation.real import RealSamples
from ganzoo.evaluation.suites import Metric, Suite
from ganzoo.plugins.builtin import BUNDLED_DATA
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.names import may_be_same
from ganzoo.testing.check import Skipped, require
from ganzoo.testing.datasets import DataCase

COUNT = 16
"""Samples that are measured, unless a metric needs more."""


class SuiteCase:
    """A suite of metrics with real samples of the data that it measures."""

    def __init__(self, thing: Registration, data: Sequence[DataCase]) -> None:
        self.thing, self._data = thing, data

    @cached_property
    def real(self) -> RealSamples:
        """Real samples of the first data set that it measures. Raises `Skipped` where none can be opened here."""
        return RealSamples.of(next(iter(self._open()), None) or self._nothing())

    def _open(self) -> list[Data]:
        names, kind = self.thing.about["data"], self.thing.about["kind"]
        bundled = [open_data(name) for name in names if name in BUNDLED_DATA]
        found = [case.load() for case in self._data]
        return bundled + [data for data in found if data.name in names or (kind and has_kind(data, kind))]

    def _nothing(self) -> Data:
        raise Skipped("no data that it measures are here: it measures data of this plugin, or bundled ones")

    @cached_property
    def suite(self) -> Suite[Any]:
        """The suite."""
        found = make_suite(self.thing, self.real.name, {"real": self.real})
        if found is None:
            raise AssertionError("its constructor has parameters without a default other than `real` and `name`")
        return found

    @property
    def count(self) -> int:
        """Samples that every metric has enough of."""
        return max([COUNT, *(metric.least for metric in self.suite.metrics.values())])


def has_kind(data: Data, kind: str) -> bool:
    """Return whether the samples that are imitated are of that kind."""
    return may_be_same(next(iter(data.specs.values())).kind, kind)


def names_its_metrics(case: SuiteCase) -> None:
    """It has metrics by name, and those that a training logs are among them."""
    suite = case.suite
    require(suite.metrics, "`metrics` must name at least one metric")
    for name, metric in suite.metrics.items():
        require(isinstance(metric, Metric), f"the metric '{name}' must be a ganzoo.Metric, got {metric!r:.60}")
    unknown = [name for name in suite.watched if name not in suite.metrics]
    require(not unknown, f"`watched` names {', '.join(map(repr, unknown))}, which `metrics` does not have")
    require(suite.name, "`name` must say what measures, as protocols name it")


def measures_real_samples(case: SuiteCase) -> None:
    """Every metric of real samples is a finite number, and the same each time; so is the control."""
    suite, count = case.suite, case.count
    try:
        times = [suite.observe(case.real.pieces(count)) for _ in range(2)]
        control = suite.control(count)
    except Error as error:
        raise Skipped(f"real samples cannot be measured here: {error}") from error
    for name, metric in suite.metrics.items():
        if metric.labelled:
            continue
        first, again = (metric.measure(observed) for observed in times)
        require(is_number(first), f"the metric '{name}' of real samples is {first!r}, not a finite number")
        require(first == again, f"the metric '{name}' of the same samples is {first}, then {again}: draw no numbers")
        value = metric.control(count) if metric.control else metric.measure(control)
        require(is_number(value), f"the control of the metric '{name}' is {value!r}, not a finite number")


def is_number(value: object) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


CHECKS: tuple[Callable[[SuiteCase], None], ...] = (names_its_metrics, measures_real_samples)
