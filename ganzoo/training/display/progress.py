"""Show the progress of a training: a bar with the newest line of the log, and messages above it."""

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TaskID
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ganzoo._names import printable
from ganzoo.errors import Deprecated
from ganzoo.training.callbacks import BuiltIn, Callback
from ganzoo.training.display.notebook import Notebook, is_in_kernel
from ganzoo.training.display.pace import (
    Pace,
    estimate_rate,
    fit_terms,
    format_about,
    name_samples,
    seconds_left,
    write_line,
)
from ganzoo.training.runs.log import format_terms
from ganzoo.training.trainer import Trainer

logger = logging.getLogger("ganzoo")
GAP = 2
"""Spaces between the parts of the line."""
MIN_BAR_WIDTH, MAX_BAR_WIDTH = 8, 40
"""Widths of the bar itself; where there is no room for the narrowest one, there is none."""
MEASURED_SECONDS = 3.0
"""Seconds of training after which its length is known well enough to be said."""


class QuietConsole(Console):
    """A console that prints nothing more once its reader has gone, where rich would end the program."""

    def on_broken_pipe(self) -> None:
        """Stop printing; rich calls this when the reader has gone."""
        self.fall_silent()

    def fall_silent(self) -> None:
        """Stop printing. The rest of the stream's buffer goes to the null device, or Python would exit with 120."""
        self.quiet = True
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


class OneLine(ProgressColumn):
    """The whole line of a bar: what is left to do always, and the loss terms as far as the terminal is wide."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def render(self, task: Task) -> Table:
        """Return the line for the terminal's width now."""
        width, done, total = self.console.width, int(task.completed), int(task.total or 0)
        text = write_line(done, total, task.fields["rate"], task.fields["left"], width - 1, task.fields["noun"])
        room = width - 1 - len(text)
        terms = fit_terms(task.fields["terms"], room - 2 * GAP - MIN_BAR_WIDTH)
        bar = min(MAX_BAR_WIDTH, room - GAP - (len(terms) + GAP if terms else 0))
        line = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
        moving = [ProgressBar(total=total, completed=done, width=bar)] if bar >= MIN_BAR_WIDTH else []
        line.add_row(*moving, Text(text), *([Text(terms)] if terms else []))
        return line


class Bar(BuiltIn):
    """A live bar on standard error; if that is not a terminal, one line for each line of the log."""

    between_steps = False

    def __init__(self) -> None:
        self.console = QuietConsole(stderr=True, highlight=False)
        self.bar: Progress | None = None
        self.task = TaskID(0)
        self.pace = Pace()
        self.rate: float | None = None
        """Images per second in the newest line of the log."""

    def say(self, text: str) -> None:
        """Print one line, above the bar."""
        try:
            self.console.print(printable(text), markup=False, soft_wrap=True)
        except OSError:
            self.console.fall_silent()

    def on_train_start(self, trainer: Trainer) -> None:
        """Show the bar, where somebody can see it move."""
        self.pace = Pace()
        if not self.live:
            return
        self.bar = Progress(OneLine(self.console), console=self.console)
        about: dict[str, Any] = {"rate": None, "left": None, "terms": [], "noun": name_samples(trainer)}
        self.task = self.bar.add_task("", total=trainer.steps, completed=trainer.step, **about)
        self.rate = None
        self.bar.start()

    def on_step_end(self, trainer: Trainer) -> None:
        """Move the bar."""
        self.pace.mark(trainer.step)
        if self.bar:
            rate, left = self.rate or estimate_rate(trainer, self.pace), seconds_left(trainer, self.pace)
            self.bar.update(self.task, completed=trainer.step, total=trainer.steps, rate=rate, left=left)

    def on_log(self, trainer: Trainer, line: Mapping[str, Any]) -> None:
        """Show samples per second, loss terms and measures beside the bar, or as a line."""
        self.rate = rate = line["images_per_second"]
        terms = format_terms(line)
        if self.bar:
            self.bar.update(self.task, rate=rate, terms=terms)
        else:
            left = seconds_left(trainer, self.pace)
            said = write_line(line["step"], trainer.steps, rate, left, noun=name_samples(trainer))
            self.say("  ".join([said, *terms]))

    def on_train_end(self, trainer: Trainer) -> None:
        """Stop the bar, which stays on the screen."""
        if self.bar:
            self.bar.stop()

    @property
    def live(self) -> bool:
        """True if the output can show a moving bar."""
        return self.console.is_terminal or self.console.is_jupyter


