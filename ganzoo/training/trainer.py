"""One training at work: engine, data and run folder, with all that happens between the training steps."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any

import torch

from ganzoo._faults import call_plugin
from ganzoo._seeds import seed_of
from ganzoo._signals import GracefulStop
from ganzoo.data.base import Data
from ganzoo.engine.loop import BETWEEN_STEPS, Engine
from ganzoo.engine.processes import Processes
from ganzoo.engine.scheduled import check_both_sides_trained
from ganzoo.errors import Interrupted
from ganzoo.recipe import build
from ganzoo.recipe.recipe import Recipe
from ganzoo.training import checkpoint, resume
from ganzoo.training.collapse import EVERY, CollapseDetector
from ganzoo.training.launch import under_torchrun
from ganzoo.training.monitor import DIGITS, Monitor, describe_patience
from ganzoo.training.plane import Plane
from ganzoo.training.profiler import Profiler
from ganzoo.training.progress import Silence, TensorBoard
from ganzoo.training.run import Run
from ganzoo.training.samples import FixedSamples
from ganzoo.zoo.model import load_initial_weights, save_model


def by_first(method: Callable[..., None]) -> Callable[..., None]:
    """Leave it to the first of several processes, which alone writes and speaks; the others wait for it."""

    @wraps(method)
    def done_once(trainer: "Trainer", *arguments: Any, **options: Any) -> None:
        with trainer.processes.raise_on_all_ranks():
            if trainer.processes.first:
                method(trainer, *arguments, **options)

    return done_once


class Trainer:
    """A complete recipe, its data, and the engine that plays it in a run folder.

    A `fresh` one begins with the pretrained generator that the recipe may name; else a checkpoint brings the weights.
    """

    def __init__(self, recipe: Recipe, data: Data, device: str, progress: Silence, fresh: bool = True) -> None:
        self.recipe, self.data, self.device, self.progress = recipe, data, device, progress
        self.settings, self.processes = recipe.train, Processes()
        with self.processes.raise_on_all_ranks():
            if self.settings.tensorboard:
                TensorBoard.needed()
            resolved = build.resolve(recipe)
            self.parts, self.provided = resolved.architecture, resolved.registrations
            generator = self.parts.generator.make(**data.facts)
            if fresh and self.settings.init:
                load_initial_weights(generator, self.settings.init)
            discriminator = self.parts.discriminator.make(**data.facts)
            scheduled = resolved.make_losses()
            check_both_sides_trained(scheduled, self.settings.steps)
        how = {"train": self.settings, "optimizer": recipe.optimizer, "device": device}
        self.engine = Engine(generator, discriminator, scheduled, **how)
        with self.processes.raise_on_all_ranks(), self.engine.hardware.random_state_kept():
            self.watch = Monitor(data, self.settings)
        self.guard = CollapseDetector(self.engine, data)
        self.measured: dict[str, float] = {}
        self.saved = 0
        self.stopping, self.skipped = GracefulStop(forwarded=under_torchrun()), 0

    @property
    def circumstances(self) -> dict[str, Any]:
        """What the last bits of this training depend on beside the recipe."""
        return resume.circumstances(self.engine.hardware, self.processes.count, self.provided)

    def set_up(self, state: checkpoint.State | None = None) -> None:
        """Bring engine and data together, at the beginning or where a run was saved."""
        used = state.numbers["images"] if state else 0
        own = partial(self.processes.shard, parts=self.settings.accumulate)
        with self.processes.raise_on_all_ranks():
            data = self.data.to(self.engine.hardware.device)
            self.stream = data.batches(self.settings.batch, self.settings.seed, used, own)
            first = call_plugin("the data", next, self.stream)
        self.engine.prepare(first)
        if self.processes.rank:  # or dropout would drop the same in all of them
            torch.manual_seed(seed_of("process", self.settings.seed, self.processes.rank))
        self.recipe = self.recipe.replace(train={"precision": self.engine.hardware.precision})
        self.settings = self.recipe.train
        self.batches = itertools.chain([first], self.stream)
        with self.processes.raise_on_all_ranks():
            self.drawing = FixedSamples(self.engine, self.data, self.settings.seed)
            self.plane = Plane.of(self.data, self.settings.seed)
            if state:
                self._restore(state)

    def _restore(self, state: checkpoint.State) -> None:
        checkpoint.restore(self.engine, state)
        self.watch.restore(state.numbers)
        self.measured, self.saved = state.numbers["measured"], self.engine.index

    @by_first
    def record(self, run: Run, event: str, **about: Any) -> None:
        """Note in a run's history that this training goes to work, and tell what is other than before."""
        self._record(run, event, **about)

    def _record(self, run: Run, event: str, **about: Any) -> None:
        others = resume.other_circumstances(run.history, self.circumstances)
        about |= {"circumstances": self.circumstances, **self.watch.about}
        changed = run.record(event, self.engine.index, self.recipe, **about)
        if changed:
            self.progress.say(f"changed: {resume.describe_changes(changed)}")
        if others:
            self.progress.say(f"not bit for bit as it would have gone on, since {resume.describe_changes(others)}")

    def play(self, run: Run) -> None:
        """Train in a run folder until the recipe's last step, or until somebody stops it."""
        self.run, self.listeners = run, [self.progress]
        if self.processes.first:
            # A line of an earlier last step, when no line was due, gives way to the regular one.
            run.cut_log(self.engine.index - bool(self.engine.terms_log.rows_by_names))
            if self.settings.tensorboard:
                self.listeners.append(TensorBoard(run.path / "tensorboard", self.engine.index))
            if self.settings.profile:
                self.listeners.append(Profiler(run.path / "profile"))
        self._tell()
        self.progress.start(self.engine.index, self.settings.steps)
        try:
            with self.stopping:
                self._loop()
            if self.watch.exhausted:
                self._give_up()
        finally:
            self.stream.close()  # ends the processes that read for it
            for listener in self.listeners:
                listener.stop()

    def _loop(self) -> None:
        self.clock, self.logged = time.perf_counter(), self.engine.images
        while not self.over:
            self.engine.step(self.batches)
            number = self.processes.all_max(self.stopping.signal_number)
            for listener in self.listeners:
                listener.step(self.engine.index)
            self._housekeeping(self.engine.index)
            if number and not self.over:
                self._stop(number)

    @property
    def over(self) -> bool:
        """Whether the last step is done, or patience is at its end."""
        return self.engine.index >= self.settings.steps or self.watch.exhausted

    def _give_up(self) -> None:
        reason = describe_patience(self.watch.state)
        self.record(self.run, "stopped", reason=reason)
        self.progress.say(f"stopped after step {self.engine.index}: {reason}; the best is in {self.run.best_folder}")

    def _stop(self, signal_number: int) -> None:
        self.engine.check()
        if self.saved != self.engine.index:
            self._save()  # before all else, as somebody may be about to pull the plug
        self._picture(self.engine.index)
        self._conclude()
        said = f"stopped after step {self.engine.index}; continue with: {self.run.resume_command}"
        raise Interrupted(said, signal_number, reported_by_me=self.processes.first)

    def _housekeeping(self, step: int) -> None:
        intervals = (self.settings.save_every, self.settings.sample_every, self.settings.log_every, EVERY)
        saves, pictures, logs, looks = (step % every == 0 for every in intervals)
        measures = self.watch.due(step)
        if saves or pictures or measures or looks or self.over:
            self.engine.check()  # waits for the device, and what it still had to do is training
        with self._paused():
            if looks:
                self._look()
            if measures:
                self._measure(step)
        last, saves = self.over, saves or self.watch.at_its_best(step)
        if logs or last:
            self._log(step, keep=not logs)
        with self._paused():
            if pictures or last:
                self._picture(step)
            if last:
                self._conclude()
            if saves or last:
                self._save()

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """Time that does not count as training."""
        begun = time.perf_counter()
        with self.engine.profiled(BETWEEN_STEPS):
            yield
        self.clock += time.perf_counter() - begun

    def _measure(self, step: int) -> None:
        """How good the samples are, for the next line of the log; the best generator so far is kept."""
        with self.processes.raise_on_all_ranks(), torch.no_grad(), self.engine.hardware.random_state_kept():
            if self.processes.first:
                self.measured |= self.watch.measure(step, self.drawing.pieces(self.watch.gauge.count))
        self.measured, self.watch.best, self.watch.unimproved = self.processes.broadcast_object(
            (self.measured, self.watch.best, self.watch.unimproved)
        )
        if self.watch.at_its_best(step):
            self._save_model(self.run.best_folder)

    def _look(self) -> None:
        """Whether the training goes to pieces, which is said once."""
        self._warn(self.guard.look())
        if self.guard.diversity is not None:
            self.measured["diversity"] = round(self.guard.diversity, DIGITS)

    @by_first
    def _warn(self, signs: dict[str, str]) -> None:
        for sign, said in signs.items():
            if all(line.get("sign") != sign for line in self.run.history):
                self._record(self.run, "warned", sign=sign, reason=said)
                self.progress.say(f"warning at step {self.engine.index}: {said}")

    def _log(self, step: int, keep: bool) -> None:
        """A line of the log. With `keep` it gives way to the regular one should the run go on after all."""
        for skipped in self.processes.gather(self.data.skipped):
            self.data.skip(skipped)
        terms, measured = self.engine.metrics(keep), self.measured
        self.measured = measured if keep else {}
        now, images = time.perf_counter(), self.engine.images
        speed = (images - self.logged) / (now - self.clock)
        self.clock, self.logged = now, images
        self._tell_of({"step": step, "images": images, "images_per_second": round(speed, 1), **terms, **measured})

    @by_first
    def _tell_of(self, line: dict[str, Any]) -> None:
        self.run.log(line)
        for listener in self.listeners:
            listener.log(line)
        if len(self.data.skipped) > self.skipped:
            self.skipped = len(self.data.skipped)
            self.progress.say(self.data.notes[-1])

    def _save(self) -> None:
        self._save_model(self.run.model_folder)
        # Last of all: whatever is interrupted before it will be made again.
        about = {**self.watch.state, "measured": self.measured, "facts": self.data.facts}
        self._write(checkpoint.capture(self.engine, **about))
        self.saved = self.engine.index

    @by_first
    def _write(self, state: checkpoint.State) -> None:
        checkpoint.save(self.run.checkpoints, state)

    @by_first
    def _save_model(self, folder: Path) -> None:
        training = {"recipe": self.recipe.name, "steps": self.engine.index, "seed": self.settings.seed}
        if init := self.settings.init:
            # A path is nobody's business where this is published.
            training["init"] = "another model" if Path(init).is_absolute() else init
        about = {"training": training}
        save_model(folder, self.engine.ema, self.parts.generator, self.data.description, self.recipe, **about)

    @by_first
    def _picture(self, step: int) -> None:
        shown, columns = self.drawing.picture()
        if shown is not None and self.plane:
            self.run.write_scene(step, self.plane.scene(self.engine, shown), self.settings.seed)
        elif shown is not None:
            self.run.write_samples(step, shown, self.settings.seed, columns)

    @by_first
    def _conclude(self) -> None:
        """The pictures of the whole training."""
        self.run.write_curves()
        if self.plane:
            self.run.write_game(self.engine.index)

    def _tell(self) -> None:
        hardware = self.engine.hardware
        count = f" ({self.data.count:,} samples)" if self.data.count else ""
        what = f"{self.recipe.name} on {self.data.name}{count}"
        where = f"{self.processes.count} processes on {hardware.device.type}"
        where = str(hardware.device) if self.processes.count == 1 else where
        self.progress.say(f"training {what}, {where} in {hardware.precision}, to {self.run.path}")
        for note in (*self.data.notes, *self.watch.notes):
            self.progress.say(note)
