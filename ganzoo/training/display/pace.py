"""How fast a training goes, how long it will still take, and both as words and as one line."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta

from ganzoo.training.trainer import Trainer

WINDOW_SECONDS = 60.0
"""The speed is that of the last seconds, this many: pictures and checkpoints between the steps count."""
MARK_SECONDS = 0.5
"""Seconds between two steps whose time is kept."""
UNITS = ((1.5 * 86400, 86400, "days"), (5400, 3600, "hours"), (90, 60, "minutes"), (0, 1, "seconds"))
"""From how many seconds on a time is said in a unit, the seconds in that unit, and its name."""


class Pace:
    """Measures the speed of a training from the end of its first step on, which is slower than the others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.marks: deque[tuple[float, int]] = deque()
        self.last = (0.0, 0)

    def mark(self, step: int) -> None:
        """Note that a step is done."""
        self.last = now, _ = self.clock(), step
        if not self.marks or now - self.marks[-1][0] >= MARK_SECONDS:
            self.marks.append(self.last)
        while len(self.marks) > 2 and now - self.marks[1][0] > WINDOW_SECONDS:
            self.marks.popleft()

    @property
    def seconds(self) -> float:
        """The seconds that have been measured, at most the window."""
        return self.last[0] - self.marks[0][0] if self.marks else 0.0

    @property
    def steps_per_second(self) -> float | None:
        """The training steps in a second; None before the second step."""
        steps = self.last[1] - self.marks[0][1] if self.marks else 0
        return steps / self.seconds if steps and self.seconds > 0 else None

    def seconds_left(self, steps: int) -> float | None:
        """Return the seconds that so many steps will take; None before the second step."""
        return steps / self.steps_per_second if self.steps_per_second else None


def seconds_left(trainer: Trainer, pace: Pace) -> float | None:
    """Return the seconds until the end of a training; None as long as they are not known."""
    if minutes := trainer.settings.minutes:
        return max(0.0, 60 * minutes - trainer.clock.seconds)
    return pace.seconds_left(trainer.steps - trainer.step)


def estimate_rate(trainer: Trainer, pace: Pace) -> float | None:
    """Return the images per second before the log has them; None as long as they are not known."""
    images = trainer.settings.batch * trainer.engine.batches_per_step
    return images * pace.steps_per_second if pace.steps_per_second else None


def format_clock(seconds: float | None) -> str:
    """Return a time as hours, minutes and seconds, "1:02:03"; dashes for one that is not known yet."""
    if seconds is None:
        return "-:--:--"
    whole = timedelta(seconds=round(seconds))
    hours, rest = divmod(whole.days * 86400 + whole.seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def format_about(seconds: float) -> str:
    """Return a time in words: "about 4 minutes"."""
    length, name = next((length, name) for start, length, name in UNITS if seconds >= start)
    return "about a second" if seconds < 1.5 else f"about {round(seconds / length):,} {name}"


def name_samples(trainer: Trainer) -> str:
    """Return what the samples of a training are called, in the plural."""
    return trainer.samples.outputs.kind.plural


def write_line(
    step: int, steps: int, rate: float | None, left: float | None, width: int | None = None, noun: str = "images"
) -> str:
    """Return step/total, samples per second by their name and the time left, in the fullest form that fits a width."""
    images = "-" if rate is None else f"{rate:,.0f}"
    short = images.replace(",", "") + (" img/s" if noun == "images" else "/s")
    forms = [
        f"step {step:,}/{steps:,}  {images} {noun}/s  {format_clock(left)} left",
        f"{step:,}/{steps:,}  {images} {noun}/s  {format_clock(left)} left",
        f"{step}/{steps} {short} {format_clock(left)} left",
        f"{step}/{steps} {short} {format_clock(left)}",
    ]
    return next((form for form in forms if width is None or len(form) <= width), forms[-1])


def fit_terms(terms: Sequence[str], room: int) -> str:
    """Return as many whole terms as fit into `room`, from the first on."""
    text = ""
    for term in terms:
        longer = f"{text}  {term}" if text else term
        if len(longer) > room:
            break
        text = longer
    return text
