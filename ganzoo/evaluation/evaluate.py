"""Measure a model: the same metrics of its samples and of real ones, side by side."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from ganzoo._numbers import check_count, check_seed, short_size
from ganzoo._version import __version__
from ganzoo.data.base import Data
from ganzoo.data.options import READING_OPTIONS
from ganzoo.data.sources import open_data, to_name
from ganzoo.dataset import NOTHING
from ganzoo.errors import BadInput, suggest
from ganzoo.evaluation.independence import (
    check_some_left,
    choose_independent,
    explain_shared,
    is_independent,
    read_pretrained,
)
from ganzoo.evaluation.inputs import inputs_to_measure, labels_to_measure
from ganzoo.evaluation.lookup import FoundSuites, find_suites, list_measured
from ganzoo.evaluation.real import RealSamples
from ganzoo.evaluation.suites import Metric, Observed, Suite
from ganzoo.plugins.datasets import find_data, is_data_set
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.datasets import data_schema, load_data_class
from ganzoo.recipe.sections import EVERY_DATA_SET
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.model import Model, load
from ganzoo.zoo.references import Reference
from ganzoo.zoo.scores import SCORES_FILE, Scores, score

logger = logging.getLogger("ganzoo")
DEFAULT_SAMPLES = 10_000
"""Samples that are measured unless the caller says another number."""


def evaluate(
    model: str | os.PathLike[str] | Model,
    data: str | Path | None = None,
    n: int | None = None,
    seed: int = 0,
    metrics: Sequence[str] | None = None,
    *,
    device: str = "auto",
    data_root: str | Path | None = None,
    inception_weights: str | Path | None = None,
) -> Scores:
    """Measure the first `n` samples of a seed, and as many real samples outside the training set beside them.

    By default they are 10,000, or as many as the real samples allow.

    `model` is a `Model`, a `Run` or another reference, as for `load`. `data` is the name of the data to compare with,
    by default those that the model learned from: a data set, or the folder of images of a run on this machine.
    `metrics` are names, by default all that suit the model. Inception's metrics (`fid`, `inception-kid`,
    `inception-score`) need the package torch-fidelity; for them `data` may be a folder of images too. Raises
    `BadInput` for an unknown metric, data set or model, for metrics that do not suit the model, and for too few or too
    many samples.
    """
    model = model if isinstance(model, Model) else load(model, device)
    seed = check_seed(seed)
    plan = MetricPlan(model, None if data is None else to_name(data), data_root, inception_weights)
    n = plan.default_count(metrics) if n is None else check_count(n)
    measured: dict[str, dict[str, Any]] = {}
    labels: dict[str, str] = {}
    pictures: dict[str, Image] = {}
    protocol = sample_protocol(model, n, seed)
    chosen = plan.choose(metrics, n)
    for told in plan.left_out if metrics is None else ():
        logger.warning("%s", told)
    inputs, about = inputs_to_measure(model, plan.real, n)
    protocol |= {"inputs": about} if about else {}
    for suite, names in chosen:
        real_labels, about_labels = labels_to_measure(model, plan.real, suite, n)
        found, picture = compare_with_real(suite, names, model, n, seed, {**inputs, **real_labels})
        measured |= found
        pictures |= {suite.name: picture} if picture else {}
        labels |= {name: suite.metrics[name].label for name in names}
        protocol[suite.name] = suite.protocol(n) | ({"labels": about_labels} if about_labels else {})
        if not is_independent(suite, plan.seen):
            protocol[suite.name]["not_independent"] = explain_shared(suite, plan.seen)
            logger.warning("%s", explain_shared(suite, plan.seen))
    return Scores(measured, protocol, labels, pictures)


@dataclass
class MetricPlan:
    """Chooses the metrics for a model and the data that it is compared with."""

    model: Model
    data: str | None
    data_root: str | Path | None
    inception_weights: str | Path | None

    def choose(self, names: Sequence[str] | None, n: int) -> list[tuple[Suite[Any], list[str]]]:
        """Return each suite with the metrics that it measures. Raises `BadInput` if one cannot measure `n` samples."""
        chosen = self._choose_names(names)
        plan: dict[int, tuple[Suite[Any], list[str]]] = {}
        for name in chosen:
            suite = self.owners[name]
            plan.setdefault(id(suite), (suite, []))[1].append(name)
        for suite, suitable in plan.values():
            for name in suitable:
                check_enough(name, suite.metrics[name], n)
            suite.check_data({**self.model.config["data"], "kind": self.model.kind})
        return list(plan.values())

    def default_count(self, names: Sequence[str] | None = None) -> int:
        """Return how many samples are measured where the user does not say it: at most as many as each suite allows."""
        suites = {id(suite): suite for suite in map(self.owners.__getitem__, self._choose_names(names))}
        limits = [suite.most_samples() for suite in suites.values()]
        return min([DEFAULT_SAMPLES, *(limit for limit in limits if limit is not None)])

    def _choose_names(self, names: Sequence[str] | None) -> list[str]:
        """Return the names of the metrics, by default all that suit. Raises `BadInput` for one that is not there."""
        chosen = self._all_names() if names is None else list(dict.fromkeys(names))
        for name in chosen:
            self._check_name(name)
        return chosen

    @cached_property
    def real(self) -> RealSamples:
        """The real samples to compare with."""
        return RealSamples({**self._data, "kind": self.model.kind}, self._open_real, self.model.outputs)

    @cached_property
    def suites(self) -> FoundSuites:
        """The suites for these data."""
        options = {"inception_weights": self.inception_weights}
        return find_suites({**self._data, "kind": self.model.kind}, self.real, options)

    @cached_property
    def seen(self) -> set[str]:
        """The pretrained networks that the training has seen."""
        return read_pretrained(self.model.config)

    @property
    def default(self) -> list[Suite[Any]]:
        """The suites that measure unless the user names metrics: none whose network the training has seen."""
        return self._independent[0]

    @property
    def left_out(self) -> list[str]:
        """A sentence for each suite that is left out because the training has seen its network."""
        return self._independent[1]

    @cached_property
    def _independent(self) -> tuple[list[Suite[Any]], list[str]]:
        return choose_independent(self.suites.default, self.seen)

    @cached_property
    def owners(self) -> dict[str, Suite[Any]]:
        """The suite of each metric; where several have one of that name, the first."""
        return {name: suite for suite in reversed(self.suites.all) for name in suite.metrics}

    def labelled(self, suite: Suite[Any]) -> bool:
        """Return whether samples have labels that mean the classes of a suite."""
        return "label" in self.model.generator.categorical and self.model.classes == list(suite.classes)

    @property
    def _data(self) -> dict[str, Any]:
        """The data to compare with, described as in a config."""
        described = {"name": "unknown", **self.model.config["data"]}
        if self.data:
            return {**described, "name": self.data, "opened_as": "data set" if is_data_set(self.data) else "folder"}
        if self.model.folder_data:
            return {**described, "name": self.model.folder_data["name"]}
        return described

    def _open_real(self) -> Data:
        """Open the real samples. Raises `BadInput` where nothing on this machine says where they are."""
        name = self._real_name()
        if not is_data_set(name):
            opened = self.model.folder_data if self._data.get("opened_as") == "folder" else {}
            options = {key: value for key, value in opened.items() if key in READING_OPTIONS} | self._size()
        else:  # a run knows the options that its data set was opened with, but not where it lies on this machine
            known = {} if self.data else self.model.run_data
            options = {key: value for key, value in known.items() if key not in (*EVERY_DATA_SET, "root")}
            options |= self._fit(find_data(name)[0])
        try:
            data = open_data(name, root=self.data_root, holdout=self._holdout(), **options)
            self._check_same(data)
            return data
        except BadInput as error:
            if self.data or self.model.run_data:
                raise
            samples = self.model.outputs.kind.plural
            raise BadInput(f"the real {samples} of '{name}' cannot be opened without its run: {error}") from error

    def _fit(self, registration: Registration) -> dict[str, Any]:
        """Return `_size`, as far as a data set of ganzoo's own takes it; those of others have options of their own."""
        if registration.distribution != "ganzoo":
            return {}
        taken = data_schema(load_data_class(registration)).model_fields
        return {key: value for key, value in self._size().items() if key in taken}

    def _check_same(self, data: Data) -> None:
        """Raise `BadInput` for a data set of the name of a folder, which early configs do not tell from it."""
        learned = self.model.config["data"]
        unclear = not self.data and not self.model.folder_data and "opened_as" not in learned
        if unclear and learned.get("classes", data.classes) != data.classes:
            raise BadInput(f"the model learned from other data than the data set '{data.name}'; give them with --data")

    def _holdout(self) -> float | None:
        """Return the share that the training held out, where the real samples are those that it learned from."""
        learned = self.model.config["data"]
        same = self.data is None or Path(self.data).name == Path(str(learned.get("name"))).name
        return learned.get("holdout") if same else None

    def _size(self) -> dict[str, Any]:
        """Return the options that give real images the shape of the model's."""
        if self.model.kind != "image":
            return {}
        channels, *sides = self._data["shape"]
        return {"size": short_size(*sides), "channels": channels}

    def _real_name(self) -> str:
        name = str(self._data["name"])
        if self.data:
            return name
        samples = self.model.outputs.kind.plural
        if self.model.folder_data and not Path(name).is_dir():
            raise BadInput(f"the {samples} of this run were in {name}, which does not exist; give them with --data")
        named = self._data.get("opened_as", "data set") == "data set" and is_data_set(name)
        if not self.model.folder_data and not named:
            raise BadInput(f"the model does not say where the {samples} of '{name}' are; give them with --data")
        return name

    def _all_names(self) -> list[str]:
        suites = self.default
        check_some_left(suites, self.left_out)
        if not suites:
            raise BadInput("; ".join(self._why_nothing()))
        names = {name: suite for name, suite in self.owners.items() if suite in suites}
        found = [name for suite in suites for name in suite.metrics if names.get(name) is suite]
        return [name for name in found if self.labelled(names[name]) or not names[name].metrics[name].labelled]

    def _why_nothing(self) -> Iterator[str]:
        name = self._data["name"]
        yield f"no metric is made for '{name}'; {suggest(name, list_measured())}"
        for suite in self.suites.all:
            others, samples = ",".join(suite.metrics), self.model.outputs.kind.plural
            yield f"{samples} of any data have --metrics {others} with --data; {suite.on_request}"

    def _check_name(self, name: str) -> None:
        if name not in self.owners:
            raise BadInput(f"there is no metric '{name}' here; {suggest(name, self.owners)}")
        suite = self.owners[name]
        if suite.metrics[name].labelled and not self.labelled(suite):
            raise BadInput(f"'{name}' needs samples with labels of {self._data['name']}, and this model has none")


def check_enough(name: str, metric: Metric[Any], n: int) -> None:
    """Raise `BadInput` for fewer samples than a metric needs."""
    if n < metric.least:
        raise BadInput(f"'{name}' needs at least {metric.least:,} samples, got -n {n}; or choose other --metrics")


def compare_with_real(
    suite: Suite[Observed],
    names: Sequence[str],
    model: Model,
    n: int,
    seed: int,
    inputs: Mapping[str, Tensor] = NOTHING,
) -> tuple[dict[str, dict[str, Any]], Image | None]:
    """Compute each metric of `n` generated and of `n` real samples, and draw what the suite shows of them.

    `inputs` are those of `Model.blocks_with`.
    """
    found = {}
    with torch.no_grad():
        control, observed = suite.control(n), suite.observe(model.blocks_with({}, n, seed, inputs))
        for name in names:
            metric = suite.metrics[name]
            real = metric.control(n) if metric.control else metric.measure(control)
            found[name] = score(try_metric(metric, observed), real)
        return found, suite.picture(observed, control)


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
