"""Training: joins recipe, data, networks, engine and run folder."""

import itertools
import math
import shlex
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo import build, checkpoint
from ganzoo.data import Data, open_data
from ganzoo.datasets import plain_names
from ganzoo.engine import Engine
from ganzoo.errors import BadInput, Diverged, Interrupted
from ganzoo.model import save_model
from ganzoo.progress import Bar, Silence, TensorBoard
from ganzoo.recipe import Recipe
from ganzoo.run import Run, in_the_way
from ganzoo.sampling import draw, joined, pictured, to_unit
from ganzoo.settings import SIDES
from ganzoo.stopping import Stopping

PICTURED = 64
"""Samples in each picture."""

Source = str | Path | Iterable[dict[str, Tensor]]


def train(
    recipe: str | Path | Mapping[str, Any] | Recipe | None = None,
    data: Source | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: Silence | None = None,
    **overrides: Any,
) -> Run:
    """Train by a recipe (its name, file, content or object) and return the run.

    `data` replaces the recipe's: a name, a folder of images, or any iterable of dict batches. `out` is the run folder,
    by default `runs/NAME-001` counting up. `resume=True` continues the run in `out`; overrides such as
    `train={"steps": 5000}` change its recipe. Torch's global random generator is seeded with `train.seed`.
    Raises `BadInput` for what cannot work, `Diverged` for non-finite numbers and `Interrupted` after Ctrl-C; what was
    saved stays.
    """
    progress = progress or Bar()
    run = Run.open(out) if resume and out is not None else None
    if out is not None and not resume:
        in_the_way(out, overwrite)  # before anything that takes time
    if recipe is None and run is None:
        raise BadInput("say what to train: a recipe, or with resume=True a run in out")
    recipe = Recipe.load(run.path / "recipe.toml" if recipe is None else recipe, **overrides)
    if isinstance(data, str | Path):
        recipe, data = Recipe.load(recipe, data={"name": str(data)}), None
    state, notes = checkpoint.read(run.checkpoints) if run else (None, [])
    for note in notes:
        progress.say(note)
    training = Training(recipe, data, device, progress)
    if state:
        training.resume(run, state)
    else:
        training.begin(out, overwrite)
    with training.run.locked():
        training.play()
    return training.run


