"""Measure how fast ganzoo trains, samples, loads and lists, beside loops written by hand: `make bench`.

    python benchmarks/speed.py                    # everything, about seven minutes on two CPU cores
    python benchmarks/speed.py --only mlp dcgan --device cuda

The loops take turns in one process, with one warm-up round and five that count. A result is the median of the rounds,
followed by the smallest and the largest value; a ratio is the median of the ratios within the rounds. All loops train
the same networks with 64 images on each turn and fresh latents. `ours` is the engine without the moving average (EMA),
which the loops written by hand do not have; `ours, defaults` has it, the check for non-finite numbers, and the log.
The last line is JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from loops import BATCH, NETWORKS, Tuned, Tutorial, seconds
from torch import Tensor, nn
from torch.nn.functional import softplus

import ganzoo
from ganzoo.contract import Images, Step
from ganzoo.data.sources import open_data
from ganzoo.engine.average import FIRST_STEPS
from ganzoo.engine.hardware import has_bf16_units
from ganzoo.recipe.build import resolve_class
from ganzoo.zoo.saving import save_model

ROUNDS = 5
WORKS = {"mlp": ("mlp", "auto"), "dcgan": ("dcgan", "auto"), "dcgan_fp32": ("dcgan", "fp32")}
STEPS = {"mlp": 150, "dcgan": 25}
OTHERS = ("sample", "load", "list")
SAMPLES_DRAWN = 10_000


class Wrapped(ganzoo.Generator):
    """Adapts the generator of the hand-written loops to ganzoo."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, given: dict[str, Tensor]) -> Images:
        images: Tensor = self.network(given["z"])
        return images


class Judge(nn.Module):
    """Adapts their discriminator."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        scores: Tensor = self.network(images)
        return scores


class NonSaturating(ganzoo.Loss):
    """Their loss."""

    def discriminator(self, step: Step) -> dict[str, Tensor]:
        return {"real": softplus(-step.real_scores).mean(), "fake": softplus(step.fake_scores).mean()}

    def generator(self, step: Step) -> dict[str, Tensor]:
        return {"fool": softplus(-step.fake_scores).mean()}


class Ours:
    """ganzoo's engine on ganzoo's data."""

    def __init__(self, kind: str, device: str, precision: str, defaults: bool) -> None:
        networks, size = NETWORKS[kind]
        generator, critic = networks()
        settings = {"precision": precision, "steps": 10**9} | ({} if defaults else {"ema": 0.0})
        self.engine = ganzoo.Engine(
            Wrapped(generator),
            Judge(critic),
            [NonSaturating()],
            train=settings,
            optimizer={"lr": 2e-4, "betas": (0.5, 0.999)},
            device=device,
        )
        self.batches = open_data("mnist-10k", size=size).to(self.engine.hardware.device).batches(BATCH, 0)
        self.log_every = STEPS[kind] if defaults else 10**9  # once a round, more often than by default
        if defaults:
            self.run(FIRST_STEPS)  # after these the average is updated as rarely as by default

    def run(self, steps: int) -> None:
        """Run that many training steps."""
        for _ in range(steps):
            self.engine.step(self.batches)
            if self.engine.index % self.log_every == 0:
                self.engine.metrics()


def rounds(contestants: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Let all contestants take turns; return the results of each in the rounds that count."""
    measured: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(ROUNDS + 1):
        for name, measure in contestants.items():
            value = measure()
            if number:
                measured[name].append(value)
    return measured


def training(work: str, device: str) -> dict[str, list[float]]:
    """Measure images per second of each loop."""
    kind, precision = WORKS[work]
    steps = STEPS[kind] * (20 if device == "cuda" else 1)
    ours = Ours(kind, device, precision, defaults=False)
    ours.run(3)
    chosen = ours.engine.hardware.precision
    loops: dict[str, Ours | Tuned | Tutorial] = {
        "ours": ours,
        "ours, defaults": Ours(kind, device, chosen, defaults=True),
        "tuned": Tuned(kind, device, chosen == "bf16"),
        "hand_written": Tutorial(kind, device),
    }
    print(f"\n{work}: {device} in {chosen}, {steps} steps of {BATCH} images a round")
    return rounds({name: measure_speed(loop.run, steps, steps * BATCH, device) for name, loop in loops.items()})


def measure_speed(run: Callable[[int], object], steps: int, images: int, device: str) -> Callable[[], float]:
    """Return a function that measures images per second of `run(steps)`, which makes that many images."""
    return lambda: images / seconds(run, steps, device)


