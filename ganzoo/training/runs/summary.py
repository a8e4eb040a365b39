"""What is known of runs at a glance: recipe, data, steps, time, best score and state. No torch here."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ganzoo._io import exists, expand_user
from ganzoo._names import natural_key
from ganzoo._reading import read_json, read_toml
from ganzoo.errors import BadInput
from ganzoo.training.runs.folders import RUNS_FOLDER
from ganzoo.training.runs.log import COUNTERS, read_events, read_lines
from ganzoo.training.runs.steps import list_by_step, list_folder

SIGNS = ("recipe.toml", "checkpoints", "metrics.jsonl", "history.jsonl")
"""Any of these names in a folder shows that it is, or was, a run."""
MODEL_SIGN = "config.json"
"""This file in a folder shows that it is a model."""
MAX_LEVELS = 3
"""Levels of folders below a folder in which runs are looked for: those of sweeps have folders of their own."""
STATES = {
    "finished": "finished",
    "training": "training now",
    "stopped": "can be resumed",
    "diverged": "diverged",
    "failed": "failed",
    "waiting": "not begun",
    "damaged": "damaged",
}
"""The states of a run, with the words for a table."""


@dataclass(frozen=True)
class Summary:
    """One run. What is not known is None.

    `seconds` is the time of the training steps, without what happens between them. `best` is the lowest or highest
    `metric` so far, which decides what lies in the run's folder `best`, and `best_step` its training step.
    """

    run: str
    recipe: str | None = None
    data: str | None = None
    seed: int | None = None
    step: int | None = None
    steps: int | None = None
    seconds: float | None = None
    metric: str | None = None
    best: float | None = None
    best_step: int | None = None
    state: str = "damaged"
    reason: str = ""
    """What is damaged, or why the training ended."""

    @property
    def plain(self) -> dict[str, Any]:
        """The summary as plain values."""
        return asdict(self)


def list_runs(folder: Path = RUNS_FOLDER) -> list[Summary]:
    """Summarise every run in a folder, or the one that the folder is. Raises `BadInput` if there is no such folder."""
    folder = expand_user(folder)
    if not exists(folder):
        raise BadInput(f"there is no folder '{folder}'")
    if not folder.is_dir():
        raise BadInput(f"'{folder}' is a file; give a folder with runs")
    if exists(folder / MODEL_SIGN):
        raise BadInput(f"'{folder}' is a model and not a run; give the run that it is of, or a folder of runs")
    return [summarise_run(path) for path in sorted(find_runs(folder), key=lambda path: natural_key(str(path)))]


def find_runs(folder: Path, levels: int = MAX_LEVELS) -> Iterator[Path]:
    """Yield the folders of runs: this one, or those in it."""
    try:
        names = list_folder(folder) if folder.is_dir() else []
    except BadInput:
        yield folder  # its summary says why it cannot be read
        return
    if MODEL_SIGN in names:  # the model of a run has the recipe beside it, too
        return
    if set(SIGNS) & set(names):
        yield folder
    elif levels:
        for name in names:
            if not name.startswith(".") and not (folder / name).is_symlink():
                yield from find_runs(folder / name, levels - 1)


def summarise_run(path: Path) -> Summary:
    """Summarise one run; a damaged one with the reason."""
    files = RunFiles(path)
    try:
        return files.summarise()
    except BadInput as error:
        return Summary(str(path), reason=str(error))
    except (KeyError, TypeError, AttributeError, ValueError, OSError) as error:  # a stranger may have written it
        return Summary(str(path), reason=f"it is not the folder of a run as ganzoo writes it ({type(error).__name__})")


class RunFiles:
    """The files of a run that say how far it is, each read once. They raise `BadInput` where they are damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def summarise(self) -> Summary:
        """Return the summary of a sound run."""
        recipe, best = self.recipe, dict(self.checkpoint.get("best") or {})
        step = best.pop("step", None)
        metric = next(iter(best), None)
        state, reason = self.state
        return Summary(
            run=str(self.path),
            recipe=str(recipe["name"]),
            data=str(recipe.get("data", {}).get("name", "mnist-10k")),
            seed=recipe.get("train", {}).get("seed"),
            step=self.step,
            steps=self.steps,
            seconds=self.seconds,
            metric=metric,
            best=best.get(metric),
            best_step=step,
            state=state,
            reason=reason,
        )

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        """The recipe as it was written."""
        path = self.path / "recipe.toml"
        if not exists(path):
            raise BadInput("it has no recipe.toml; a training may have been killed before it began")
        return read_toml(path)

    @cached_property
    def checkpoint(self) -> Mapping[str, Any]:
        """The plain values of the newest checkpoint that can be read; empty if none was written yet.

        Raises `BadInput` if none can be read, or if they are gone.
        """
        found = list_by_step(self.path / "checkpoints")
        for path in reversed(found):
            with suppress(BadInput):
                return read_json(path / "state.json")
        if found:
            raise BadInput("none of its checkpoints can be read")
        first = min(self.recipe["train"].get("save_every", 1000), self.steps or 10**18)
        if self.log and self.log[-1]["step"] > first:
            raise BadInput("its checkpoints are gone")
        return {}

    @cached_property
    def log(self) -> Sequence[Mapping[str, Any]]:
        """The lines of the log."""
        return read_lines(self.path / "metrics.jsonl")

    @property
    def step(self) -> int:
        """The last training step: of the log while it trains, else of the newest checkpoint."""
        saved = int(self.checkpoint.get("index", 0))
        return max(saved, self.log[-1]["step"]) if self.log and self.is_training else saved

    @property
    def steps(self) -> int | None:
        """The training steps that the recipe asks for."""
        steps: int | None = self.recipe["train"].get("steps")
        return steps

    @property
    def seconds(self) -> float | None:
        """The time of the training steps in the log."""
        images, total = 0, 0.0
        for line in self.log:
            total += (line["images"] - images) / line["images_per_second"] if line["images_per_second"] else 0
            images = line["images"]
        return round(total, 1) if self.log else None

    @cached_property
    def is_training(self) -> bool:
        """True if a training holds the lock of the run."""
        path = self.path / ".lock"
        try:
            if path.is_file():
                with FileLock(path, timeout=0):
                    pass
        except Timeout:
            return True
        except OSError:  # somebody else's folder
            return False
        return False

    @property
    def state(self) -> tuple[str, str]:
        """The state, and the reason where there is one."""
        last = next(iter(read_events(self.path / "history.jsonl")[-1:]), {})
        if self.is_training:
            return "training", ""
        if state := {"diverged": "diverged", "stopped": "finished", "failed": "failed"}.get(str(last.get("event"))):
            return state, str(last.get("reason", ""))
        return ("finished" if self._is_done() else "stopped"), ""

    def _is_done(self) -> bool:
        if minutes := self.recipe["train"].get("minutes"):
            return bool(self.checkpoint.get("seconds", 0) >= 60 * minutes)
        return self.steps is not None and self.step >= self.steps


def is_measure(key: str) -> bool:
    """Return True if a key of the log is a measure of samples."""
    return "/" not in key and key not in COUNTERS
