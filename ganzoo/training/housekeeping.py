"""The callbacks of every training: collapse warning, measurement, log, pictures, curves and checkpoints."""

import logging
from pathlib import Path

import torch

from ganzoo.data.base import Data
from ganzoo.engine.loop import Engine
from ganzoo.engine.varying import list_varying
from ganzoo.errors import BadInput, Failed
from ganzoo.training.callbacks import BuiltIn
from ganzoo.training.resume import describe_data
from ganzoo.training.runs import checkpoint, snapshot
from ganzoo.training.runs.steps import checkpoint_name
from ganzoo.training.trainer import Trainer
from ganzoo.training.watch.collapse import STEPS_BETWEEN_CHECKS, CollapseDetector
from ganzoo.training.watch.monitor import DECIMALS
from ganzoo.training.watch.plane import Plane

logger = logging.getLogger("ganzoo")


class CollapseWarning(BuiltIn):
    """Warns once of mode collapse and of a saturated discriminator; logs the samples' diversity."""

    def __init__(self, engine: Engine, data: Data) -> None:
        self.detector = CollapseDetector(engine, data)

    def is_due(self, trainer: Trainer) -> bool:
        """Return True every 100 steps."""
        return trainer.step % STEPS_BETWEEN_CHECKS == 0

    def on_step_end(self, trainer: Trainer) -> None:
        """Check both networks, if due."""
        if not self.is_due(trainer):
            return
        signs = self.detector.check()
        trainer.on_first_rank(self._warn, trainer, signs)
        if self.detector.diversity is not None:
            trainer.measures["diversity"] = round(self.detector.diversity, DECIMALS)

    def _warn(self, trainer: Trainer, signs: dict[str, str]) -> None:
        for sign, sentence in signs.items():
            if all(line.get("sign") != sign for line in trainer.run.history):
                trainer.write_history("warned", sign=sign, reason=sentence)
                logger.warning("warning at step %s: %s", trainer.step, sentence)


class Measurement(BuiltIn):
    """Measures samples for the next line of the log, and keeps the best generator so far."""

    def is_due(self, trainer: Trainer) -> bool:
        """Return True if the monitor measures after this step."""
        return trainer.monitor.is_due(trainer.step)

    def on_step_end(self, trainer: Trainer) -> None:
        """Measure, if due."""
        if not self.is_due(trainer):
            return
        monitor, processes = trainer.monitor, trainer.processes
        with processes.raise_on_all_ranks(), torch.no_grad(), trainer.engine.hardware.preserve_random_state():
            if processes.first:
                samples = trainer.samples.draw(monitor.gauge.count, monitor.inputs)
                trainer.measures |= monitor.measure(trainer.step, samples)
        found = trainer.measures, monitor.best, monitor.unimproved
        trainer.measures, monitor.best, monitor.unimproved = processes.broadcast_object(found)
        if monitor.is_best_step(trainer.step):
            trainer.on_first_rank(trainer.save_model, trainer.run.best_folder)


class MetricsLog(BuiltIn):
    """Writes the lines of `metrics.jsonl`: one every `train.log_every` steps, and one at the end."""

    def __init__(self) -> None:
        self.images, self.seconds, self.skipped = 0, 0.0, 0

    def on_train_start(self, trainer: Trainer) -> None:
        """Delete the lines after the step at which the training starts."""
        self.images, self.seconds = trainer.engine.images, trainer.seconds
        # The line of an earlier last step is deleted if it was not due: the next regular line includes its terms.
        last = trainer.step - bool(trainer.engine.terms_log.rows_by_names)
        if trainer.processes.first:
            trainer.run.cut_log(last)

    def on_step_end(self, trainer: Trainer) -> None:
        """Write a line, if due."""
        due = trainer.step % trainer.settings.log_every == 0
        if due or trainer.is_last:
            self._log(trainer, keep=not due)

    def _log(self, trainer: Trainer, keep: bool) -> None:
        """Write a line. With `keep` the next one includes its terms and measures, in case the run is resumed."""
        for skipped in trainer.processes.gather(trainer.data.skipped):
            trainer.data.skip(skipped)
        with trainer.count_time():
            terms = trainer.engine.metrics(keep)
        measures = trainer.measures
        trainer.measures = measures if keep else {}
        varying = {f"schedule/{key}": value for key, value in list_varying(trainer.engine).items()}
        counts = {"step": trainer.step, "images": trainer.engine.images, **self._speed(trainer)}
        line = {**counts, **terms, **varying, **measures}
        trainer.on_first_rank(trainer.run.log, line)
        trainer.callbacks.call("on_log", trainer, line)
        if len(trainer.data.skipped) > self.skipped:
            self.skipped = len(trainer.data.skipped)
            logger.info("%s", trainer.data.notes[-1])

    def _speed(self, trainer: Trainer) -> dict[str, float]:
        """Return the images per second of training since the last line; with `train.minutes`, those that are over."""
        images, seconds = trainer.engine.images - self.images, trainer.seconds - self.seconds
        self.images, self.seconds = trainer.engine.images, trainer.seconds
        used = {"minutes": round(trainer.clock.seconds / 60, 2)} if trainer.settings.minutes else {}
        return {"images_per_second": round(images / seconds, 1), **used}


