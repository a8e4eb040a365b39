"""The protocol of callbacks, which act between the steps of a training, and the list that calls them."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ganzoo._faults import call_plugin
from ganzoo.engine.loop import BETWEEN_STEPS, Engine
from ganzoo.errors import BadInput, Error, Failed

if TYPE_CHECKING:
    from ganzoo.training.trainer import Trainer

logger = logging.getLogger("ganzoo")
HOOKS = ("on_train_start", "on_step_end", "on_log", "on_picture", "on_save", "on_interrupt", "on_train_end")


class Callback:
    """Something that happens between the steps of a training. Override the methods you need; each does nothing here.

    Every method gets the `trainer`: its `step` (training steps done), `steps` (how many there will be), `is_last`,
    `recipe`, `run`, `engine`, `data`, and `measures`, a dict of numbers for the next line of the log.
    A callback observes and does not interfere: as long as it neither changes the networks nor draws from
    `trainer.engine.rng`, a run has the same weights with it and without it, bit for bit.

    If it raises, the training ends: a `ValueError` is bad input, anything else a failure; the message names the
    callback, and the last checkpoint is kept. If several processes train, all need the same callbacks, but only rank 0
    calls them; there a callback may not wait for the other processes, as `engine.check` and `trainer.record` do.
    """

    def on_train_start(self, trainer: "Trainer") -> None:
        """Called before the first step, also after a resume or a rollback; the run's folder exists by then."""

    def on_step_end(self, trainer: "Trainer") -> None:
        """Called after every training step, before its line of the log is written and its checkpoint saved."""

    def on_log(self, trainer: "Trainer", line: Mapping[str, Any]) -> None:
        """Called with each line of the log: "step", "images", "images_per_second", mean loss terms, measures."""

    def on_picture(self, trainer: "Trainer", path: Path) -> None:
        """Called after samples have been drawn, with the path of their PNG."""

    def on_save(self, trainer: "Trainer", folder: Path) -> None:
        """Called after a checkpoint has been saved, with its folder."""

    def on_interrupt(self, trainer: "Trainer") -> None:
        """Called if somebody stops the training, after its last step. In reverse order: the checkpoint first."""

    def on_train_end(self, trainer: "Trainer") -> None:
        """Called when the training has ended: done, stopped or failed, also before it goes back to a checkpoint."""


class BuiltIn(Callback):
    """A callback of ganzoo's own. It is called on all ranks that have it, and its errors are not a plugin's."""

    between_steps = True
    """If true, its time counts as "between the steps" in a profile."""

    def is_due(self, trainer: "Trainer") -> bool:
        """Return True if the callback will use the weights after this step; they are then checked first."""
        return False


class CallbackList:
    """Calls the callbacks of a training, in the order of the list."""

    def __init__(self, callbacks: Iterable[Callback], engine: Engine) -> None:
        self.callbacks, self.engine = list(callbacks), engine
        self.built_in = [each for each in self.callbacks if isinstance(each, BuiltIn)]
        # Most callbacks override one or two methods, and there are many steps.
        self._overriding = {hook: [each for each in self.callbacks if overrides(each, hook)] for hook in HOOKS}

    def call(self, hook: str, trainer: "Trainer", *arguments: Any) -> None:
        """Call one method of all callbacks; on an interrupt in reverse order. Raises what they raise."""
        callbacks: Sequence[Callback] = self._overriding[hook]
        for callback in reversed(callbacks) if hook == "on_interrupt" else callbacks:
            self._call(callback, hook, trainer, *arguments)

    @contextmanager
    def end_with(self, trainer: "Trainer") -> Iterator[None]:
        """Call `on_train_end` of every callback at the end of the context, whatever raises inside or there.

        An error inside counts: what a callback raises after it is only logged.
        """
        try:
            yield
        except BaseException:
            for callback in self._overriding["on_train_end"]:
                self._end_after_error(callback, trainer)
            raise
        with ExitStack() as stack:
            for callback in reversed(self._overriding["on_train_end"]):
                stack.callback(self._call, callback, "on_train_end", trainer)

    def _end_after_error(self, callback: Callback, trainer: "Trainer") -> None:
        if isinstance(callback, BuiltIn):
            callback.on_train_end(trainer)
        elif self.engine.processes.first:  # the other processes may be gone, and are not asked
            try:
                run_foreign(callback, callback.on_train_end, trainer)
            except Error as error:
                logger.warning("%s", error)

    def _call(self, callback: Callback, hook: str, trainer: "Trainer", *arguments: Any) -> None:
        method = getattr(callback, hook)
        if isinstance(callback, BuiltIn) and not callback.between_steps:
            method(trainer, *arguments)
            return
        with self.engine.profile_part(BETWEEN_STEPS):
            if isinstance(callback, BuiltIn):
                method(trainer, *arguments)
            else:
                self._call_foreign(callback, method, trainer, *arguments)

    def _call_foreign(self, callback: Callback, method: Callable[..., None], *arguments: Any) -> None:
        processes = self.engine.processes
        # Random numbers that a callback draws must not change those that the networks draw.
        with processes.raise_on_all_ranks(), self.engine.hardware.preserve_random_state():
            if processes.first:
                run_foreign(callback, method, *arguments)


def run_foreign(callback: Callback, method: Callable[..., None], trainer: "Trainer", *arguments: Any) -> None:
    """Call a method of somebody's callback. Raises `BadInput` or `Failed` that names it, whatever it raises."""
    name = f"callback '{type(callback).__name__}'"
    try:
        with torch.set_grad_enabled(torch.is_grad_enabled()):  # which it may not change for the training
            call_plugin(name, method, trainer, *arguments)
        call_plugin(name, check_measures, trainer.measures)
    except Error as error:
        if str(error).startswith(name):
            raise
        kind = BadInput if isinstance(error, BadInput) else Failed
        raise kind(f"{name}: {error}") from error


def check_measures(measures: Mapping[str, Any]) -> None:
    """Raise `ValueError` for a measure that a line of the log cannot hold."""
    for key, value in measures.items():
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"trainer.measures holds finite numbers, but '{key}' is {value!r:.60}")


def describe_callbacks(callbacks: Iterable[Callback]) -> list[str]:
    """Return each callback's class and the methods that it overrides: they must be the same in all processes."""
    overridden = [(each, [hook for hook in HOOKS if overrides(each, hook)]) for each in callbacks]
    return [f"{type(each).__name__} ({', '.join(hooks)})" for each, hooks in overridden]


def overrides(callback: Callback, hook: str) -> bool:
    """Return True if a callback, or its class, overrides the method of a hook."""
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)
