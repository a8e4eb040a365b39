"""What was measured of runs: the newest and best values of their logs, scores, mean and standard error over seeds."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganzoo._io import exists
from ganzoo.comparison.grid import Values, split_seeds
from ganzoo.comparison.table import ERROR, Table, summarise
from ganzoo.comparison.titles import shorten
from ganzoo.errors import BadInput, Error
from ganzoo.evaluation.evaluate import DEFAULT_SAMPLES, MetricPlan, evaluate
from ganzoo.evaluation.lookup import better_values
from ganzoo.evaluation.suites import Suite
from ganzoo.training.runs.log import read_lines
from ganzoo.training.runs.summary import STATES, Summary, is_measure
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.model import Model, load
from ganzoo.zoo.scores import SCORES_FILE, Scores, figures, read_scores

BEST = "best_"
"""Beginning of the column with the best value of a metric of the log; the other column has the last value."""
UNSHOWN = ("run", "trained steps", "seconds")
"""The columns with folder, training steps and time of a run, which are left to programs."""
logger = logging.getLogger("ganzoo")


def newest_measures(log: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return the newest value of each measure of samples in a log."""
    found: dict[str, float] = {}
    for line in log:
        found |= {key: value for key, value in line.items() if is_measure(key) and isinstance(value, int | float)}
    return found


def log_values(summary: Summary, steps: int | None = None) -> dict[str, Any]:
    """Return the newest value of each measure of a run, and the best of the one that decides.

    With `steps`, the newest are those that the run had after so many, such as those of its best model.
    """
    log = read_lines(Path(summary.run) / "metrics.jsonl")
    found: dict[str, Any] = dict(newest_measures(line for line in log if steps is None or line["step"] <= steps))
    return found | ({f"{BEST}{summary.metric}": summary.best} if summary.metric else {})


def stored_scores(folder: Path) -> dict[str, float]:
    """Return the scores that lie beside the model of a run, if they are of its weights; empty if there are none."""
    with suppress(Error, OSError):
        local = LocalModel.find(folder)
        scores = read_scores(local.folder / SCORES_FILE) if exists(local.folder / SCORES_FILE) else {}
        protocol = scores.pop("protocol", {})
        if isinstance(protocol, dict) and protocol.get("weights") == local.config.table["weights"]["sha256"]:
            return figures(scores)
    return {}


def collect_scores(folder: Path, device: str) -> None:
    """Measure the model of a run and write its scores beside it, unless they are there. Raises `BadInput`."""
    local = LocalModel.find(folder)
    model = load(local.folder, device)
    n = MetricPlan(model, None, None, None).default_count()
    if find_stored(model, local.folder, n, 0) is None:
        logger.info("measuring %s, which may take minutes", folder)
        evaluate(model, n=n).save(local.folder / SCORES_FILE)


def default_count(models: Iterable[Model]) -> int:
    """Return how many samples of each model are measured where the user does not say it: as many of all."""
    counts = [DEFAULT_SAMPLES]
    for model in models:
        with suppress(BadInput):  # there are no scores of this one
            counts.append(MetricPlan(model, None, None, None).default_count())
    return min(counts)


def find_scores(source: object, model: Model, folder: Path | None, n: int, seed: int) -> Scores | None:
    """Return the scores of `n` samples of a seed, from the model's file or measured now; None without a suite.

    Where a suite compares with real samples that are not on this machine, the log says that there are no scores.
    """
    found, suites = find_stored(model, folder, n, seed) if folder else None, find_own_suites(model)
    if found is not None or not suites:
        for told in MetricPlan(model, None, None, None).left_out if found is None else ():
            logger.warning("no scores of %s: %s", source, told)
        return found
    logger.info("measuring %s, which may take minutes", source)
    try:
        return evaluate(model, n=n, seed=seed)
    except BadInput as error:
        if not any(hasattr(suite, "real") for suite in suites):
            raise
        logger.warning("no scores of %s: %s", source, error)
        return None


def find_own_suites(model: Model) -> list[Suite[Any]]:
    """Return the suites by which a model is measured unless the user names metrics."""
    return MetricPlan(model, None, None, None).default


