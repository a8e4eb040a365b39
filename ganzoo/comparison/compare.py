"""Several runs or models beside each other: what sets them apart, their samples, curves and scores."""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from ganzoo._io import exists
from ganzoo._numbers import check_count, check_seed
from ganzoo._reading import read_toml
from ganzoo.comparison.measured import default_count, find_better, find_scores, log_values
from ganzoo.comparison.sweep import SWEEP_FILE, Sweep
from ganzoo.comparison.table import SUFFIXES, Table, check_files
from ganzoo.comparison.titles import first_facts, tell_apart, write_title
from ganzoo.errors import BadInput, suggest
from ganzoo.training.runs.log import read_thinned
from ganzoo.training.runs.summary import is_measure, summarise_run
from ganzoo.zoo.local import RUN_FOLDERS, LocalModel
from ganzoo.zoo.model import Model, load_local
from ganzoo.zoo.references import parse
from ganzoo.zoo.registry import Registry
from ganzoo.zoo.resolve import resolve_model

PAGE_SUFFIXES = (".png", ".gif", *SUFFIXES)
"""Files that a comparison is written to."""
MAX_CURVE_POINTS = 1000
"""Points of a curve, or up to twice as many."""
logger = logging.getLogger(__name__)

Source = str | os.PathLike[str] | Model


@dataclass
class Column:
    """One model of a comparison, with what is known of it; `log` is empty unless it is that of a run."""

    name: str
    model: Model
    recipe: Mapping[str, Any]
    log: Sequence[Mapping[str, Any]] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    """The newest and the best measures of its log."""
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    run: Path | None = None
    """The folder of the run that it is the model of."""
    title: str = ""
    """What sets it apart from the others."""

    @property
    def data(self) -> str:
        """The name of the data that it learned from."""
        return str(self.model.config["data"].get("name", "unknown"))

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        return f"{first_facts(self.recipe)['recipe']} on {self.data}"


@dataclass
class Comparison:
    """Models beside each other. `n` samples of `seed` were measured."""

    columns: Sequence[Column]
    facts: Sequence[Mapping[str, Any]]
    n: int
    seed: int

    @cached_property
    def table(self) -> Table:
        """A row for each model, and one for real samples of each data set that was measured."""
        scores = [{name: score["generated"] for name, score in each.scores.items()} for each in self.columns]
        rows = [
            {"model": each.name, **facts, **each.values, **found}
            for each, facts, found in zip(self.columns, self.facts, scores, strict=True)
        ]
        names = list(dict.fromkeys(name for each in self.columns for name in (*each.values, *each.scores)))
        better: dict[str, str] = {}
        for each in self.columns:
            better |= find_better(names, each.model.config["data"])
        real = self.real_rows()
        ranked = [*([True] * len(rows)), *([False] * len(real))]
        return Table([*rows, *real], better, ranked, self.notes)

    def real_rows(self) -> list[dict[str, Any]]:
        """Return the scores of real samples of each data set that has any."""
        found: dict[str, dict[str, Any]] = {}
        for each in self.columns:
            for name, score in each.scores.items():
                found.setdefault(each.data, {})[name] = score.get("real")
        return [{"model": f"real {data}" if len(found) > 1 else "real", **row} for data, row in found.items()]

    @property
    def letters(self) -> list[str]:
        """A short name for each model: A, B, ..., Z, 27, 28, ..."""
        return [chr(ord("A") + place) if place < 26 else str(place + 1) for place in range(len(self.columns))]

    @property
    def notes(self) -> list[str]:
        """The conditions of the measurement."""
        if not any(each.scores for each in self.columns):
            return ["no scores: no metric is made for these data"]
        return [f"{self.n:,} samples of seed {self.seed}; the protocol is what 'ganzoo evaluate' prints"]

    @property
    def logged(self) -> list[str]:
        """The keys of the logs, the one that decides which generator is best first."""
        keys = Counter(key for each in self.columns for key in dict.fromkeys(k for line in each.log for k in line))
        decisive = [key for each in self.columns for key in each.values if f"best_{key}" in each.values]
        measures = sorted((key for key in keys if is_measure(key) and key not in decisive), key=lambda key: -keys[key])
        return list(dict.fromkeys([*decisive, *measures, *(key for key in keys if "/" in key)]))

    def curves(self, metric: str | None = None) -> tuple[str, list[tuple[str, list[tuple[int, float]]]]]:
        """Return a metric of the logs, by default the first of `logged`, and for each run its title and points.

        The points are (step, value). Raises `BadInput` for a metric that no log has.
        """
        known = self.logged
        if metric is not None and metric not in known:
            raise BadInput(f"there is no metric '{metric}' in the logs of these runs; {suggest(metric, known)}")
        chosen = metric or next(iter(known), "")
        found = [
            (
                f"{letter}: {each.title or each.name}",
                [(line["step"], line[chosen]) for line in each.log if chosen in line],
            )
            for letter, each in zip(self.letters, self.columns, strict=True)
            if each.log
        ]
        return chosen, [(title, points) for title, points in found if points]

    def picture(self, metric: str | None = None) -> Image.Image:
        """Return the page as a picture: samples, the curves of a metric, and the scores."""
        from ganzoo.comparison.page import draw_page

        return draw_page(self, metric)

    def save(self, path: str | Path, metric: str | None = None) -> Path:
        """Write a .png page, a .gif film of the trainings, or the table as .csv, .md or .json; return the path.

        Raises `BadInput` for other files, and for what cannot be drawn.
        """
        path = Path(path)
        check_files([path], PAGE_SUFFIXES)
        if path.suffix == ".png":
            from ganzoo.comparison.page import write_page

            write_page(path, self, metric)
        elif path.suffix == ".gif":
            from ganzoo.comparison.film import write_film

            write_film(path, self)
        else:
            self.table.write(path)
        return path

    def to_pil(self) -> Image.Image:
        """Return the page as a picture, under the name that notebooks look for."""
        return self.picture()

    def _repr_png_(self) -> bytes:
        from ganzoo.comparison.page import to_png

        return to_png(self.picture())


