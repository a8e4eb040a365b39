"""Train a recipe several times, with other values of its keys or other seeds, one after the other."""

import json
import logging
import shlex
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ganzoo._io import check_utf8, exists, expand_user, write_errors, write_json
from ganzoo._reading import read_json
from ganzoo.comparison.grid import NOT_UNDER_TORCHRUN, Values, check_grid, combine, name_folders, write_short
from ganzoo.comparison.measured import collect_scores, make_table
from ganzoo.comparison.table import Table, format_seconds
from ganzoo.errors import BadInput, Diverged, Error, Interrupted
from ganzoo.evaluation.lookup import better_values
from ganzoo.recipe.given import LossLike, NetworkLike
from ganzoo.recipe.names import bare_name
from ganzoo.recipe.recipe import Recipe
from ganzoo.training.launch import is_under_torchrun
from ganzoo.training.pinning import pin_paths
from ganzoo.training.prepare import add_given, check_runs
from ganzoo.training.runs.folders import RUNS_FOLDER, make_next_folder
from ganzoo.training.runs.run import Run
from ganzoo.training.runs.steps import list_folder
from ganzoo.training.runs.summary import Summary, summarise_run
from ganzoo.training.train import train

SWEEP_FILE = "sweep.json"
"""The file that says what a sweep is: its recipe and the values of each key that it varies."""
RESULTS = ("results.csv", "results.md", "results.json")
"""The files with the table of a sweep."""
logger = logging.getLogger("ganzoo")


class Sweep:
    """A folder with the runs of one recipe, one for each combination of the values that some of its keys take.

    `recipe` is what the runs share, `vary` the list of values of each dotted key, `folders` the folder of each run.
    """

    def __init__(self, path: Path, recipe: Recipe, vary: Mapping[str, Sequence[Any]]) -> None:
        self.path, self.recipe, self.vary = path, recipe, vary
        self.combinations = combine(vary)
        self.folders = [path / name for name in name_folders(self.combinations)]
        self.failed: dict[Path, str] = {}
        """Why runs failed in this process, by their folders, some of which may not exist; diverged ones are others."""

    @classmethod
    def open(cls, path: str | Path) -> "Sweep":
        """Open the sweep in a folder. Raises `BadInput` if there is none."""
        path = expand_user(Path(path))
        if not exists(path):
            raise BadInput(f"there is no folder '{path}'")
        if not (path / SWEEP_FILE).is_file():
            is_run = (path / "recipe.toml").is_file()
            hint = f"; it is a run: ganzoo train --resume {shlex.quote(str(path))}" if is_run else ""
            raise BadInput(f"'{path}' is not a sweep: it has no {SWEEP_FILE}{hint}")
        table = read_json(path / SWEEP_FILE)
        if not isinstance(table.get("recipe"), dict) or not isinstance(table.get("vary"), dict):
            raise BadInput(f"{path / SWEEP_FILE} is not that of a sweep: it needs recipe and vary")
        return cls(path, Recipe.load(table["recipe"]), check_grid(table["vary"]))

    def __repr__(self) -> str:
        states = [summary.state for summary in self.summaries]
        return f"Sweep({str(self.path)!r}: {states.count('finished')} of {len(states)} runs finished)"

    @property
    def plain(self) -> dict[str, Any]:
        """The sweep as plain values; equal if two sweeps train the same."""
        plain: dict[str, Any] = json.loads(json.dumps({"recipe": self.recipe.written_out(), "vary": dict(self.vary)}))
        return plain

    @property
    def runs(self) -> list[Run]:
        """The runs that have begun, in the order of the grid."""
        return [Run(folder) for folder in self.folders if (folder / "recipe.toml").is_file()]

    @property
    def summaries(self) -> list[Summary]:
        """The state of every run, also of those that have not begun."""
        return [self._summarise(folder) for folder in self.folders]

    def _summarise(self, folder: Path) -> Summary:
        known = summarise_run(folder) if exists(folder) else Summary(str(folder), state="waiting")
        return replace(known, state="failed", reason=self.failed[folder]) if folder in self.failed else known

    @property
    def table(self) -> Table:
        """A row for each run, and one with mean and standard error for each setting with several seeds."""
        return make_table(self.combinations, self.summaries)

    @property
    def best(self) -> Run | None:
        """The run that reached the best score of all; None if none was measured."""
        found = [(summary, summary.best) for summary in self.summaries if summary.best is not None]
        if not found:
            return None
        metric, data = found[0][0].metric, found[0][0].data
        scores = {summary.run: best for summary, best in found if summary.metric == metric}
        choose = max if better_values(str(metric), {"name": data}) == "higher" else min
        return Run(choose(scores, key=scores.__getitem__))

    @property
    def resume_command(self) -> str:
        """The command that continues this sweep."""
        return f"ganzoo sweep --resume {shlex.quote(str(self.path))}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the sweep. Raises `BadInput` if another process is at work in it."""
        lock = FileLock(self.path / ".lock")
        with write_errors(self.path):
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise BadInput(f"another process is at work in '{self.path}'; wait for it or stop it") from error
        try:
            yield
        finally:
            lock.release()

    def write_results(self) -> list[Path]:
        """Write the table as CSV, Markdown and JSON into the folder; return the paths."""
        table, paths = self.table, [self.path / name for name in RESULTS]
        for path in paths:
            table.write(path)
        return paths