class Pictures(BuiltIn):
    """Draws samples every `train.sample_every` steps, and for points the animation of the game at the end."""

    def __init__(self, data: Data, seed: int) -> None:
        self.plane = Plane.from_data(data, seed)

    def on_train_start(self, trainer: Trainer) -> None:
        """Say so if the samples of these data cannot be drawn."""
        kind = trainer.samples.outputs.kind
        if reason := kind.not_drawn:
            files = f"; samples are written as {kind.suffix} files" if kind.suffix and kind.card_files else ""
            logger.warning("no pictures are drawn: %s%s", reason, files)

    def is_due(self, trainer: Trainer) -> bool:
        """Return True every `train.sample_every` steps and at the end."""
        return trainer.is_last or trainer.step % trainer.settings.sample_every == 0

    def on_step_end(self, trainer: Trainer) -> None:
        """Draw, if due."""
        if self.is_due(trainer):
            self._draw(trainer)
        if trainer.is_last:
            trainer.on_first_rank(self._animate, trainer)

    def on_interrupt(self, trainer: Trainer) -> None:
        """Draw the samples of the last step."""
        self._draw(trainer)
        trainer.on_first_rank(self._animate, trainer)

    def _draw(self, trainer: Trainer) -> None:
        processes = trainer.processes
        with processes.raise_on_all_ranks():
            path = self._write(trainer) if processes.first else None
        if path := processes.broadcast_object(path):
            trainer.callbacks.call("on_picture", trainer, path)

    def _write(self, trainer: Trainer) -> Path | None:
        """Draw samples into the run's gallery and return the path; None if they cannot be shown."""
        samples, step, seed, gallery = trainer.samples, trainer.step, trainer.settings.seed, trainer.run.gallery
        shown, columns = samples.draw_picture()
        if self.plane:
            points = samples.outputs.select(shown)
            return gallery.write_scene(step, self.plane.make_scene(trainer.engine, points), seed)
        try:
            return gallery.write_samples(step, samples.outputs, shown, seed, columns, samples.row_names)
        except (BadInput, Failed) as error:  # a plugin's kind; its fault would come again whenever the run is resumed
            if isinstance(error.__cause__, OSError):
                raise
            logger.warning("no picture of step %d: %s", step, error)
            return None

    def _animate(self, trainer: Trainer) -> None:
        if self.plane:
            trainer.run.gallery.write_game(trainer.step)


class Curves(BuiltIn):
    """Draws the curves of the whole run when the training ends."""

    def on_step_end(self, trainer: Trainer) -> None:
        """Draw them after the last step."""
        if trainer.is_last:
            self.on_interrupt(trainer)

    def on_interrupt(self, trainer: Trainer) -> None:
        """Draw them up to the last step."""
        trainer.on_first_rank(trainer.run.write_curves)


class Checkpoints(BuiltIn):
    """Saves the generator and a checkpoint: every `train.save_every` steps, at the best step and at the end.

    It is called last: whatever an interruption keeps the other callbacks from doing is then done again on resume.
    """

    def __init__(self) -> None:
        self.saved_step = 0

    def is_due(self, trainer: Trainer) -> bool:
        """Return True every `train.save_every` steps and at the end."""
        return trainer.is_last or trainer.step % trainer.settings.save_every == 0

    def on_train_start(self, trainer: Trainer) -> None:
        """Note the step at which the training starts: its checkpoint exists, unless it is the first step."""
        self.saved_step = trainer.step

    def on_step_end(self, trainer: Trainer) -> None:
        """Save, if due."""
        if self.is_due(trainer) or trainer.monitor.is_best_step(trainer.step):
            self._save(trainer)

    def on_interrupt(self, trainer: Trainer) -> None:
        """Save the last step."""
        if self.saved_step != trainer.step:
            self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        trainer.on_first_rank(checkpoint.announce, trainer.run.checkpoints, trainer.step)
        trainer.on_first_rank(trainer.save_model, trainer.run.model_folder)
        about = {**trainer.monitor.state, "measured": trainer.measures, **describe_data(trainer.data)}
        if trainer.settings.minutes:
            about["seconds"] = trainer.clock.seconds
        if trainer.seen:
            about["pretrained"] = trainer.seen
        if trainer.init_license:
            about["init_license"] = trainer.init_license
        state = snapshot.capture(trainer.engine, **about)
        trainer.on_first_rank(checkpoint.save, trainer.run.checkpoints, state)
        self.saved_step = trainer.step
        folder = trainer.run.checkpoints / checkpoint_name(trainer.step)
        trainer.callbacks.call("on_save", trainer, folder)