def compare(sources: Iterable[Source], n: int | None = None, seed: int = 0, device: str = "auto") -> Comparison:
    """Put runs or models beside each other.

    `sources` are references as for `ganzoo.load`, runs, sweeps, which stand for all their runs, and models. The scores
    of `n` samples of that seed, by default 10,000 or as many as the data of all allow, are taken from a model's
    `scores.json`, or measured now. Each model is found once, before the first is measured, so that a branch on the Hub
    cannot move in between. Raises `BadInput` where there is no such model.
    """
    n, seed = None if n is None else check_count(n), check_seed(seed)
    registry = Registry()
    known: dict[str, LocalModel] = {}
    found = [find(source, registry, known) for source in expand(sources)]
    columns = [load_column(name, local, model, device) for name, local, model in found]
    n = default_count([column.model for column in columns]) if n is None else n
    facts = tell_apart([column.recipe for column in columns])
    for column, (_, local, _), told in zip(columns, found, facts, strict=True):
        column.title = write_title(told)
        scores = find_scores(column.name, column.model, local.folder if local else None, n, seed)
        column.scores = scores.metrics if scores else {}
    return Comparison(columns, facts, n, seed)


def expand(sources: Iterable[Source]) -> list[Source]:
    """Return the sources with the runs of a sweep in its place. Raises `BadInput` if there are none."""
    found: list[Source] = []
    if isinstance(sources, str | os.PathLike | Model):
        raise BadInput(f"compare takes a list of runs and models, as in [{sources!r}, ...]")
    for source in sources:
        path = getattr(source, "path", source)
        if isinstance(path, Model):
            found.append(path)
        elif is_beside_runs(Path(path)):
            continue  # sweep/* of a shell gives the tables, too
        elif (Path(path) / SWEEP_FILE).is_file():
            found += [str(run.path) for run in Sweep.open(Path(path)).runs if exists(run.model_folder / "config.json")]
        else:
            found.append(path)
    if not found:
        raise BadInput("there is nothing to compare: give runs or models")
    return found


def is_beside_runs(path: Path) -> bool:
    """Return True for a file that lies in the folder of a sweep."""
    return path.is_file() and (path.parent / SWEEP_FILE).is_file()


def find(
    source: Source, registry: Registry, known: dict[str, LocalModel]
) -> tuple[str, LocalModel | None, Model | None]:
    """Return the name of a source with its folder, or with the model that it is.

    Names that are `known` are not looked up again, so that a model that is named twice is the same; new ones are added.
    """
    if isinstance(source, Model):
        return str(source.config["architecture"]["name"]), None, source
    name = str(source)
    if name not in known:
        known[name] = resolve_model(parse(source if isinstance(source, str) else Path(source), registry))
    return name, known[name], None


def load_column(name: str, local: LocalModel | None, model: Model | None, device: str) -> Column:
    """Load one model with its recipe and, if it is that of a run, its log."""
    if model is None and local is not None:
        model = load_local(local, device)
    assert model is not None
    recipe = read_recipe(local, model)
    run = local.folder.parent if local and local.folder.name in RUN_FOLDERS else None
    if run is None or not exists(run / "metrics.jsonl"):
        return Column(name, model, recipe)
    log = read_thinned(run / "metrics.jsonl", MAX_CURVE_POINTS)
    values = log_values(summarise_run(run), recipe["train"].get("steps"))
    return Column(name, model, recipe, log, values, run=run)


def read_recipe(local: LocalModel | None, model: Model) -> dict[str, Any]:
    """Return the recipe of a model as plain values, with the steps that it was trained for; what is not known lacks."""
    table: dict[str, Any] = {}
    if local is not None and exists(local.folder / "recipe.toml"):
        with suppress(BadInput):
            table = read_toml(local.folder / "recipe.toml")
    config, trained = model.config, model.config.get("training", {})
    table = {"name": trained.get("recipe", config["architecture"]["name"]), **table}
    table["data"] = {"name": config["data"].get("name", "unknown"), **table.get("data", {})}
    table["train"] = {**table.get("train", {}), **{k: trained[k] for k in ("steps", "seed") if trained.get(k)}}
    return table