def sweep(
    recipe: str | Path | Mapping[str, Any] | Recipe | None = None,
    vary: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    *,
    resume: bool = False,
    evaluate: bool = False,
    losses: Iterable[LossLike] | LossLike | None = None,
    generator: NetworkLike | None = None,
    discriminator: NetworkLike | None = None,
    quiet: bool = False,
    **overrides: Any,
) -> Sweep:
    """Train a recipe with every combination of the values in `vary`, one after the other, and return the sweep.

    `vary` gives dotted keys lists of values: `{"optimizer.lr": [1e-3, 2e-4], "train.seed": [0, 1, 2]}`. Runs that
    differ in nothing but the seed are tries of one setting. The recipe is changed as in `ganzoo.train`, but own
    classes are given by their files, `losses=["./mine.py:Mine", "r1"]`. Each run is trained as by `ganzoo.train`, in a
    folder of its own in `out`, by default `runs/NAME-sweep-001` counting up. The same call again goes on where it was
    stopped; so does `resume=True` with nothing but `out`. A run that diverges or fails stands in the table, and the
    next one begins. `evaluate` also measures each run with the metrics of its data. Raises `BadInput` for a request
    that cannot work, before anything is trained, what the first run raised if none could be trained, and `Interrupted`
    after Ctrl-C; what was trained stays.
    """
    if is_under_torchrun():
        raise BadInput(NOT_UNDER_TORCHRUN)
    overrides, given = add_given(overrides, losses, generator, discriminator)
    if name := bare_name(next(iter(given), "")):
        raise BadInput(f"a sweep takes no classes and objects of Python; write {name} into a file: './mine.py:{name}'")
    found = open_sweep(recipe, vary, out, resume, overrides)
    with found.locked():
        try:
            Trainings(found, device, quiet, evaluate).train_all()
        finally:
            found.write_results()
    return found


def open_sweep(
    recipe: str | Path | Mapping[str, Any] | Recipe | None,
    vary: Mapping[str, Any] | None,
    out: str | Path | None,
    resume: bool,
    overrides: Mapping[str, Any],
) -> Sweep:
    """Return a sweep that is there, or make its folder."""
    if resume:
        if out is None or recipe is not None or vary or overrides:
            raise BadInput("resume=True takes the folder of a sweep as out, and neither recipe nor vary nor changes")
        return Sweep.open(out)
    if recipe is None:
        raise BadInput("nothing to train: give a recipe, or resume=True with the folder of a sweep as out")
    grid = check_grid(vary or {})
    base = pin_paths(Recipe.load(recipe, **overrides))
    new = Sweep(Path(), base, grid)
    check_runs([Recipe.load(base, **values) for values in new.combinations])
    return place(new, out)


