"""Measure a model: the same metrics of its samples and of real ones, side by side."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from ganzoo._numbers import check_count, check_seed, short_size
from ganzoo._version import __version__
from ganzoo.data.options import READING_OPTIONS
from ganzoo.data.sources import open_data, to_name
from ganzoo.errors import BadInput, suggest
from ganzoo.evaluation.inception import INCEPTION_METRICS, InceptionSuite
from ganzoo.evaluation.lookup import SUITES, find_suite
from ganzoo.evaluation.suites import Metric, Observed, Suite
from ganzoo.plugins.datasets import is_data_set
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.model import Model, load
from ganzoo.zoo.references import Reference
from ganzoo.zoo.scores import SCORES_FILE, Scores, score

DEFAULT_SAMPLES = 10_000
"""Samples that are measured unless the caller says another number."""


def evaluate(
    model: str | os.PathLike[str] | Model,
    data: str | Path | None = None,
    n: int = DEFAULT_SAMPLES,
    seed: int = 0,
    metrics: Sequence[str] | None = None,
    *,
    device: str = "auto",
    data_root: str | Path | None = None,
    inception_weights: str | Path | None = None,
) -> Scores:
    """Measure the first `n` samples of a seed, and as many real samples outside the training set beside them.

    `model` is a `Model`, a `Run` or another reference, as for `load`. `data` is the name of the data to compare with,
    by default those that the model learned from: a data set, or the folder of images of a run on this machine.
    `metrics` are names, by default all that suit the model. Inception's metrics (`fid`, `inception-kid`,
    `inception-score`) need the package torch-fidelity; for them `data` may be a folder of images too. Raises
    `BadInput` for an unknown metric, data set or model, for metrics that do not suit the model, and for too few or too
    many samples.
    """
    model = model if isinstance(model, Model) else load(model, device)
    n, seed = check_count(n), check_seed(seed)
    plan = MetricPlan(model, None if data is None else to_name(data), data_root, inception_weights)
    measured: dict[str, dict[str, Any]] = {}
    labels: dict[str, str] = {}
    protocol = sample_protocol(model, n, seed)
    for suite, names in plan.choose(metrics, n):
        measured |= compare_with_real(suite, names, model, n, seed)
        labels |= {name: suite.metrics[name].label for name in names}
        protocol[suite.name] = suite.protocol(n)
    return Scores(measured, protocol, labels)


@dataclass
class MetricPlan:
    """Chooses the metrics for a model and the data that it is compared with."""

    model: Model
    data: str | None
    data_root: str | Path | None
    inception_weights: str | Path | None

    def choose(self, names: Sequence[str] | None, n: int) -> list[tuple[Suite[Any], list[str]]]:
        """Return each suite with the metrics that it measures. Raises `BadInput` if one cannot measure `n` samples."""
        chosen = self._all_names() if names is None else list(dict.fromkeys(names))
        for name in chosen:
            self._check_name(name)
        plan = [(suite, [name for name in chosen if name in suite.metrics]) for suite in self._suites(chosen)]
        for suite, suitable in plan:
            suite.check_data({**self.model.config["data"], "kind": self.model.kind})
            for name in suitable:
                check_enough(name, suite.metrics[name], n)
        return plan

    @cached_property
    def own(self) -> Suite[Any] | None:
        """The suite for these data; None where there is none."""
        return find_suite(self._data)

    @property
    def own_metrics(self) -> Mapping[str, Metric[Any]]:
        """The metrics of that suite."""
        return self.own.metrics if self.own else {}

    @cached_property
    def inception(self) -> InceptionSuite:
        """The suite for images of any kind."""
        channels, *sides = self._data["shape"] if self.model.kind == "image" else (None,)
        size = short_size(*sides) if sides else None
        opened = self.model.folder_data if self._data.get("opened_as") == "folder" else {}
        options = {key: value for key, value in opened.items() if key in READING_OPTIONS}
        data = open_data(self._real_images(), size=size, channels=channels, root=self.data_root, **options)
        return InceptionSuite(data, self.inception_weights)

    @property
    def labelled(self) -> bool:
        """Whether samples have labels that mean the classes of the data."""
        return (
            self.own is not None
            and "label" in self.model.generator.categorical
            and self.model.classes == list(self.own.classes)
        )

    @property
    def _data(self) -> dict[str, Any]:
        """The data to compare with, described as in a config."""
        described = {"name": "unknown", **self.model.config["data"]}
        if self.data:
            return {**described, "name": self.data, "opened_as": "data set" if is_data_set(self.data) else "folder"}
        if self.model.folder_data:
            return {**described, "name": self.model.folder_data["name"]}
        return described

    def _real_images(self) -> str:
        """Return the name or path of the real images. Raises `BadInput` where nothing on this machine says it."""
        name = str(self._data["name"])
        if self.data:
            return name
        if self.model.folder_data and not Path(name).is_dir():
            raise BadInput(f"the images of this run were in {name}, which does not exist; give them with --data")
        named = self._data.get("opened_as", "data set") == "data set" and is_data_set(name)
        if not self.model.folder_data and not named:
            raise BadInput(f"the model does not say where the images of '{name}' are; give them with --data")
        return name

    def _suites(self, names: Sequence[str]) -> Iterator[Suite[Any]]:
        if self.own and any(name in self.own_metrics for name in names):
            yield self.own
        if any(name in INCEPTION_METRICS for name in names):
            yield self.inception

    def _all_names(self) -> list[str]:
        if not self.own:
            name, others = self._data["name"], ",".join(INCEPTION_METRICS)
            raise BadInput(
                f"no metric is made for '{name}'; {suggest(name, SUITES)}; "
                f"images of any kind have --metrics {others} with --data and the package torch-fidelity"
            )
        return [name for name, metric in self.own_metrics.items() if self.labelled or not metric.labelled]

    def _check_name(self, name: str) -> None:
        own = self.own_metrics
        if name not in own and name not in INCEPTION_METRICS:
            raise BadInput(f"there is no metric '{name}' here; {suggest(name, [*own, *INCEPTION_METRICS])}")
        if name in own and own[name].labelled and not self.labelled:
            raise BadInput(f"'{name}' needs samples with labels of {self._data['name']}, and this model has none")


def check_enough(name: str, metric: Metric[Any], n: int) -> None:
    """Raise `BadInput` for fewer samples than a metric needs."""
    if n < metric.least:
        raise BadInput(f"'{name}' needs at least {metric.least:,} samples, got -n {n}; or choose other --metrics")


def compare_with_real(
    suite: Suite[Observed], names: Sequence[str], model: Model, n: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Compute each metric of `n` generated and of `n` real samples."""
    found = {}
    with torch.no_grad():
        control, observed = suite.control(n), suite.observe(model.blocks(n, seed))
        for name in names:
            metric = suite.metrics[name]
            real = metric.control(n) if metric.control else metric.measure(control)
            found[name] = score(try_metric(metric, observed), real)
    return found


def try_metric(metric: Metric[Observed], observed: Observed) -> float | str:
    """Return a metric of samples, or one sentence that says why it cannot be computed."""
    try:
        return metric.measure(observed)
    except (RuntimeError, ValueError, ArithmeticError) as error:
        return " ".join(str(error).split())[:200]


def sample_protocol(model: Model, n: int, seed: int) -> dict[str, Any]:
    """Return the part of the protocol that says which samples are measured."""
    weights = model.config["weights"]["sha256"]
    return {"samples": n, "seed": seed, "weights": weights, "ganzoo": __version__}


def scores_file(reference: Reference) -> Path | None:
    """Return the file with the scores of a run or model folder; None for other models, or if it is not writable."""
    folder = LocalModel.find(reference).folder if isinstance(reference, Path) else None
    return folder / SCORES_FILE if folder and os.access(folder, os.W_OK) else None
