"""A clock of our own for trainings, that goes on by a second with each step."""

import os
import signal
from types import SimpleNamespace

import ganzoo


class Second(ganzoo.Callback):
    """Moves the clock on by a second after each step; notes the learning rate, and how many steps are expected."""

    def __init__(self, monkeypatch, stop_at: int = 0) -> None:
        self.now, self.stop_at = 100.0, stop_at
        self.rates: list[float] = []
        self.expected: list[int] = []
        monkeypatch.setattr("ganzoo.training.clock.time", SimpleNamespace(monotonic=lambda: self.now))

    def on_step_end(self, trainer: ganzoo.Trainer) -> None:
        self.now += 1
        self.rates.append(trainer.engine.players["generator"].optimizer.param_groups[0]["lr"])
        self.expected.append(trainer.steps)
        if trainer.step == self.stop_at:
            os.kill(os.getpid(), signal.SIGINT)
