"""Train in the folder of a run: the engine does the steps, callbacks everything between them."""

import logging
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec

from torch import Tensor

from ganzoo._signals import GracefulStop
from ganzoo.data.base import Data
from ganzoo.engine.loop import Engine
from ganzoo.engine.scheduled import describe_one_side
from ganzoo.errors import BadInput, Error, Interrupted
from ganzoo.recipe.build import ResolvedRecipe, seen_facts
from ganzoo.recipe.recipe import Recipe
from ganzoo.training import resume
from ganzoo.training.callbacks import CallbackList
from ganzoo.training.clock import Clock
from ganzoo.training.finish import finish
from ganzoo.training.launch import is_under_torchrun
from ganzoo.training.runs.run import Run
from ganzoo.training.watch.monitor import Monitor, describe_patience
from ganzoo.training.watch.samples import FixedSamples
from ganzoo.zoo.saving import save_model

P = ParamSpec("P")
logger = logging.getLogger("ganzoo")


@dataclass(frozen=True)
class Prepared:
    """A training that is ready for its first step, or for the one after a checkpoint.

    `batches` never ends; closing `readers` ends the processes that read for it. `measures` are the numbers for the
    next line of the log, `seconds` the time that the training has taken already, if `train.minutes` limits it.
    """

    resolved: ResolvedRecipe
    data: Data
    engine: Engine
    readers: Generator[dict[str, Tensor], None, None]
    batches: Iterator[dict[str, Tensor]]
    monitor: Monitor
    samples: FixedSamples
    callbacks: CallbackList
    measures: Mapping[str, float]
    seconds: float = 0.0
    seen: Sequence[str] = ()
    """The pretrained networks that the training sees or has seen."""
    init_license: str = ""
    """The licence of the weights that the training began with; empty where it began with none or with one's own."""

    @property
    def recipe(self) -> Recipe:
        """The complete recipe, with the precision that was chosen."""
        return self.resolved.recipe


