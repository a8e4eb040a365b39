"""Profile training steps: a trace for a viewer, and a summary to read."""

from functools import partial
from pathlib import Path

from torch.profiler import profile, schedule

from ganzoo._io import write_bytes, write_errors
from ganzoo.engine.loop import BETWEEN_STEPS, PROFILE_PREFIX
from ganzoo.training.callbacks import BuiltIn
from ganzoo.training.trainer import Trainer

SKIPPED, WARM_UP, TRACED = 10, 5, 30
"""Training steps that are skipped, then run with the profiler to warm it up, then traced."""
PARTS = (
    "data",
    "discriminator forward",
    "discriminator backward",
    "discriminator exchange",
    "discriminator optimizer",
    "generator forward",
    "generator backward",
    "generator exchange",
    "generator optimizer",
    "average",
    "log",
)
"""Parts that the engine marks in each step."""
MAX_OPERATIONS = 15
"""Operations that the summary lists."""


class Profiler(BuiltIn):
    """Traces some training steps to `profile/trace.json`, for chrome://tracing, and `profile/summary.txt` in the run.

    A training of fewer than 45 more steps is too short for it and writes nothing.
    """

    between_steps = False

    def __init__(self) -> None:
        self.profile: profile | None = None

    def on_train_start(self, trainer: Trainer) -> None:
        """Start the profiler."""
        steps = schedule(wait=SKIPPED, warmup=WARM_UP, active=TRACED, repeat=1)
        self.profile = profile(schedule=steps, on_trace_ready=partial(write_trace, trainer.run.path / "profile"))
        self.profile.start()

    def on_step_end(self, trainer: Trainer) -> None:
        """Mark the end of a step."""
        if self.profile:
            self.profile.step()

    def on_train_end(self, trainer: Trainer) -> None:
        """Stop the profiler."""
        if self.profile:
            self.profile.stop()


def write_trace(folder: Path, traced: profile) -> None:
    """Write the trace and its summary, unless the training was too short."""
    if traced.step_num < SKIPPED + WARM_UP + TRACED:
        return
    with write_errors(folder):
        folder.mkdir(exist_ok=True)
        traced.export_chrome_trace(str(folder / "trace.json"))
    write_bytes(folder / "summary.txt", summarize(traced).encode())


def summarize(traced: profile) -> str:
    """Return the summary: the parts of a training step with their share of its time, and the longest operations."""
    # On a GPU the marks are listed twice: once more for the device, without CPU time.
    averages = {event.key: event for event in traced.key_averages() if event.device_type.name == "CPU"}
    whole = sum(event.cpu_time_total for key, event in averages.items() if key.startswith("ProfilerStep"))
    between = averages.get(PROFILE_PREFIX + BETWEEN_STEPS)
    whole -= between.cpu_time_total if between else 0
    step = f"{whole / TRACED / 1000:.2f} ms"
    lines = [f"A training step took {step} of the CPU's time on average ({TRACED} steps, while being traced).", ""]
    lines += [f"{'part':<26}{'ms per step':>12}{'share':>9}"]
    rest = whole
    for part in PARTS:
        event = averages.get(PROFILE_PREFIX + part)
        if not event:  # a single process exchanges nothing
            continue
        spent = event.cpu_time_total
        rest -= spent
        lines.append(format_row(part, spent, whole))
    lines += [format_row("everything else", rest, whole), "", "The operations that took most, by their own time:", ""]
    by_time = [event for event in averages.values() if not event.key.startswith((PROFILE_PREFIX, "ProfilerStep"))]
    by_time.sort(key=lambda event: event.self_cpu_time_total + event.self_device_time_total, reverse=True)
    lines += [
        format_row(event.key[:25], event.self_cpu_time_total + event.self_device_time_total, whole)
        for event in by_time[:MAX_OPERATIONS]
    ]
    return "\n".join(lines) + "\n"


def format_row(name: str, microseconds: float, whole: float) -> str:
    """Return a line of the table; `microseconds` and `whole` are sums over all traced steps."""
    return f"{name:<26}{microseconds / TRACED / 1000:>12.3f}{microseconds / whole:>9.1%}"