def find_stored(model: Model, folder: Path, n: int, seed: int) -> Scores | None:
    """Return the scores in a model's file, if they are those of `n` samples of that seed; else None."""
    path = folder / SCORES_FILE
    wanted: dict[str, Any] = {"samples": n, "seed": seed, "weights": model.config["weights"]["sha256"]}
    for suite in find_own_suites(model) if path.is_file() else ():
        with suppress(BadInput):  # real samples that are not on this machine
            wanted[suite.name] = suite.protocol(n)
    found = read_scores(path) if path.is_file() else {}
    protocol = found.pop("protocol", {})
    if not (isinstance(protocol, dict) and wanted.items() <= protocol.items()):
        return None
    return Scores({name: score for name, score in found.items() if isinstance(score, dict)}, protocol)


def find_better(columns: Iterable[str], data: Mapping[str, Any]) -> dict[str, str]:
    """Return for each column of a metric which of its values are better, as far as that is known."""
    found = {column: better_values(column.removeprefix(BEST), data) for column in columns}
    return {column: better for column, better in found.items() if better}


def make_table(combinations: Sequence[Values], summaries: Sequence[Summary]) -> Table:
    """Return the table of a sweep: a row for each run; behind several seeds of a setting their mean."""
    rows = [make_row(*each) for each in zip(combinations, summaries, strict=True)]
    measured = [key for row in rows for key in row["measured"]]
    data = {"name": next((summary.data for summary in summaries if summary.data), "")}
    settings = group(combinations)
    several = any(len(places) > 1 for places in settings.values())
    found, ranked = list[dict[str, Any]](), list[bool]()
    for places in settings.values():
        found += [rows[place]["named"] | rows[place]["about"] | rows[place]["measured"] for place in places]
        ranked += [not several] * len(places)
        if len(places) > 1:
            found.append(average([rows[place] for place in places]))
            ranked.append(True)
    return Table(
        found, find_better(dict.fromkeys(measured), data), ranked, notes_on(several, summaries, measured), UNSHOWN
    )


def make_row(values: Values, summary: Summary) -> dict[str, dict[str, Any]]:
    """Return the cells of a run: what it is by name, what is known of it, and what was measured of it."""
    state = STATES[summary.state]
    named = {**dict(zip(shorten(list(values)), values.values(), strict=True)), "state": state}
    about = dict(zip(UNSHOWN, (summary.run, summary.step, summary.seconds), strict=True))
    unknown = summary.state in ("damaged", "waiting") or summary.recipe is None
    measured = {} if unknown else log_values(summary) | stored_scores(Path(summary.run))
    return {"named": named, "about": about, "measured": measured}


def group(combinations: Sequence[Values]) -> dict[str, list[int]]:
    """Return the places of the runs of each setting, which is everything but the seed."""
    found: dict[str, list[int]] = {}
    for place, values in enumerate(combinations):
        found.setdefault(repr(split_seeds(values)[0]), []).append(place)
    return found


def average(rows: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return the row of a setting: mean and standard error of its finished runs."""
    done = [row["measured"] for row in rows if row["named"]["state"] == STATES["finished"]]
    count = str(len(done)) if len(done) == len(rows) else f"{len(done)} of {len(rows)}"
    found: dict[str, Any] = {**rows[0]["named"], "seed": f"mean of {count}", "state": None}
    for key in dict.fromkeys(key for measured in done for key in measured):
        numbers = [measured[key] for measured in done if measured.get(key) is not None]
        if len(numbers) == len(done):  # a mean of some would not be comparable
            found[key], found[f"{key}{ERROR}"] = summarise(numbers)
    return found


def notes_on(several: bool, summaries: Sequence[Summary], measured: Sequence[str]) -> list[str]:
    """Return what a reader of the table should know."""
    if not any(summary.metric for summary in summaries) and not set(measured) - {"diversity"}:
        return [
            "no score was measured: -o train.evaluate_every=500 measures points and images while they train, "
            "'ganzoo sweep --evaluate' measures each run at its end"
        ]
    if several:
        return ["+- is the standard error of the mean over the seeds; within noise: less than two of the difference"]
    return ["one run of each: --seeds 0,1,2 shows how much of the differences is chance"]
