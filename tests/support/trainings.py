"""Small trainings on the CPU: how they are started, interrupted and heard, and what they come to."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

import ganzoo
from command import Command
from ganzoo.training.runs import checkpoint


def tiny(**train: Any) -> dict[str, Any]:
    """A recipe for digits that takes next to no time; `train` adds to its settings of the training."""
    return {
        "architecture": {"name": "vanilla", "generator": {"widths": [16]}, "discriminator": {"widths": [16]}},
        "loss": [{"name": "non-saturating"}],
        "train": {"batch": 8, "precision": "fp32", **train},
    }


class Power(BaseException):
    """What a process feels when the power goes: nothing gets the chance to tidy up."""


class Heard(ganzoo.Callback):
    """Keeps the library's messages, and cuts the power at the end of a step."""

    def __init__(self, cut: int = 0) -> None:
        self.lines: list[str] = []
        self.cut = cut

    def on_step_end(self, trainer: ganzoo.Trainer) -> None:
        if trainer.step == self.cut:
            raise Power


class Keeps(logging.Handler):
    """Appends each message to a list."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.INFO)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def keeping(lines: list[str]) -> Iterator[None]:
    """Keep the messages of the library, and of nobody else, in a list."""
    logger, handler = logging.getLogger("ganzoo"), Keeps(lines)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def trained(*arguments: Any, heard: ganzoo.Callback | None = None, **more: Any) -> ganzoo.Run:
    """`ganzoo.train` on the CPU and without a display, heard by a callback."""
    callbacks = [heard] * bool(heard) + more.pop("callbacks", [])
    with keeping(getattr(heard, "lines", [])):
        return ganzoo.train(*arguments, device="cpu", quiet=True, callbacks=callbacks, **more)


def train_with(recipe: dict[str, Any]) -> Callable[..., ganzoo.Run]:
    """`train(out)` with this recipe unless it is given another."""

    def train(out: Path, recipe: Any = recipe, heard: Any = None, **more: Any) -> ganzoo.Run:
        return trained(recipe, out=out, heard=heard, **more)

    return train


def resume(out: Path, heard: Any = None, **more: Any) -> ganzoo.Run:
    return trained(out=out, resume=True, heard=heard, **more)


def state(run: ganzoo.Run | Path) -> Any:
    """The newest checkpoint of a run."""
    return checkpoint.read_newest(ganzoo.Run(getattr(run, "path", run)).checkpoints)[0]


def assert_same_weights(one: ganzoo.Run | Path, other: ganzoo.Run | Path) -> None:
    """To the last bit, everything that a checkpoint holds."""
    first, second = state(one).tensors, state(other).tensors
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def assert_same(one: Path, other: Path, but: tuple[str, ...] = ("best", "unimproved", "measured")) -> None:
    """Weights and numbers, but for those that are counted while something is measured."""
    assert_same_weights(one, other)
    first, second = ({k: v for k, v in state(run).numbers.items() if k not in but} for run in (one, other))
    assert first == second


def log(run: ganzoo.Run, *but: str) -> list[dict[str, Any]]:
    """The lines of the log, without what depends on the clock and other keys that need not be the same."""
    unlike = ("images_per_second", *but)
    return [{key: value for key, value in line.items() if key not in unlike} for line in run.metrics]


def start(command: Command, *words: object) -> subprocess.Popen[str]:
    """`ganzoo train` in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "ganzoo", "train", *map(str, words)],
        cwd=command.folder,
        env=command.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Until a process has made a file."""
    deadline = time.monotonic() + 120
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert path.exists(), process.communicate()


def newest(run: ganzoo.Run) -> Path:
    """The folder of a run's newest checkpoint."""
    return checkpoint.list_checkpoints(run.checkpoints)[-1]


def index_and_notes(run: ganzoo.Run) -> tuple[int, list[str]]:
    """The step of a run's newest sound checkpoint, and what is said of those that are not."""
    state, notes = checkpoint.read_newest(run.checkpoints)
    return state.numbers["index"], notes


def broken_off(out: Path, steps: list[int], recipe: Any, **more: Any) -> ganzoo.Run:
    """A training that loses power after each of these steps has been saved and the next one was begun."""
    for number, step in enumerate(steps):
        with pytest.raises(Power):
            settings = {"train.save_every": step, "heard": Heard(step + 1)}
            resume(out, **settings) if number else train_with(recipe)(out, **settings, **more)
        assert state(out).numbers["index"] == step
    return resume(out)
