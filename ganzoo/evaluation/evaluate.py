"""Measuring a model: its samples and real ones under the same metrics, side by side."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from ganzoo._version import __version__
from ganzoo.data.sources import open_data
from ganzoo.errors import BadInput, suggest
from ganzoo.evaluation.inception import INCEPTION_METRICS, InceptionSuite
from ganzoo.evaluation.lookup import SUITES, find_suite
from ganzoo.evaluation.suites import Metric, Suite, are_finite
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.model import Model, load
from ganzoo.zoo.references import Reference
from ganzoo.zoo.scores import FILE, Scores, score

DEFAULT_SAMPLES = 10_000
"""Samples that are measured if nothing is said."""


def evaluate(
    model: str | Path | Model,
    data: str | None = None,
    n: int = DEFAULT_SAMPLES,
    seed: int = 0,
    metrics: Sequence[str] | None = None,
    *,
    device: str = "auto",
    data_root: str | Path | None = None,
    inception_weights: str | Path | None = None,
) -> Scores:
    """Scores of the first `n` samples of a seed, each beside that of `n` real samples that no training has seen.

    `model` is a `Model` or a reference, as for `load`. `data` names what to compare with, if it is not what the model
    learned from. `metrics` are names; all that go with the model if nothing is said. Inception's metrics (`fid`,
    `inception-kid`, `inception-score`) need the extra `ganzoo[inception]`; for them `data` may be a folder of images
    too. Raises `BadInput` for an unknown metric, data or model, for metrics that do not go with the model, and for too
    few or too many samples.
    """
    model = model if isinstance(model, Model) else load(model, device)
    choice = MetricPlan(model, data, data_root, inception_weights)
    measured: dict[str, Any] = {}
    labels: dict[str, str] = {}
    protocol = sample_protocol(model, n, seed)
    for suite, names in choice.plans(metrics, n):
        measured |= compare_with_real(suite, names, model, n, seed)
        labels |= {name: suite.metrics[name].label for name in names}
        protocol[suite.name] = suite.protocol(n)
    return Scores(measured, protocol, labels)


@dataclass
class MetricPlan:
    """Which metrics go with a model and the data that it is compared with."""

    model: Model
    data: str | None
    data_root: str | Path | None
    inception_weights: str | Path | None

    @property
    def described(self) -> dict[str, Any]:
        """What samples are compared with, as a config describes it."""
        return {"name": "unknown", **self.model.config["data"], **({"name": self.data} if self.data else {})}

    @cached_property
    def own(self) -> Suite | None:
        """The suite for these data."""
        return find_suite(self.described)

    @cached_property
    def inception(self) -> Suite:
        """The suite for images of any kind."""
        channels, size, _ = self.described["shape"] if self.model.makes_images else (None, None, None)
        data = open_data(self.described["name"], size=size, channels=channels, root=self.data_root)
        return InceptionSuite(data, self.inception_weights)

    @property
    def labelled(self) -> bool:
        """Whether samples have labels that mean the classes of the data."""
        return "label" in self.model.generator.categorical and self.model.classes == list(self.own.classes)

    def plans(self, names: Sequence[str] | None, n: int) -> list[tuple[Suite, list[str]]]:
        """Which suite measures which metrics. Raises `BadInput` where one cannot measure `n` samples."""
        own = self.own.metrics if self.own else {}
        names = self._all() if names is None else list(dict.fromkeys(names))
        for name in names:
            self._refuse(name, own)
        suites = [self.own] if any(name in own for name in names) else []
        suites += [self.inception] if any(name in INCEPTION_METRICS for name in names) else []
        plans = [(suite, [name for name in names if name in suite.metrics]) for suite in suites]
        for suite, chosen in plans:
            suite.check_data({**self.model.config["data"], "kind": self.model.kind})
            for name in chosen:
                check_count(name, suite.metrics[name], n)
        return plans

    def _all(self) -> list[str]:
        if not self.own:
            raise BadInput(self._nothing)
        return [name for name, metric in self.own.metrics.items() if self.labelled or not metric.labelled]

    @property
    def _nothing(self) -> str:
        name = self.described["name"]
        others = f"images of any kind have --metrics {','.join(INCEPTION_METRICS)} with --data and 'ganzoo[inception]'"
        return f"no metric is made for '{name}'; {suggest(name, SUITES)}; {others}"

    def _refuse(self, name: str, own: dict[str, Metric]) -> None:
        if name not in own and name not in INCEPTION_METRICS:
            raise BadInput(f"there is no metric '{name}' here; {suggest(name, [*own, *INCEPTION_METRICS])}")
        if name in own and own[name].labelled and not self.labelled:
            raise BadInput(f"'{name}' needs samples with labels of {self.described['name']}, and this model has none")


def check_count(name: str, metric: Metric, n: int) -> None:
    """Raise `BadInput` for fewer samples than a metric needs."""
    if n < metric.least:
        raise BadInput(f"'{name}' needs at least {metric.least:,} samples, got -n {n}; or choose other --metrics")


def compare_with_real(suite: Suite, names: Sequence[str], model: Model, n: int, seed: int) -> dict[str, Any]:
    """Each metric of generated and of real samples."""
    found = {}
    with torch.no_grad():
        control, observed = suite.control(n), suite.observe(check_finite(model, n, seed))
        for name in names:
            metric = suite.metrics[name]
            real = metric.control(n) if metric.control else metric.measure(control)
            found[name] = score(try_metric(metric, observed), real)
    return found


def check_finite(model: Model, n: int, seed: int) -> Iterator[Any]:
    """Samples piece by piece. Raises `BadInput` where one is not finite."""
    for samples, given in model.blocks(n, seed):
        if not are_finite(samples):
            raise BadInput("some samples of this model are not finite numbers, so nothing can be measured")
        yield samples, given


def try_metric(metric: Metric, observed: Any) -> float | str:
    """A metric of samples, or the sentence why it cannot be computed."""
    try:
        return metric.measure(observed)
    except (RuntimeError, ValueError, ArithmeticError) as error:
        return " ".join(str(error).split())[:200]


def sample_protocol(model: Model, n: int, seed: int) -> dict[str, Any]:
    """Which samples were measured."""
    weights = model.config["weights"]["sha256"]
    return {"samples": n, "seed": seed, "weights": weights, "ganzoo": __version__}


def scores_file(reference: Reference) -> Path | None:
    """Return the file with the scores of a run or model folder; None for other models, or if it is not writable."""
    folder = LocalModel.find(reference).folder if isinstance(reference, Path) else None
    return folder / FILE if folder and os.access(folder, os.W_OK) else None