def sampling(device: str) -> dict[str, list[float]]:
    """Measure images per second of `Model.sample` and of the bare network at its best batch size."""
    generator = ganzoo.create("dcgan", image=(1, 32, 32))[0]
    model = ganzoo.Model(generator, {"data": {"kind": "image", "classes": []}}, device)
    bare = generator.to(memory_format=torch.channels_last)
    sizes = {
        size: seconds(partial(by_hand, bare, size=size, device=device), 2048, device)
        for size in (64, 128, 256, 512, 1024)
    }
    best = min(sizes, key=sizes.__getitem__)
    print(f"\nsample: {SAMPLES_DRAWN} images of dcgan, the bare network in batches of {best}")
    draws: dict[str, Callable[[int], Any]] = {
        "ours": model.sample,
        "bare": partial(by_hand, bare, size=best, device=device),
    }
    return rounds({name: measure_speed(draw, SAMPLES_DRAWN, SAMPLES_DRAWN, device) for name, draw in draws.items()})


@torch.no_grad()
def by_hand(network: nn.Module, n: int, size: int, device: str) -> torch.Tensor:
    """Draw `n` images in [0, 1] from a bare network."""
    made = []
    for first in range(0, n, size):
        z = torch.randn(min(size, n - first), 100, device=device)
        made.append(network({"z": z}).add(1).div(2).clamp(0, 1).cpu())
    return torch.cat(made)


def listing() -> float:
    """Measure the seconds of `ganzoo list` in a process of its own: the median of nine after a warm-up."""
    command = [sys.executable, "-m", "ganzoo", "list"]
    taken = []
    for _ in range(10):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:])


def loading() -> float:
    """Measure the seconds of a first `ganzoo.load` after the imports: the median of nine processes after a warm-up."""
    code = "import sys, time, ganzoo, ganzoo.zoo.model; t = time.perf_counter(); ganzoo.load(sys.argv[1]); "
    code += "print(time.perf_counter() - t)"
    with tempfile.TemporaryDirectory() as folder:
        part = resolve_class("architecture", "dcgan", "generator", ganzoo.Generator)
        data = {"name": "none", "kind": "image", "shape": [1, 32, 32], "range": [-1, 1], "classes": []}
        save_model(Path(folder, "model"), part.make(image=(1, 32, 32)), part, data)
        command = [sys.executable, "-c", code, f"{folder}/model"]
        taken = [float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(10)]
    return statistics.median(taken[1:])


def table(measured: dict[str, list[float]]) -> dict[str, float]:
    """Print median and spread of each contestant; return the medians."""
    for name, values in measured.items():
        print(f"  {name:<16}{statistics.median(values):10,.0f} images/s   ({min(values):,.0f} to {max(values):,.0f})")
    return {name: round(statistics.median(values), 1) for name, values in measured.items()}


def ratio(measured: dict[str, list[float]], one: str, other: str) -> float:
    """Return the median of the ratios within the rounds: a slow phase of the machine affects both."""
    pairs = zip(measured[one], measured[other], strict=True)
    return round(statistics.median(first / second for first, second in pairs), 3)


def main() -> None:
    """Measure what the arguments ask for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[*WORKS, *OTHERS], default=[*WORKS, *OTHERS])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=["cpu", "cuda"])
    chosen = parser.parse_args()
    torch.manual_seed(0)
    units = "bf16 units" if has_bf16_units(torch.device(chosen.device)) else "no bf16 units"
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads of {os.cpu_count()} cores, {units}")
    results: dict[str, Any] = {"overhead": {}}
    for work in [work for work in WORKS if work in chosen.only]:
        measured = training(work, chosen.device)
        results[work] = table(measured) | {"ratio": ratio(measured, "ours", "hand_written")}
        results["overhead"][work] = round(1 - ratio(measured, "ours, defaults", "tuned"), 3)
        behind = results["overhead"][work]
        print(f"  ours / hand-written {results[work]['ratio']}; behind tuned, with defaults, {behind:.1%}")
    if "sample" in chosen.only:
        measured = sampling(chosen.device)
        results["sample"] = table(measured) | {"ratio": ratio(measured, "ours", "bare")}
    if "load" in chosen.only:
        results["load_seconds"] = round(loading(), 3)
    if "list" in chosen.only:
        results["list_seconds"] = round(listing(), 3)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