class Training:
    """One training on its way from a recipe to a run."""

    def __init__(self, recipe: Recipe, batches: Source | None, device: str, progress: Silence) -> None:
        self.progress = progress
        # Before anything draws: a shuffling DataLoader takes its seed from torch's global generator.
        torch.manual_seed(recipe.train.seed)
        self.data = open_recipe_data(recipe, batches)
        self.recipe = build.complete(in_steps(with_lasting_data(recipe, batches, self.data), self.data))
        self.settings = self.recipe.train
        if self.settings.tensorboard:
            TensorBoard.needed()
        self.parts = build.architecture(self.recipe.architecture)
        self.engine = Engine(
            self.parts["generator"].make(**self.data.facts),
            self.parts["discriminator"].make(**self.data.facts),
            [build.scheduled(*loss) for loss in build.losses(self.recipe.loss)],
            train=self.settings,
            optimizer=self.recipe.optimizer,
            device=device,
        )
        check_that_all_play(self.engine)
        self.data.to(self.engine.hardware.device)
        self.stopping, self.skipped = Stopping(), 0

    def begin(self, out: str | Path | None, overwrite: bool) -> None:
        """Prepare a new run."""
        self._set_up(0)
        self.settings.precision = self.engine.hardware.precision
        self.run = Run.create(self.recipe, out, overwrite)

    def resume(self, run: Run, state: checkpoint.State) -> None:
        """Prepare to go on from where a run stopped."""
        self._set_up(state.numbers["index"])
        checkpoint.restore(self.engine, state)
        self.run = run

    def play(self) -> None:
        """Train until the recipe's last step, or until somebody stops it."""
        if self.engine.index >= self.settings.steps:
            done = f"{self.run.path} is finished: it was trained for {self.engine.index} steps"
            self.progress.say(f"{done}; to go on, ask for more: -o train.steps={2 * self.engine.index}")
            return
        self.run.cut_log(self.engine.index)
        self.recipe.save(self.run.path / "recipe.toml")
        self._tell()
        self.listeners = [self.progress]
        if self.settings.tensorboard:
            self.listeners.append(TensorBoard(self.run.path / "tensorboard"))
        self.progress.start(self.engine.index, self.settings.steps)
        try:
            with self.stopping:
                self._loop()
        except (BadInput, Diverged) as error:
            raise type(error)(f"{error}; {self._what_is_left()}") from error
        finally:
            for listener in self.listeners:
                listener.stop()

    def _set_up(self, index: int) -> None:
        """Bring engine and data together at a training step."""
        batches = self.data.batches(self.settings.batch, self.settings.seed, index * self.settings.critic_steps)
        first = next(batches)
        self.engine.setup(first)
        self.batches = itertools.chain([first], batches)
        self.shown = self._conditions()

    def _loop(self) -> None:
        self.clock, self.logged = time.perf_counter(), self.engine.images
        while self.engine.index < self.settings.steps:
            self.engine.step(self.batches)
            self.progress.step(self.engine.index)
            self._housekeeping(self.engine.index)
            if self.stopping.signal_number and self.engine.index < self.settings.steps:
                self._stop()

    def _stop(self) -> None:
        self.engine.check()
        self._picture(self.engine.index)
        self.run.write_curves()
        self._save()
        said = f"stopped after step {self.engine.index}; continue with: {self._resume_command()}"
        raise Interrupted(said, self.stopping.signal_number)

    def _housekeeping(self, step: int) -> None:
        last = step == self.settings.steps
        if last or step % self.settings.log_every == 0:
            self._log(step)
        paused = time.perf_counter()
        if last or step % self.settings.sample_every == 0:
            self.engine.check()
            self._picture(step)
        if last:
            self.run.write_curves()
        if last or step % self.settings.save_every == 0:
            self._save()
        self.clock += time.perf_counter() - paused

    def _log(self, step: int) -> None:
        terms = self.engine.metrics()
        now, images = time.perf_counter(), self.engine.images
        speed = (images - self.logged) / (now - self.clock)
        self.clock, self.logged = now, images
        line = {"step": step, "images": images, "images_per_second": round(speed, 1), **terms}
        self.run.log(line)
        for listener in self.listeners:
            listener.log(line)
        if self.data.skipped > self.skipped:
            self.skipped = self.data.skipped
            self.progress.say(self.data.notes[-1])

    def _save(self) -> None:
        self.engine.check()
        about = {"training": {"recipe": self.recipe.name, "steps": self.engine.index, "seed": self.settings.seed}}
        save_model(self.run.model_folder, self.engine.ema, self.parts["generator"], self.data.description, **about)
        # Last of all: whatever is interrupted before it will be made again.
        self.run.save(self.engine)

    def _picture(self, step: int) -> None:
        if self.data.description["kind"] == "image":
            made = draw(self.engine.ema, PICTURED, self.settings.seed, self.engine.hardware.device, self.shown)
            images = pictured(joined([fake for fake, _ in made]))
            if images is not None:
                self.run.write_samples(step, to_unit(images), self.settings.seed)

    def _conditions(self) -> dict[str, Tensor]:
        """What the generator needs of real data to draw the sample pictures, the same at any time."""
        generator = self.engine.generator
        keys = set(generator.needs) - generator.latent(1, torch.Generator()).keys()
        first = self.data.first(PICTURED, self.settings.seed) if keys else {}
        return {key: first[key][torch.arange(PICTURED) % len(first[key])] for key in keys}

    def _tell(self) -> None:
        hardware = self.engine.hardware
        count = f" ({self.data.count:,} samples)" if self.data.count else ""
        what = f"{self.recipe.name} on {self.data.name}{count}"
        self.progress.say(f"training {what}, {hardware.device} in {hardware.precision}, to {self.run.path}")
        for note in self.data.notes:
            self.progress.say(note)

    def _what_is_left(self) -> str:
        saved = checkpoint.checkpoints(self.run.checkpoints)
        if not saved:
            return f"no checkpoint had been saved yet in {self.run.path}"
        return f"the last good checkpoint is kept; go on from {saved[-1].name} with: {self._resume_command()}"

    def _resume_command(self) -> str:
        return f"ganzoo train --resume {shlex.quote(str(self.run.path))}"


def open_recipe_data(recipe: Recipe, batches: Source | None) -> Data:
    """The data that a recipe names, or what Python code passed in."""
    wanted = recipe.data
    if batches is None and wanted.name == "batches":
        raise BadInput("this recipe learns from batches that Python code gives: call ganzoo.train(..., data=batches)")
    source = wanted.name if batches is None else batches
    return open_data(source, size=wanted.size, channels=wanted.channels, root=wanted.root, classes=wanted.classes)


def with_lasting_data(recipe: Recipe, batches: Source | None, data: Data) -> Recipe:
    """The recipe with a name of its data that holds in any folder."""
    if batches is not None:
        return Recipe.load(recipe, data={"name": data.name, "classes": recipe.data.classes})
    if recipe.data.name in plain_names():
        return recipe
    folder = str(Path(recipe.data.name).expanduser().resolve())
    return Recipe.load(recipe, data=recipe.data.model_dump() | {"name": folder})


def check_that_all_play(engine: Engine) -> None:
    """Raise `BadInput` where a side would never be trained."""
    for side in SIDES:
        if not any(use.plays(side) and use.start < engine.train.steps for use in engine.losses):
            names = ", ".join(use.name for use in engine.losses)
            raise BadInput(
                f"nothing would train the {side}: none of the losses ({names}) has a term for it before step "
                f"{engine.train.steps}; --loss replaces all losses of a recipe, so name them all"
            )


def in_steps(recipe: Recipe, data: Data) -> Recipe:
    """The recipe with its epochs turned into steps of this data."""
    if recipe.train.steps:
        return recipe
    if data.count is None:
        raise BadInput("train.epochs needs data of known length; say train.steps instead")
    steps = math.ceil(recipe.train.epochs * data.count / (recipe.train.batch * recipe.train.critic_steps))
    return Recipe.load(recipe, train={"steps": steps})
