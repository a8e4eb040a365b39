"""One training at work: the engine plays in a run folder, and callbacks do all that happens between the steps."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from ganzoo._signals import GracefulStop
from ganzoo.errors import Interrupted
from ganzoo.training import resume
from ganzoo.training.launch import under_torchrun
from ganzoo.training.monitor import describe_patience
from ganzoo.training.run import Run
from ganzoo.zoo.model import save_model

if TYPE_CHECKING:
    from ganzoo.training.prepare import Prepared

P = ParamSpec("P")
logger = logging.getLogger("ganzoo")


class Trainer:
    """A training that is ready for its next step, in the folder of a run.

    Callbacks are given it. For them: `step`, `steps` and `is_last`; `recipe` (complete), its section `settings`
    (`recipe.train`), `run`, `engine`, `data`; `samples` draws from the averaged generator; `measures` are numbers for
    the next line of the log; `seconds` is the time spent in training so far, without what happens between the steps.
    """

    def __init__(self, prepared: "Prepared", run: Run) -> None:
        self.run, self.recipe, self.settings = run, prepared.recipe, prepared.recipe.train
        self.engine, self.data = prepared.engine, prepared.data
        self.batches, self.readers = prepared.batches, prepared.readers
        self.resolved, self.monitor, self.samples = prepared.resolved, prepared.monitor, prepared.samples
        self.processes, self.callbacks = prepared.engine.processes, prepared.callbacks
        self.measures: dict[str, float] = dict(prepared.measures)
        self.steps = self.settings.steps or 0  # a complete recipe says how many
        self.seconds = 0.0
        self.stop_request = GracefulStop(forwarded=under_torchrun())

    @property
    def step(self) -> int:
        """The number of training steps that are done."""
        return self.engine.index

    @property
    def is_last(self) -> bool:
        """True where the last step is done, or no measurement has improved for too long."""
        return self.step >= self.steps or self.monitor.exhausted

    def train(self) -> None:
        """Train until the recipe's last step. Raises `Interrupted` where somebody stops it; what is done is saved."""
        self._introduce()
        with closing(self.readers), self.callbacks.ending(self):
            self.callbacks.call("on_train_start", self)
            with self.stop_request:
                self._loop()
            if self.monitor.exhausted:
                self._record_end_of_patience()

    def _loop(self) -> None:
        while not self.is_last:
            with self.training_time():
                self.engine.step(self.batches)
                signal_number = self.processes.all_max(self.stop_request.signal_number)
                self._check_if_due()
            self.callbacks.call("on_step_end", self)
            if signal_number and not self.is_last:
                self._interrupt(signal_number)

    def _check_if_due(self) -> None:
        """Check the weights before somebody looks at them. It waits for the device, which is time of training."""
        if any(callback.is_due(self) for callback in self.callbacks.built_in):
            self.engine.check()

    def _interrupt(self, signal_number: int) -> None:
        self.engine.check()
        self.callbacks.call("on_interrupt", self)
        sentence = f"stopped after step {self.step}; continue with: {self.run.resume_command}"
        raise Interrupted(sentence, signal_number, reported_by_me=self.processes.first)

    @contextmanager
    def training_time(self) -> Iterator[None]:
        """Count the time inside as training."""
        begun = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - begun

    def on_first_rank(self, function: Callable[P, object], *arguments: P.args, **options: P.kwargs) -> None:
        """Call a function in the first process alone, which writes and speaks; all raise what it raises."""
        with self.processes.raise_on_all_ranks():
            if self.processes.first:
                function(*arguments, **options)

    def record(self, event: str, **about: Any) -> None:
        """Write an event into the run's history, and log what differs from before."""
        self.on_first_rank(self.write_history, event, **about)

    def write_history(self, event: str, **about: Any) -> None:
        """Do what `record` does, in the first process."""
        now = resume.circumstances(self.engine.hardware, self.processes.count, self.resolved.registrations)
        others = resume.other_circumstances(self.run.history, now)
        facts = {**about, "circumstances": now, **self.monitor.about}
        changed = self.run.record(event, self.step, self.recipe, **facts)
        if changed:
            logger.info("changed: %s", resume.describe_changes(changed))
        if others:
            reasons = resume.describe_changes(others)
            logger.info("not bit for bit as it would have gone on, since %s", reasons)

    def save_model(self, folder: Path) -> None:
        """Write the averaged generator as a model folder."""
        training: dict[str, Any] = {"recipe": self.recipe.name, "steps": self.step, "seed": self.settings.seed}
        if init := self.settings.init:
            # A path is nobody's business where this is published.
            training["init"] = "another model" if Path(init).is_absolute() else init
        generator, found = self.engine.ema, self.resolved.architecture.generator
        save_model(folder, generator, found, self.data.description, self.recipe, training=training)

    def _record_end_of_patience(self) -> None:
        reason = describe_patience(self.monitor.state)
        self.record("stopped", reason=reason)
        logger.info("stopped after step %s: %s; the best is in %s", self.step, reason, self.run.best_folder)

    def _introduce(self) -> None:
        hardware, count = self.engine.hardware, self.processes.count
        samples = f" ({self.data.count:,} samples)" if self.data.count else ""
        where = str(hardware.device) if count == 1 else f"{count} processes on {hardware.device.type}"
        what = f"{self.recipe.name} on {self.data.name}{samples}, {where} in {hardware.precision}"
        logger.info("training %s, to %s", what, self.run.path)
        for note in (*self.data.notes, *self.monitor.notes):
            logger.info("%s", note)
