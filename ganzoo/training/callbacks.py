"""The protocol of callbacks, which act between the steps of a training, and the list that calls them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo._faults import call_plugin
from ganzoo.engine.loop import BETWEEN_STEPS, Engine

if TYPE_CHECKING:
    from ganzoo.training.trainer import Trainer

HOOKS = ("on_train_start", "on_step_end", "on_log", "on_save", "on_interrupt", "on_train_end")


class Callback:
    """Something that happens between the steps of a training. Override the methods you need; each does nothing here.

    Every method gets the `trainer`: its `step` (training steps done), `steps` (how many there will be), `is_last`,
    `recipe`, `run`, `engine`, `data`, and `measures`, a dict of numbers for the next line of the log.
    A callback observes and does not interfere: as long as it neither changes the networks nor draws from
    `trainer.engine.rng`, a run has the same weights with it and without it, bit for bit.

    If it raises, the training ends: a `ValueError` is bad input, anything else a failure; the message names the
    callback, and the last checkpoint is kept. If several processes train, only rank 0 calls it.
    """

    def on_train_start(self, trainer: "Trainer") -> None:
        """Called before the first step, also after a resume or a rollback; the run's folder exists by then."""

    def on_step_end(self, trainer: "Trainer") -> None:
        """Called after every training step, before its line of the log is written and its checkpoint saved."""

    def on_log(self, trainer: "Trainer", line: Mapping[str, Any]) -> None:
        """Called with each line of the log: "step", "images", "images_per_second", mean loss terms, measures."""

    def on_save(self, trainer: "Trainer", folder: Path) -> None:
        """Called after a checkpoint has been saved, with its folder."""

    def on_interrupt(self, trainer: "Trainer") -> None:
        """Called if somebody stops the training, after its last step. In reverse order: the checkpoint first."""

    def on_train_end(self, trainer: "Trainer") -> None:
        """Called when the training has ended: done, stopped or failed."""


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

    def end_with(self, trainer: "Trainer") -> AbstractContextManager[object]:
        """Return a context that calls `on_train_end` of every callback at its end, whatever raises inside or there."""
        stack = ExitStack()
        for callback in reversed(self._overriding["on_train_end"]):
            stack.callback(self._call, callback, "on_train_end", trainer)
        return stack

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
                call_plugin(f"callback '{type(callback).__name__}'", method, *arguments)


def overrides(callback: Callback, hook: str) -> bool:
    """Return True if a callback, or its class, overrides the method of a hook."""
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)