class Forecast(BuiltIn):
    """Says once how long the training will take, as soon as some seconds of it are measured."""

    between_steps = False

    def __init__(self) -> None:
        self.pace, self.first, self.is_said = Pace(), 0, False

    def on_train_start(self, trainer: Trainer) -> None:
        """Begin to measure; where the time decides, it is known already."""
        self.pace, self.first, self.is_said = Pace(), trainer.step, trainer.settings.minutes is not None

    def on_step_end(self, trainer: Trainer) -> None:
        """Say it, once enough is measured."""
        if self.is_said:
            return
        self.pace.mark(trainer.step)
        if self.pace.seconds >= MEASURED_SECONDS and (left := self.pace.seconds_left(trainer.steps - trainer.step)):
            self.is_said = True
            more = " more" if self.first else ""
            about = format_about(self.pace.seconds + left)
            logger.info("%s%s steps will take %s", f"{trainer.steps - self.first:,}", more, about)


class ProgressObject(BuiltIn):
    """Calls an object with the methods say, start, step, log and stop, which `ganzoo.train(progress=...)` once took."""

    between_steps = False

    def __init__(self, progress: Any) -> None:
        self.progress = progress

    def say(self, text: str) -> None:
        """Pass a message on."""
        self.progress.say(text)

    def on_train_start(self, trainer: Trainer) -> None:
        """Pass on how many steps are done, and how many there will be."""
        self.progress.start(trainer.step, trainer.steps)

    def on_step_end(self, trainer: Trainer) -> None:
        """Pass on how many steps are done."""
        self.progress.step(trainer.step)

    def on_log(self, trainer: Trainer, line: Mapping[str, Any]) -> None:
        """Pass a line of the log on."""
        self.progress.log(line)

    def on_train_end(self, trainer: Trainer) -> None:
        """Call its `stop`."""
        self.progress.stop()


class MessageHandler(logging.Handler):
    """Passes each message of the library to a function."""

    is_terminal = True

    def __init__(self, say: Callable[[str], None], warn: Callable[[str], None] | None = None) -> None:
        super().__init__()
        self.say, self.warn = say, warn or say

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one message on."""
        (self.warn if record.levelno >= logging.WARNING else self.say)(record.getMessage())


@contextmanager
def show_progress(first: bool, quiet: bool, progress: Any = None) -> Iterator[Sequence[Callback]]:
    """Yield the callbacks that show a training, and show the library's messages meanwhile; nothing if `quiet`.

    Only the `first` of several processes shows anything.
    """
    if not first:
        logger.addFilter(reject)
        try:
            yield []
        finally:
            logger.removeFilter(reject)
    elif quiet and progress is None:
        handler = logging.NullHandler()  # without any handler Python would print the warnings
        logger.addHandler(handler)
        try:
            yield []
        finally:
            logger.removeHandler(handler)
    elif progress is None and is_in_kernel():
        notebook = Notebook()
        with show_messages(logger, notebook.say, notebook.warn):
            yield [notebook, Forecast()]
    else:
        display = Bar() if progress is None else ProgressObject(progress)
        with show_messages(logger, display.say):
            yield [display, Forecast()]


def reject(record: logging.LogRecord) -> bool:
    """Return False: a filter that stops every message."""
    return False


@contextmanager
def show_messages(
    logger: logging.Logger, say: Callable[[str], None], warn: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Pass a logger's messages to a function inside, instead of to handlers that print them on a terminal.

    Warnings go to `warn`, if it is given.
    """
    replaced = [handler for handler in logger.handlers if getattr(handler, "is_terminal", False)]
    level, propagate, handler = logger.level, logger.propagate, MessageHandler(say, warn)
    for each in replaced:
        logger.removeHandler(each)
    logger.addHandler(handler)
    if level == logging.NOTSET and logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
        logger.propagate = False  # else a handler of the root would print them once more
    try:
        yield
    finally:
        logger.removeHandler(handler)
        for each in replaced:
            logger.addHandler(each)
        logger.setLevel(level)
        logger.propagate = propagate


def warn_of_progress() -> None:
    """Warn that `progress=` is deprecated. Call it from `ganzoo.train` itself: the warning names that one's caller."""
    advice = "pass callbacks=[...], or quiet=True for no display; progress= will be removed in the next minor version"
    warnings.warn(Deprecated(f"progress= of ganzoo.train is deprecated: {advice}"), stacklevel=3)