def place(new: Sweep, out: str | Path | None) -> Sweep:
    """Give a sweep its folder: one that holds the same sweep already, or a new one."""
    if out is None:
        path = find_same(new) or make_next_folder(RUNS_FOLDER, f"{new.recipe.name}-sweep")
    else:
        check_utf8("the folder of the sweep", out)
        path = expand_user(Path(out))
        check_free(path, new)
    found = Sweep(path, new.recipe, new.vary)
    with write_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    write_json(path / SWEEP_FILE, new.plain)
    return found


def find_same(new: Sweep) -> Path | None:
    """Return the first folder of the default place that holds the same sweep."""
    for path in sorted(RUNS_FOLDER.glob(f"*-sweep-*/{SWEEP_FILE}")):
        if is_same(path.parent, new):
            return path.parent
    return None


def is_same(path: Path, new: Sweep) -> bool:
    """Return True if a folder holds the same sweep."""
    try:
        return Sweep.open(path).plain == new.plain
    except BadInput:
        return False


def check_free(path: Path, new: Sweep) -> None:
    """Raise `BadInput` if there is something else at a path than the same sweep, or nothing."""
    if exists(path) and not path.is_dir():
        raise BadInput(f"'{path}' is a file; --out is the folder of the sweep")
    names = [name for name in list_folder(path) if name != ".lock"]
    if names and SWEEP_FILE not in names:
        raise BadInput(f"'{path}' is not empty and holds no sweep; choose another --out")
    if names and not is_same(path, new):
        raise BadInput(f"'{path}' holds another sweep; choose another --out, or continue that one with --resume")


class Trainings:
    """Trains the runs of a sweep that are not finished."""

    def __init__(self, found: Sweep, device: str, quiet: bool, evaluate: bool) -> None:
        self.sweep, self.device, self.quiet, self.evaluate = found, device, quiet, evaluate
        self.errors: list[Error] = []
        self.seconds: list[float] = []

    def train_all(self) -> None:
        """Train one after the other. Raises the first error if no run could be trained."""
        total = len(self.sweep.folders)
        logger.info("%s runs, one after the other, in %s", total, self.sweep.path)
        for number, (folder, values) in enumerate(zip(self.sweep.folders, self.sweep.combinations, strict=True), 1):
            state = summarise_run(folder).state
            if state not in ("finished", "diverged"):
                logger.info("run %s of %s: %s%s", number, total, ", ".join(write_short(values)), self._left(number))
                self._train_one(folder, values)
            if self.evaluate and summarise_run(folder).state == "finished":
                with self.explain_interrupt(folder):
                    collect_scores(folder, self.device)
        if self.errors and not any(summary.state == "finished" for summary in self.sweep.summaries):
            raise self.errors[0]

    def _train_one(self, folder: Path, values: Values) -> None:
        begun = time.monotonic()
        try:
            with self.explain_interrupt(folder):
                self._train(folder, values)
        except Interrupted:
            raise
        except Error as error:
            self.errors.append(error)
            if not isinstance(error, Diverged):
                self.sweep.failed[folder] = str(error)
            logger.warning("%s: %s", "diverged" if isinstance(error, Diverged) else "failed", error)
        self.seconds.append(time.monotonic() - begun)

    def _train(self, folder: Path, values: Values) -> None:
        if (folder / "recipe.toml").is_file():
            train(out=folder, device=self.device, resume=True, quiet=self.quiet)
        else:
            train(Recipe.load(self.sweep.recipe, **values), out=folder, device=self.device, quiet=self.quiet)

    @contextmanager
    def explain_interrupt(self, folder: Path) -> Iterator[None]:
        """Say of an interruption inside how the whole sweep goes on."""
        try:
            yield
        except (Interrupted, KeyboardInterrupt) as error:
            number = error.exit_code - 128 if isinstance(error, Interrupted) else signal.SIGINT
            sentence = f"stopped in {folder}; continue the sweep with: {self.sweep.resume_command}"
            raise Interrupted(sentence, number) from error

    def _left(self, number: int) -> str:
        if not self.seconds:
            return ""
        left = (len(self.sweep.folders) - number + 1) * sum(self.seconds) / len(self.seconds)
        return f" (about {format_seconds(left)} left for all)"