class Trainer:
    """A training that is ready for its next step, in the folder of a run.

    Callbacks receive it. For them it has `step`, `steps` and `is_last`; `recipe` (complete) and its section `settings`
    (`recipe.train`); `run`, `engine` and `data`; `samples`, which draws from the averaged generator; `measures`,
    numbers for the next line of the log; `seconds`, the time of the training steps so far, without that of callbacks.
    """

    def __init__(self, prepared: Prepared, run: Run) -> None:
        self.run, self.recipe, self.settings = run, prepared.recipe, prepared.recipe.train
        self.engine, self.data = prepared.engine, prepared.data
        self.batches, self.readers = prepared.batches, prepared.readers
        self.resolved, self.monitor, self.samples = prepared.resolved, prepared.monitor, prepared.samples
        self.processes, self.callbacks = prepared.engine.processes, prepared.callbacks
        self.measures: dict[str, float] = dict(prepared.measures)
        self.seen, self.init_license = list(prepared.seen), prepared.init_license
        self.clock = Clock(self.processes, prepared.seconds)
        self.seconds = 0.0
        self.stop_request = GracefulStop(forwarded=is_under_torchrun())

    @property
    def step(self) -> int:
        """The number of training steps done."""
        return self.engine.index

    @property
    def steps(self) -> int:
        """The number of training steps in all; with `train.minutes`, how many there will be at the speed so far."""
        return max(self.step, 1) if math.isinf(self.engine.steps) else round(self.engine.steps)

    @property
    def is_last(self) -> bool:
        """True if the last step is done, or patience or the time has run out."""
        return self.step >= self.engine.steps or self.monitor.exhausted

    def train(self) -> None:
        """Train until the recipe's last step. Raises `Interrupted` if somebody stops it; the steps done are saved."""
        self._introduce()
        self.on_first_rank(self.samples.keep, self.run.path)
        with closing(self.readers), self.callbacks.end_with(self):
            self.callbacks.call("on_train_start", self)
            with self.stop_request:
                self._loop()
            if self.monitor.exhausted:
                self._record_end_of_patience()

    def _loop(self) -> None:
        self.clock.start()
        self._expect_end()
        while not self.is_last:
            with self.count_time():
                self.engine.step(self.batches)
                signal_number = self.processes.all_max(self.stop_request.signal_number)
                self._expect_end()
                self._check_if_due()
            self.callbacks.call("on_step_end", self)
            if signal_number and not self.is_last:
                self._interrupt(signal_number)

    def _expect_end(self) -> None:
        """Tell the engine how many steps there will be, where the time decides: the learning rate falls by it."""
        if minutes := self.settings.minutes:
            self.clock.read()
            self.engine.steps = self.clock.expect_steps(self.step, minutes)

    def _check_if_due(self) -> None:
        """Check the weights if a callback will use them. Waiting for the device counts as training."""
        if any(callback.is_due(self) for callback in self.callbacks.built_in):
            self.engine.check()

    def _interrupt(self, signal_number: int) -> None:
        self.engine.check()
        self.callbacks.call("on_interrupt", self)
        sentence = f"stopped after step {self.step}; continue with: {self.run.resume_command}"
        raise Interrupted(sentence, signal_number, reported_by_me=self.processes.first)

    @contextmanager
    def count_time(self) -> Iterator[None]:
        """Add the time inside to `seconds`."""
        begun = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - begun

    def on_first_rank(self, function: Callable[P, object], *arguments: P.args, **options: P.kwargs) -> None:
        """Call a function on rank 0, the one that writes files and messages; all ranks raise what it raises."""
        with self.processes.raise_on_all_ranks():
            if self.processes.first:
                function(*arguments, **options)

    def record(self, event: str, **about: Any) -> None:
        """Write an event into the run's history, and log the changes since the last one."""
        self.on_first_rank(self.write_history, event, **about)

    def write_history(self, event: str, **about: Any) -> None:
        """Do the work of `record`; only rank 0 may call it."""
        now = resume.list_circumstances(self.engine.hardware, self.processes.count, self.resolved.registrations)
        others = resume.compare_circumstances(self.run.history, now)
        facts = {
            **about,
            "circumstances": now,
            **self.monitor.about,
            **({"uses_pretrained": self.seen} if self.seen else {}),
        }
        changed = self.run.record(event, self.step, self.recipe, **facts)
        if changed:
            logger.info("changed: %s", resume.describe_changes(changed))
        if others:
            reasons = resume.describe_changes(others)
            logger.info("the run will not be bit-identical to an uninterrupted one: %s", reasons)

    def record_failure(self, error: Error) -> None:
        """Write into the history why the training ended; not where what ended it, such as a full disk, prevents it."""
        with suppress(BadInput, OSError):
            if self.processes.first:  # the other ranks may have no error
                self.write_history("failed", reason=str(error))

    def save_model(self, folder: Path) -> None:
        """Write the averaged generator as a model folder."""
        training: dict[str, Any] = {"recipe": self.recipe.name, "steps": self.step, "seed": self.settings.seed}
        if init := self.settings.init:
            # Published models must not contain a path of this machine.
            training["init"] = "another model" if Path(init).is_absolute() else init
        if self.init_license:
            training["init_license"] = self.init_license
        if self.seen:
            training["uses_pretrained"] = self.seen
        seed, device, found = self.settings.seed, self.engine.hardware.device, self.resolved.architecture.generator
        generator = finish(self.engine.ema, seed, device, self.samples.inputs)
        kept = (self.engine.discriminator, self.resolved.architecture.discriminator)
        discriminator = kept if self.settings.keep_discriminator else None
        facts = self.data.facts
        seen = {key: value for key, value in seen_facts(facts, self.engine.losses).items() if value != facts.get(key)}
        save_model(
            folder, generator, found, self.data.description, self.recipe, training, discriminator, seen_facts=seen
        )

    def _record_end_of_patience(self) -> None:
        reason = describe_patience(self.monitor.state)
        self.record("stopped", reason=reason)
        logger.info("stopped after step %s: %s; the best is in %s", self.step, reason, self.run.best_folder)

    def _introduce(self) -> None:
        hardware, count = self.engine.hardware, self.processes.count
        samples = f" ({self.data.count:,} samples)" if self.data.count else ""
        where = str(hardware.device) if count == 1 else f"{count} processes on {hardware.device.type}"
        what = f"{self.recipe.name} on {self.data.name}{samples}, {where} in {hardware.precision}"
        if alone := describe_one_side(self.engine.losses, self.settings.steps):
            what += f", {alone}"
        kind = self.samples.outputs.kind
        shown = "samples" if kind.not_drawn else "pictures"
        pictures = "" if kind.not_drawn and not kind.card_files else f"; {shown} in {self.run.gallery.folder}"
        length = f", for {self.settings.minutes:g} minutes" if self.settings.minutes else ""
        logger.info("training %s%s, to %s%s", what, length, self.run.path, pictures)
        for note in (*self.data.notes, *self.monitor.notes):
            logger.info("%s", note)
