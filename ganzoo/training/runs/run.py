"""The folder that a training makes: recipe, log, history, pictures, checkpoints and models."""

import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout
from torch import Tensor

from ganzoo._io import expand_user, read_bytes, remove_abandoned, sync_folder, write_bytes, write_errors
from ganzoo._names import printable
from ganzoo.engine.settings import SIDES
from ganzoo.errors import BadInput, Error
from ganzoo.recipe.names import is_given
from ganzoo.recipe.recipe import Recipe, differences, prefer_in
from ganzoo.training.launch import launch_command
from ganzoo.training.runs import checkpoint, curves
from ganzoo.training.runs.folders import MARKER, RUNS_FOLDER, has_no_files, make_next_folder, must_remove
from ganzoo.training.runs.gallery import Gallery
from ganzoo.training.runs.log import (
    append_line,
    cut_lines,
    format_csv,
    last_step,
    read_events,
    read_lines,
    read_thinned,
    write_lines,
)
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.model import Model, load

LOCK_TIMEOUT_SECONDS = 10
"""Seconds to wait for the lock of a run: a killed training holds it until the processes that read its data end."""


class Run:
    """The folder of a training. `recipe` is its recipe, `metrics` its log, `model` the averaged generator.

    It is a path, too: what takes the path of a run, such as `ganzoo.load` or `open`, takes the run itself.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = expand_user(Path(path))
        self.checkpoints = self.path / "checkpoints"
        self.model_folder = self.path / "model"
        self.best_folder = self.path / "best"
        self.gallery, self.augmented = Gallery(self.path), Gallery(self.path, "augmented")

    @classmethod
    def create(cls, recipe: Recipe, out: str | PathLike[str] | None = None, overwrite: bool = False) -> Self:
        """Make a new folder with its recipe: `out`, or the next free `runs/NAME-001`.

        Raises `BadInput` if `out` is not empty. `overwrite` removes an earlier run there, and nothing else.
        """
        run = cls(make_next_folder(RUNS_FOLDER, recipe.name) if out is None else out)
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

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"<ganzoo.Run {str(self.path)!r}: {self._describe()}>"

    def _describe(self) -> str:
        """Return what the run learns and how far it is; it may be damaged, or just be removed."""
        try:
            recipe, step = Recipe.load(self.path / "recipe.toml"), last_step(self.path / "metrics.jsonl")
        except (Error, OSError):
            return "no recipe can be read there"
        steps = f" of {recipe.train.steps:,}" if recipe.train.steps else ""
        return printable(f"{recipe.name} on {Path(recipe.data.name).name}, {step:,}{steps} steps")

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Self:
        """Open an existing run. Raises `BadInput` if there is none."""
        run = cls(path)
        if not (run.path / "recipe.toml").is_file():
            killed = run.path.is_dir() and has_no_files(run.path)
            again = "; if a training was killed there before it began, start it again with --out" if killed else ""
            raise BadInput(f"'{path}' is not a run: it has no recipe.toml{again}")
        return run

    @property
    def recipe(self) -> Recipe:
        """The complete recipe of this run, whose bare names mean what it was trained with.

        A bare name stays, and is refused by a resume, where several plugins that it was trained with provide it now.
        """
        used = [name for line in self.history[-1:] for name in line["circumstances"]]
        return prefer_in(Recipe.load(self.path / "recipe.toml"), used, ranked=False)

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The lines of the log: step, images, images_per_second, the mean of every loss term, and measures.

        Measures are diversity, and swd_ratio or, with train.evaluate_every, the data's own metrics, such as fd_ratio.
        A line that is not completely written is left out.
        """
        return read_lines(self.path / "metrics.jsonl")

    @property
    def history(self) -> list[dict[str, Any]]:
        """The events of this run: begun, resumed, rolled back, warned, stopped, diverged or failed, with time and step.

        Each line also has the changes of the recipe and the whole recipe; all but the first two a reason.
        """
        return read_events(self.path / "history.jsonl")

    @property
    def model(self) -> Model:
        """The averaged generator, as last saved."""
        return load(self.path)

    @property
    def best(self) -> Model:
        """The averaged generator at the step of its best samples. Raises `BadInput` if none were measured yet."""
        return load(self.best_folder)

    def sample(self, /, n: int, seed: int = 0, **fixed: Any) -> Tensor | Any:
        """Draw samples from this run's model, as `Model.sample` does."""
        return self.model.sample(n, seed, **fixed)

    def push_to_hub(
        self,
        repository: str,
        license: str | None = None,
        *,
        private: bool = False,
        tag: str | None = None,
        message: str = "Publish with ganzoo",
        with_inputs: bool = False,
        with_discriminator: bool = False,
        relicense: bool = False,
    ) -> str:
        """Publish this run's model on the Hub; return what `load` takes: "hub:owner/name@commit".

        `repository` is "owner/name", made if need be, `private` if so said. Without a `license`, such as "mit", it is
        that of the weights that the training began with, else "other"; `relicense` says that one may publish these
        under another. `tag` names this version. The run's real inputs go along `with_inputs`, or where their data set
        has a licence that allows it; the log says how many. A discriminator that was kept goes along
        `with_discriminator`.
        Raises `BadInput` for what cannot be published, and `Unavailable` where the network or the Hub refuses it.
        """
        from ganzoo.zoo.publishing.publish import push  # the Hub's client is slow to import

        return push(self, repository, license, private, tag, message, with_inputs, with_discriminator, relicense)

    def to_csv(self, path: str | PathLike[str] | None = None) -> str:
        """Return the log as CSV text: a column for each key, a line for each line of `metrics`; write it to `path`.

        A key that a line does not have is an empty cell. Lines end with a line feed. Raises `BadInput` where the file
        cannot be written.
        """
        text = format_csv(self.metrics)
        if path is not None:
            write_bytes(expand_user(Path(path)), text.encode())
        return text

    def log(self, line: dict[str, Any]) -> None:
        """Append one line to the log."""
        append_line(self.path / "metrics.jsonl", line)

    def record(self, event: str, step: int, recipe: Recipe, **about: Any) -> dict[str, list[Any]]:
        """Write a recipe as the run's own and an event into its history; return the changes of the recipe."""
        history, table = self.history, recipe.written_out()
        before = with_defaults(history[-1]["recipe"]) if history else {}
        changed = differences(before, table) if before else {}
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"event": event, "step": step, "time": time, "changed": changed, **about, "recipe": table}
        recipe.save(self.path / "recipe.toml")
        write_lines(self.path / "history.jsonl", [*history, line])
        return changed

    def cut_log(self, step: int) -> None:
        """Delete the lines of the log after a step."""
        cut_lines(self.path / "metrics.jsonl", step)

    def write_curves(self) -> Path:
        """Draw the curves of the log, and return their path."""
        path = self.path / "curves.png"
        lines, recipe = read_thinned(self.path / "metrics.jsonl", curves.MAX_POINTS), self.recipe
        title = f"{recipe.name} on {Path(recipe.data.name).name}, run {self.path.name}"
        curves.write_curves(path, lines, self.best_step, title)
        return path

    @property
    def best_step(self) -> int | None:
        """The training step whose samples were best; None if none were measured yet."""
        return LocalModel(self.best_folder).config.training.steps if self.best_folder.exists() else None

    @property
    def classes(self) -> list[str] | None:
        """The names of the classes that the saved model learned; None where no model is saved."""
        with suppress(BadInput, FileNotFoundError):
            return LocalModel(self.model_folder).config.data.classes
        return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the run for a training. Raises `BadInput` if another training holds it; a dead one holds no lock."""
        lock = FileLock(self.path / ".lock")
        with write_errors(self.path):
            try:
                lock.acquire(timeout=LOCK_TIMEOUT_SECONDS)
            except Timeout as error:
                raise BadInput(f"another training is at work in '{self.path}'; wait for it or stop it") from error
        try:
            remove_abandoned(self.path)
            yield
        finally:
            lock.release()

    def write_marker(self, word: str | None) -> None:
        """Write a word into the folder for the other processes of a training to find; None removes it."""
        path = self.path / MARKER
        write_bytes(path, word.encode()) if word else path.unlink(missing_ok=True)

    def wait_for_marker(self, word: str) -> None:
        """Wait for process 0's word. Raises `BadInput` if it does not appear: process 0 has another folder."""
        path, until = self.path / MARKER, time.monotonic() + LOCK_TIMEOUT_SECONDS
        while not (path.exists() and read_bytes(path) == word.encode()):
            if time.monotonic() > until:
                raise BadInput(f"'{self.path}' is not the folder that process 0 has; --out must be one that all share")
            time.sleep(0.1)
            with suppress(OSError):  # refreshes what a network's file system remembers of the folder
                list(self.path.parent.iterdir())

    def list_outputs(self) -> list[Path]:
        """Return the paths to show to the user: newest pictures, animation, curves, log, model, the folder itself."""
        others = [self.gallery.animation, self.path / "curves.png", self.path / "metrics.jsonl", self.model_folder]
        return [
            *self.gallery.newest(),
            *self.augmented.newest(),
            *(path for path in others if path.exists()),
            self.path,
        ]

    @property
    def resume_command(self) -> str:
        """The command that continues this run."""
        if again := self._from_python:
            return f"ganzoo.train(out={str(self.path)!r}, resume=True, {', '.join(again)})"
        return f"{launch_command()} train --resume {shlex.quote(str(self.path))}"

    @property
    def _from_python(self) -> list[str]:
        """The arguments that Python code has given for this run, and must give again to resume it."""
        recipe = self.recipe
        networks = {side: recipe.architecture.side_name(side) for side in reversed(SIDES)}
        given = {"data=...": recipe.data.from_python, "losses=[...]": any(is_given(loss.name) for loss in recipe.loss)}
        return [word for word, is_so in given.items() if is_so] + [
            f"{side}=..." for side, name in networks.items() if is_given(name)
        ]

    def describe_resume_point(self) -> str:
        """Return a clause for the error of a training: the checkpoint to continue from, and the command."""
        saved = []
        with suppress(BadInput):  # an error of the disk must not take the place of the one that it caused
            saved = checkpoint.list_checkpoints(self.checkpoints)
        if not saved:
            return f"no checkpoint had been saved yet; begin again with: {self.resume_command}"
        return f"the last good checkpoint is kept; go on from {saved[-1].name} with: {self.resume_command}"

    def clear(self) -> None:
        """Remove everything in the folder."""
        with write_errors(self.path):
            # The recipe last: it is what shows that this folder is a run.
            for path in sorted(self.path.iterdir(), key=lambda path: path.name == "recipe.toml"):
                if path.name != ".lock":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()


def with_defaults(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe of the history with the keys that it lacks: those of an earlier version had not changed.

    It is empty where it cannot be read, and nothing is known of the changes since.
    """
    with suppress(BadInput):
        return Recipe.load(recipe).written_out()
    return {}
