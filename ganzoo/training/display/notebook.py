"""Show a training below the cell of a notebook: a bar, the newest numbers and the newest samples.

These are plain updates of what IPython displays; no widget has to be installed. IPython is imported here alone, and
only in a kernel, which has imported it already.
"""

import base64
import sys
import time
from collections.abc import Mapping
from html import escape
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from ganzoo._io import read_bytes
from ganzoo._names import printable
from ganzoo.training.callbacks import BuiltIn
from ganzoo.training.display.pace import Pace, estimate_rate, format_clock, name_samples, seconds_left, write_line
from ganzoo.training.runs.log import format_terms
from ganzoo.training.trainer import Trainer

SECONDS_BETWEEN_UPDATES = 0.3
"""Seconds between two moves of the bar: a browser draws each of them."""
DISPLAY_NUMBERS = count(1)
"""Numbers of what has been displayed in this kernel."""


def is_in_kernel() -> bool:
    """Return True in the kernel of a notebook; in IPython's terminal there is none."""
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return getattr(get_shell(), "kernel", None) is not None


class Displayed:
    """One output of a cell; what it shows later takes the place of what it showed before."""

    def __init__(self) -> None:
        self.name, self.is_new = f"ganzoo-{next(DISPLAY_NUMBERS)}", True

    def show(self, **content: str) -> None:
        """Show content, given as `html`, `png` (in base64) and `plain`, of which a front end takes what it can show."""
        display = import_module("IPython.display").display
        kinds = {"html": "text/html", "png": "image/png", "plain": "text/plain"}
        bundle = {kinds[kind]: value for kind, value in content.items()}
        display(bundle, raw=True, display_id=self.name, update=not self.is_new)
        self.is_new = False


class Notebook(BuiltIn):
    """Shows a training below the cell that runs it.

    At the end the newest samples stay, and one line that names the folder of the run; warnings stay, too.
    """

    between_steps = False

    def __init__(self) -> None:
        self.status, self.picture = Displayed(), Displayed()
        self.notes: list[str] = []
        self.terms = ""
        self.rate: float | None = None
        """Images per second in the newest line of the log."""
        self.pace = Pace()
        self.begun_at = self.shown_at = 0.0

    def say(self, text: str) -> None:
        """Show a message below the bar as long as the training runs."""
        self.notes.append(printable(text))
        self._show(*self.notes)

    def warn(self, text: str) -> None:
        """Print a warning, which stays."""
        print(printable(text))

    def on_train_start(self, trainer: Trainer) -> None:
        """Show the bar."""
        self.begun_at, self.pace, self.rate = time.monotonic(), Pace(), None
        self._show_bar(trainer)

    def on_step_end(self, trainer: Trainer) -> None:
        """Move the bar, if some time has passed."""
        self.pace.mark(trainer.step)
        if time.monotonic() - self.shown_at > SECONDS_BETWEEN_UPDATES:
            self._show_bar(trainer)

    def on_log(self, trainer: Trainer, line: Mapping[str, Any]) -> None:
        """Show images per second, loss terms and measures."""
        self.rate, self.terms = line["images_per_second"], "  ".join(format_terms(line))
        self._show_bar(trainer)

    def on_picture(self, trainer: Trainer, path: Path) -> None:
        """Show the newest samples in place of those before."""
        self.picture.show(png=base64.b64encode(read_bytes(path)).decode(), plain=f"samples of step {trainer.step}")

    def on_train_end(self, trainer: Trainer) -> None:
        """Put one line in the place of the bar."""
        done = f"{trainer.step:,} steps" if trainer.is_last else f"stopped after step {trainer.step:,}"
        time_taken = format_clock(time.monotonic() - self.begun_at)
        self._show(printable(f"{trainer.recipe.name}: {done} in {time_taken}, in {trainer.run.path}"))

    def _show_bar(self, trainer: Trainer) -> None:
        """Show the bar with the time that is left, the newest numbers and the messages."""
        self.shown_at = time.monotonic()
        rate, left = self.rate or estimate_rate(trainer, self.pace), seconds_left(trainer, self.pace)
        bar = f'<progress value="{trainer.step}" max="{trainer.steps}" style="width: 40%"></progress>'
        line = write_line(trainer.step, trainer.steps, rate, left, noun=name_samples(trainer))
        self._show(line, self.terms, *self.notes, before=bar)

    def _show(self, *lines: str, before: str = "") -> None:
        """Show lines of text, with some HTML before the first."""
        shown = [line for line in lines if line]
        html = "<br>".join(escape(line) for line in shown)
        self.status.show(html=f"<div>{before} {html}</div>", plain="\n".join(shown))
