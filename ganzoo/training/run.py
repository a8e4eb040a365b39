"""The folder that a training makes: recipe, metrics, sample pictures, curves, checkpoints and the model."""

import itertools
import json
import os
import shlex
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from ganzoo._io import read_bytes, sync_folder, write_bytes, write_errors
from ganzoo.errors import BadInput
from ganzoo.pictures import grid, points
from ganzoo.recipe.recipe import Recipe, differences
from ganzoo.training import checkpoint, curves
from ganzoo.training.launch import launch_command
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.model import Model, load

RUNS = Path("runs")
MADE = {"recipe.toml", "history.jsonl", "metrics.jsonl", "curves.png", "samples", "checkpoints", "model", "best"}
WORD = ".word"
MADE |= {".lock", WORD, "game.gif", "tensorboard", "profile"}
"""All that a training leaves in its folder."""
PATIENCE = 10
"""Seconds to wait for a run that another training holds: the readers of one that was killed live on for a moment."""


class Run:
    """A run folder. `recipe` is what was trained, `metrics` what was logged, `model` the averaged generator."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self.checkpoints = self.path / "checkpoints"
        self.model_folder = self.path / "model"
        self.best_folder = self.path / "best"

    @classmethod
    def create(cls, recipe: Recipe, out: str | Path | None = None, overwrite: bool = False) -> Self:
        """A new folder with its recipe, `out` or the next free `runs/NAME-001`.

        Raises `BadInput` where `out` is not empty. `overwrite` removes an earlier run there, and nothing else.
        """
        run = cls(next_free(RUNS, recipe.name) if out is None else out)
        if out is not None and must_remove(run.path, overwrite):
            with run.locked():
                run.clear()
        with write_errors(run.path):
            run.path.mkdir(parents=True, exist_ok=True)
            sync_folder(run.path.parent)
            run.checkpoints.mkdir(exist_ok=True)
            (run.path / "samples").mkdir(exist_ok=True)
        recipe.save(run.path / "recipe.toml")
        return run

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """An existing run. Raises `BadInput` where there is none."""
        run = cls(path)
        if not (run.path / "recipe.toml").is_file():
            raise BadInput(f"'{path}' is no run: it has no recipe.toml")
        return run

    @property
    def recipe(self) -> Recipe:
        """The complete recipe of this run."""
        return Recipe.load(self.path / "recipe.toml")

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The lines of the log: step, images, images_per_second, the mean of every loss term, and what was measured.

        That is diversity, and swd_ratio or with train.evaluate_every the data's own metrics, such as fd_ratio.
        A line that was only half written does not count.
        """
        return read_lines(self.path / "metrics.jsonl")

    @property
    def history(self) -> list[dict[str, Any]]:
        """What happened to this run and when: begun, resumed, rolled back, warned or stopped, and at which step.

        Each line has also what was changed by it and the whole recipe; a warning, a rollback and a stop a reason.
        """
        return read_lines(self.path / "history.jsonl")

    @property
    def model(self) -> Model:
        """The averaged generator as last saved."""
        return load(self.path)

    @property
    def best(self) -> Model:
        """The averaged generator when its samples were best. Raises `BadInput` where none was measured yet."""
        return load(self.best_folder)

    def sample(self, n: int, seed: int = 0, **fixed: Any) -> Any:
        """`Model.sample` of this run's model."""
        return self.model.sample(n, seed, **fixed)

    def log(self, line: dict[str, Any]) -> None:
        """Append one line to the log."""
        path = self.path / "metrics.jsonl"
        with write_errors(path), path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())  # a checkpoint must not outlive the lines before it

    def record(self, event: str, step: int, recipe: Recipe, **about: Any) -> dict[str, list[Any]]:
        """Make a recipe the run's, and append to the history what changed by it, which is returned."""
        history, table = self.history, recipe.written_out()
        changed = differences(history[-1]["recipe"], table) if history else {}
        time = datetime.now(UTC).isoformat(timespec="seconds")
        line = {"event": event, "step": step, "time": time, "changed": changed, **about, "recipe": table}
        recipe.save(self.path / "recipe.toml")
        write_lines(self.path / "history.jsonl", [*history, line])
        return changed

    def cut_log(self, step: int) -> None:
        """Forget the lines after a step: training goes on from there."""
        write_lines(self.path / "metrics.jsonl", [line for line in self.metrics if line["step"] <= step])

    def write_samples(self, step: int, images: Any, seed: int, columns: int = 0) -> Path:
        """The sample picture of a step; `columns` as in `write_grid`."""
        path, title = self._picture(step)
        grid.write_grid(path, images, title, seed, columns)
        return path

    def write_scene(self, step: int, scene: points.Scene, seed: int) -> Path:
        """The sample picture of a step of a game on points."""
        path, title = self._picture(step)
        points.write_scene(path, scene, title, seed)
        return path

    def _picture(self, step: int) -> tuple[Path, str]:
        return self.path / "samples" / f"{checkpoint.checkpoint_name(step)}.png", f"{self.path.name} step {step}"

    def write_game(self, until: int) -> Path | None:
        """The sample pictures up to a step as an animation; None where there are none."""
        path, last = self.path / "game.gif", f"{checkpoint.checkpoint_name(until)}.png"
        there = checkpoint.by_step(self.path / "samples")
        names = [picture.name for picture in there]
        if last not in names:
            return None
        points.animate(path, there[: names.index(last) + 1])
        return path

    def write_curves(self) -> Path:
        """The curves of all that was logged so far."""
        path = self.path / "curves.png"
        curves.write_curves(path, self.metrics, self.best_step)
        return path

    @property
    def best_step(self) -> int | None:
        """After which training step the samples were best; None where none was measured yet."""
        return LocalModel(self.best_folder).config.training["steps"] if self.best_folder.exists() else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While a training is at work here. Raises `BadInput` where another one is; a dead one holds no lock."""
        lock = FileLock(self.path / ".lock")
        with write_errors(self.path):
            try:
                lock.acquire(timeout=PATIENCE)
            except Timeout as error:
                raise BadInput(f"another training is at work in '{self.path}'; wait for it or stop it") from error
        try:
            yield
        finally:
            lock.release()

    def leave(self, word: str | None) -> None:
        """Leave a word for the other processes of a training to find; None takes it away."""
        path = self.path / WORD
        write_bytes(path, word.encode()) if word else path.unlink(missing_ok=True)

    def find(self, word: str) -> None:
        """Raise `BadInput` where this folder is not the one in which that word was left."""
        path, until = self.path / WORD, time.monotonic() + PATIENCE
        while not (path.exists() and read_bytes(path) == word.encode()):
            if time.monotonic() > until:
                raise BadInput(f"'{self.path}' is not the folder that process 0 has; --out must be one that all share")
            time.sleep(0.1)
            with suppress(OSError):  # or a network's file system may long remember that nothing was there
                list(self.path.parent.iterdir())

    def written(self) -> list[Path]:
        """What is there for people: newest samples, perhaps their animation, curves, log, model, the folder itself."""
        pictured = checkpoint.by_step(self.path / "samples")[-1:]
        others = [self.path / "game.gif", self.path / "curves.png", self.path / "metrics.jsonl", self.model_folder]
        return [*pictured, *(path for path in others if path.exists()), self.path]

    @property
    def resume_command(self) -> str:
        """What to type to go on."""
        if self.recipe.data.from_python:
            return f"ganzoo.train(out={str(self.path)!r}, resume=True, data=...)"
        return f"{launch_command()} train --resume {shlex.quote(str(self.path))}"

    def what_is_left(self) -> str:
        """What a training that ended badly leaves to go on from."""
        saved = checkpoint.checkpoints(self.checkpoints)
        if not saved:
            return f"no checkpoint had been saved yet; begin again with: {self.resume_command}"
        return f"the last good checkpoint is kept; go on from {saved[-1].name} with: {self.resume_command}"

    def clear(self) -> None:
        """Remove whatever is there."""
        with write_errors(self.path):
            # The recipe last: without it nobody would know any more that this was a run.
            for path in sorted(self.path.iterdir(), key=lambda path: path.name == "recipe.toml"):
                if path.name != ".lock":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()


def must_remove(path: str | Path, overwrite: bool) -> bool:
    """Whether an earlier run must be removed from `path` first. Raises `BadInput` for whatever must not be."""
    path = Path(path).expanduser()
    with write_errors(path):
        if not path.exists() or (path.is_dir() and without_files(path)):
            return False
        names = {each.name for each in path.iterdir()} if path.is_dir() else set()
    if not overwrite:
        raise BadInput(f"'{path}' is not empty; choose another --out, or --overwrite to replace the run there")
    begun = {f".{name}.{word}" for name in MADE for word in ("part", "old")}
    if path.is_symlink() or "recipe.toml" not in names or names - MADE - begun:
        raise BadInput(f"'{path}' is not just a run, so --overwrite leaves it alone; choose another --out")
    return True


def without_files(folder: Path) -> bool:
    """Whether a folder is as good as empty: what a training leaves that was killed when it had just begun."""
    return not any(path.is_file() and path.name != ".lock" for path in folder.rglob("*"))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, but for those that are only half written; none where there is no such file."""
    lines = read_bytes(path).splitlines() if path.exists() else []
    return [line for line in map(parse_line, lines) if line]


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """A whole log."""
    write_bytes(path, "".join(json.dumps(line) + "\n" for line in lines).encode())


def parse_line(line: bytes) -> dict[str, Any]:
    """A line of the log; empty where it is none."""
    try:
        values = json.loads(line)
    except ValueError:
        return {}
    return values if isinstance(values, dict) and "step" in values else {}


def next_free(folder: Path, name: str) -> Path:
    """A new folder, the first `folder/name-001` that was not there yet, counting up."""
    for number in itertools.count(1):
        path = folder / f"{name}-{number:03d}"
        with write_errors(path), suppress(FileExistsError):
            path.mkdir(parents=True)
            return path
