"""What a training tells the person who waits for it."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ganzoo.errors import BadInput

COUNTED = ("step", "images", "images_per_second")
"""What a line of the log has beside terms and measures."""


class Silence:
    """Says nothing."""

    def say(self, text: str) -> None:
        """One line for the person."""

    def start(self, done: int, steps: int) -> None:
        """Training begins, with `done` of `steps` behind it."""

    def step(self, done: int) -> None:
        """One more training step is done."""

    def log(self, line: Mapping[str, Any]) -> None:
        """The newest line of the log."""

    def stop(self) -> None:
        """Training has ended, one way or another."""


class Quiet(Console):
    """A console that falls silent when nobody reads it any more, instead of ending the program."""

    def on_broken_pipe(self) -> None:
        """What rich calls then."""
        self.fall_silent()

    def fall_silent(self) -> None:
        """Say nothing more. What is left in the stream's buffer must go somewhere, or Python exits with 120."""
        self.quiet = True
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


class Bar(Silence):
    """A live bar on standard error; a line for each line of the log where that is no terminal."""

    def __init__(self) -> None:
        self.console = Quiet(stderr=True, highlight=False)
        self.bar: Progress | None = None
        self.task = TaskID(0)

    def say(self, text: str) -> None:
        """One line above the bar."""
        try:
            self.console.print(text, markup=False, soft_wrap=True)
        except OSError:
            self.console.fall_silent()

    def start(self, done: int, steps: int) -> None:
        """Show the bar."""
        columns = [TextColumn("step"), MofNCompleteColumn(), BarColumn(None), TextColumn("{task.description}")]
        self.bar = Progress(*columns, TimeRemainingColumn(), console=self.console, disable=not self.live)
        self.task = self.bar.add_task("", total=steps, completed=done)
        self.bar.start()

    def step(self, done: int) -> None:
        """Move the bar."""
        self.bar.update(self.task, completed=done)

    def log(self, line: Mapping[str, Any]) -> None:
        """Images per second, losses and what was measured beside the bar, or as a line."""
        terms = [f"{shorter(key)} {value:.3f}" for key, value in line.items() if key not in COUNTED]
        text = f"{line['images_per_second']:.0f} images/s  {'  '.join(terms)}"
        if self.live:
            self.bar.update(self.task, description=text)
        else:
            self.say(f"step {line['step']}  {text}")

    def stop(self) -> None:
        """Leave the bar as it is."""
        if self.bar:
            self.bar.stop()

    @property
    def live(self) -> bool:
        """Whether somebody sees a bar move."""
        return self.console.is_terminal or self.console.is_jupyter


class TensorBoard(Silence):
    """The log as TensorBoard events in a folder. Raises `BadInput` where TensorBoard is not installed."""

    def __init__(self, folder: Path, done: int) -> None:
        # What an earlier process wrote after the step at which this one begins is made again.
        self.writer = self.needed()(str(folder), purge_step=done + 1)

    @staticmethod
    def needed() -> type:
        """The class that writes events."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise BadInput("train.tensorboard needs TensorBoard: pip install 'ganzoo[tensorboard]'") from error
        return SummaryWriter

    def log(self, line: Mapping[str, Any]) -> None:
        """Every number of the line under its name."""
        for key, value in line.items():
            self.writer.add_scalar(key, value, line["step"])
        self.writer.flush()

    def stop(self) -> None:
        """Close the file."""
        self.writer.close()


def shorter(key: str) -> str:
    """A term's name without the loss it belongs to: `D real` for `discriminator/non-saturating/real`; others as are."""
    side, slash, term = key.partition("/")
    return f"{side[0].upper()} {term.rpartition('/')[2]}" if slash else key
