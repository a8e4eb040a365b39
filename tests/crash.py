"""Kills trainings with SIGKILL at random moments, resumes them, and compares what they come to with an unbroken run.

    python tests/crash.py --kills 50

Prints a line for each kill and, last, one line of JSON; exits with 1 where a weight, a line of the log or the model
differs. A run is killed again and again until it is through, and then the next one is begun. Checkpoints are written
so often that many kills fall into the middle of a save.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from ganzoo import Run, checkpoint

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


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    """`ganzoo` in a process group of its own, with one thread."""
    return subprocess.Popen(
        [sys.executable, "-m", "ganzoo", *arguments],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen) -> None:
    """Wait for a training that nobody kills. Raises `RuntimeError` where it fails."""
    _, said = process.communicate(timeout=LONGEST)
    if process.returncode:
        raise RuntimeError(f"training ended with exit code {process.returncode}: {said}")


def wait_until_it_trains(process: subprocess.Popen) -> None:
    """Until the training says that it begins, or that there is nothing left."""
    for line in process.stderr:
        if line.startswith("training ") or "is finished" in line:
            return


def kill_at_random(process: subprocess.Popen, run: Path, within: float, chance: random.Random) -> bool:
    """Kill a training some time after it has begun, every other time in the middle of a save; whether it was there."""
    wait_until_it_trains(process)
    time.sleep(chance.uniform(0, within / 2))
    in_a_save = chance.random() < 0.5
    while in_a_save and process.poll() is None and not half_saved(run):
        time.sleep(0.001)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    _, said = process.communicate(timeout=LONGEST)
    if not alive and process.returncode:
        raise RuntimeError(f"training ended with exit code {process.returncode}: {said}")
    return alive


def half_saved(run: Path) -> bool:
    """Whether a kill left something half written."""
    places = (run, run / "checkpoints")
    return any(path.name.endswith((".part", ".old")) for place in places for path in place.glob(".*"))


def differences(one: Run, other: Run) -> list[str]:
    """Names of all that two finished runs do not agree in, to the last bit."""
    first, second = (checkpoint.read(run.checkpoints)[0] for run in (one, other))
    names = first.tensors.keys() | second.tensors.keys()
    found = [n for n in sorted(names) if not same(first.tensors.get(n), second.tensors.get(n))]
    found += ["numbers"] * (first.numbers != second.numbers)
    found += ["metrics.jsonl"] * (log(one) != log(other))
    files = ("model/model.safetensors", "model/config.json", "best/model.safetensors", "best/config.json")
    return found + [name for name in files if (one.path / name).read_bytes() != (other.path / name).read_bytes()]


def same(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    """Whether both tensors are there and have the same bits."""
    return one is not None and other is not None and torch.equal(one, other)


def log(run: Run) -> list[dict]:
    """The lines of the log, without what depends on the clock."""
    return [{key: value for key, value in line.items() if key != "images_per_second"} for line in run.metrics]


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison and print its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--recipe", default="dcgan")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--save-every", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which it kills")
    chosen = parser.parse_args(arguments)
    train, chance = command_line(chosen.recipe, chosen.steps, chosen.save_every), random.Random(chosen.seed)
    count = {"kills": 0, "in_a_save": 0, "runs": 0, "differences": 0}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unbroken = start(folder, *train, "--out", "unbroken")
        wait_until_it_trains(unbroken)
        begun = time.monotonic()
        finish(unbroken)
        span = time.monotonic() - begun
        while count["kills"] < chosen.kills:
            count["runs"] += 1
            run = folder / f"run-{count['runs']}"
            broken_run(folder, run, train, chosen.kills, span, chance, count)
            wrong = differences(Run(folder / "unbroken"), Run(run))
            count["differences"] += bool(wrong)
            print(
                f"{run.name}: {'differs in ' + ', '.join(wrong) if wrong else 'the same to the last bit'}", flush=True
            )
    print(json.dumps({"recipe": chosen.recipe, **count}))
    return 1 if count["differences"] else 0


def broken_run(
    folder: Path, run: Path, train: list[str], kills: int, span: float, chance: random.Random, count: dict[str, int]
) -> None:
    """One training to its end, killed on its way as often as it happens and there are kills left."""
    while True:
        resumed = (run / "recipe.toml").exists()
        words = ["train", "--resume", run.name, "--device", "cpu"] if resumed else [*train, "--out", run.name]
        process = start(folder, *words)
        if count["kills"] >= kills:
            finish(process)
            return
        if not kill_at_random(process, run, span, chance):
            return
        count["kills"] += 1
        count["in_a_save"] += half_saved(run)
        saved = [path.name for path in checkpoint.checkpoints(run / "checkpoints")]
        print(f"kill {count['kills']}: {run.name} had {', '.join(saved) or 'nothing saved'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
