"""Kills trainings with SIGKILL at random moments, resumes them, and compares what they come to with an unbroken run.

    python tests/support/crash.py --kills 200

Prints a line for each kill and, last, one line of JSON; exits with 1 where a weight, a line of the log or the model
differs, or a run cannot be continued. A run is killed again and again until it is through, and then the next one is
begun. Checkpoints are written so often that many kills fall into the middle of a save. Every other run is a job that
restarts itself with one unchanged command, `ganzoo train --resume RUN || ganzoo train ... --out RUN`.
"""

import argparse
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import torch

from ganzoo import Run
from ganzoo.training.runs import checkpoint
from trainings import log

LONGEST = 120
"""Seconds after which a training that says nothing is given up."""


def command_line(recipe: str, steps: int, save_every: int) -> list[str]:
    """What every training of the comparison is started with."""
    settings = {
        "train.steps": steps,
        "train.save_every": save_every,
        "train.sample_every": 10 * save_every,
        "train.log_every": 3,
        "train.batch": 16,
        "train.precision": "fp32",
        "architecture.widths" if recipe == "vanilla" else "architecture.width": "[64]" if recipe == "vanilla" else 8,
    }
    return ["train", recipe, "--device", "cpu", *(f"-o{key}={value}" for key, value in settings.items())]


def start(folder: Path, *commands: list[str]) -> subprocess.Popen:
    """`ganzoo` in a process group of its own, with one thread; each command if the one before it fails."""
    lines = [shlex.join([sys.executable, "-m", "ganzoo", *words]) for words in commands]
    return subprocess.Popen(
        ["sh", "-c", " || ".join(lines)],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen) -> None:
    """Wait for a training that nobody kills. Raises `Stuck` where it fails."""
    _, said = process.communicate(timeout=LONGEST)
    if process.returncode:
        raise Stuck(f"training ended with exit code {process.returncode}: {said}")


def wait_until_it_trains(process: subprocess.Popen) -> float:
    """Until the training says that it begins, or that there is nothing left; the seconds that this took."""
    begun = time.monotonic()
    for line in process.stderr:
        if line.startswith("training ") or "is finished" in line:
            break
    return time.monotonic() - begun


def half_written(run: Path) -> set[tuple[str, int]]:
    """What is being written in a run folder, or was when it was killed: names, and when they were made."""
    found = set()
    for path in [*run.glob(".*"), *(run / "checkpoints").glob(".*")]:
        with suppress(FileNotFoundError):
            if path.suffix in (".part", ".old"):
                found.add((path.name, path.stat().st_ctime_ns))
    return found


def wait_until_it_writes(process: subprocess.Popen, run: Path, before: set[tuple[str, int]]) -> None:
    """Until something is half-written that was not `before`, or the training is over."""
    while process.poll() is None and not half_written(run) - before:
        time.sleep(0.0005)


class Stuck(RuntimeError):
    """A training that nobody killed has failed."""


class Killer:
    """Starts trainings in a folder and kills them at random moments; counts what it did."""

    def __init__(self, folder: Path, train: list[str], kills: int, seed: int) -> None:
        self.folder, self.train, self.kills, self.chance = folder, train, kills, random.Random(seed)
        self.count = {"kills": 0, "in_a_save": 0, "before_a_recipe": 0, "runs": 0, "differences": 0, "stuck": 0}

    def unbroken(self, run: Path) -> None:
        """A training that nobody kills, and how long its parts take."""
        process = start(self.folder, [*self.train, "--out", run.name])
        self.setting_up, begun = wait_until_it_trains(process), time.monotonic()
        finish(process)
        self.training = time.monotonic() - begun

    def broken(self, run: Path) -> None:
        """A training to its end, killed on its way as often as it happens and there are kills left."""
        self.count["runs"] += 1
        while True:
            process = start(self.folder, *self.commands(run))
            if self.count["kills"] >= self.kills:
                finish(process)
                return
            before = half_written(run)
            if not self.killed(process, run, before):
                return
            self.count["kills"] += 1
            self.count["in_a_save"] += bool(half_written(run) - before)
            self.count["before_a_recipe"] += run.exists() and not (run / "recipe.toml").exists()
            saved = [path.name for path in checkpoint.list_checkpoints(run / "checkpoints")]
            print(f"kill {self.count['kills']}: {run.name} had {', '.join(saved) or 'nothing saved'}", flush=True)

    def commands(self, run: Path) -> list[list[str]]:
        """What continues a run or, where there is none yet, begins it: chosen by hand, or as a job does."""
        resume, begin = ["train", "--resume", run.name, "--device", "cpu"], [*self.train, "--out", run.name]
        if self.count["runs"] % 2:
            return [resume, begin]
        return [resume if (run / "recipe.toml").exists() else begin]

    def killed(self, process: subprocess.Popen, run: Path, before: set[tuple[str, int]]) -> bool:
        """Kill a training at a random moment; whether it was still there.

        One time in four while it sets itself up, one in ten as soon as it writes, else while it trains, and there every
        other time in mid-save.
        """
        chance = self.chance.random()
        if chance < 0.25:
            time.sleep(self.chance.uniform(0.5, 1.1) * self.setting_up)
        elif chance < 0.35:
            wait_until_it_writes(process, run, before)
        else:
            wait_until_it_trains(process)
            time.sleep(self.chance.uniform(0, self.training / 2))
            if self.chance.random() < 0.5:
                wait_until_it_writes(process, run, before)
        alive = process.poll() is None
        if alive:
            os.killpg(process.pid, signal.SIGKILL)
        _, said = process.communicate(timeout=LONGEST)
        if not alive and process.returncode:
            raise Stuck(f"training ended with exit code {process.returncode}: {said}")
        return alive


def differences(one: Run, other: Run) -> list[str]:
    """Names of all that two finished runs do not agree in, to the last bit."""
    first, second = (checkpoint.read_newest(run.checkpoints)[0] for run in (one, other))
    names = first.tensors.keys() | second.tensors.keys()
    found = [n for n in sorted(names) if not same(first.tensors.get(n), second.tensors.get(n))]
    found += ["numbers"] * (first.numbers != second.numbers)
    found += ["metrics.jsonl"] * (log(one) != log(other))
    files = ("model/model.safetensors", "model/config.json", "best/model.safetensors", "best/config.json")
    return found + [name for name in files if (one.path / name).read_bytes() != (other.path / name).read_bytes()]


def same(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    """Whether both tensors are there and have the same bits."""
    return one is not None and other is not None and torch.equal(one, other)


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison and print its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--recipe", default="dcgan")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--save-every", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which it kills")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train = command_line(chosen.recipe, chosen.steps, chosen.save_every)
        killer = Killer(folder, train, chosen.kills, chosen.seed)
        killer.unbroken(folder / "unbroken")
        while killer.count["kills"] < chosen.kills:
            run = folder / f"run-{killer.count['runs'] + 1}"
            try:
                killer.broken(run)
            except Stuck as error:
                killer.count["stuck"] += 1
                print(f"{run.name}: {error}", flush=True)
                continue
            wrong = differences(Run(folder / "unbroken"), Run(run))
            killer.count["differences"] += bool(wrong)
            said = f"differs in {', '.join(wrong)}" if wrong else "the same to the last bit"
            print(f"{run.name}: {said}", flush=True)
    print(json.dumps({"recipe": chosen.recipe, **killer.count}))
    return 1 if killer.count["differences"] or killer.count["stuck"] else 0


if __name__ == "__main__":
    sys.exit(main())
