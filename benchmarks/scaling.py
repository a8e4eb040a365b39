"""Measure how much faster several processes train than one, and how long they wait for one another.

    python benchmarks/scaling.py                  # about eight minutes on two CPU cores, one thread for each process
    python benchmarks/scaling.py --only dcgan --processes 1 2 4 8     # on a machine with as many GPUs, one for each

Each process takes 64 images on each turn, so two have twice the batch. The numbers of processes take turns, with one
warm-up round and three that count; results are medians with the smallest and the largest value, and the factor is the
median of the factors within the rounds. The time of the gradients' exchange includes waiting for the slowest process.
The last table is computed, not measured: see `predict_efficiency`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from math import ceil, log2
from typing import Any

import torch
from loops import BATCH, NETWORKS
from speed import STEPS, Judge, NonSaturating, Wrapped
from torch import Tensor, nn

import ganzoo
from ganzoo.data.sources import open_data
from ganzoo.engine.processes import Processes
from ganzoo.training.launch import connect_processes

ROUNDS = 3
ROUND_FACTOR = 4
"""A round has this many times the steps of a round of `speed.py`."""
LAUNCH = (sys.executable, "-m", "torch.distributed.run")


class Timed(Processes):
    """Measures the seconds that averaging takes."""

    spent = 0.0

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Average as always, and add the time to `spent`."""
        begun = time.perf_counter()
        super().average(tensors)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.spent += time.perf_counter() - begun


def work(kind: str, precision: str) -> None:
    """Train in one of the processes; the first prints images per second and the share of the exchange."""
    with connect_processes() as processes:
        networks, size = NETWORKS[kind]
        generator, critic = networks()
        train, optimizer = {"precision": precision, "steps": 10**9}, {"lr": 2e-4, "betas": (0.5, 0.999)}
        players = Wrapped(generator), Judge(critic)
        engine = ganzoo.Engine(*players, [NonSaturating()], train=train, optimizer=optimizer)
        data = open_data("mnist-10k", size=size).to(engine.hardware.device)
        batches = data.batches(BATCH * processes.count, 0, shard=processes.shard)
        steps = STEPS[kind] * ROUND_FACTOR
        run(engine, batches, max(5, steps // 10))
        engine.processes = timed = Timed()
        begun = time.perf_counter()
        run(engine, batches, steps)
        seconds = time.perf_counter() - begun
        if processes.first:
            results = {"images": steps * BATCH * processes.count / seconds, "exchange": timed.spent / seconds}
            print(json.dumps(results | {"device": str(engine.hardware.device), "parameters": sizes(generator, critic)}))


def run(engine: ganzoo.Engine, batches: Iterator[dict[str, Tensor]], steps: int) -> None:
    """Train, agree on stopping after each step as a training does, and wait for the device."""
    for _ in range(steps):
        engine.step(batches)
        engine.processes.all_max(0)
    engine.metrics()


def sizes(*networks: nn.Module) -> list[int]:
    """Return the numbers of parameters."""
    return [sum(parameter.numel() for parameter in network.parameters()) for network in networks]


def measure_round(kind: str, count: int, precision: str) -> dict[str, Any]:
    """Run one round with that many processes."""
    here = [__file__, "--work", kind, "--precision", precision]
    launch = [sys.executable] if count == 1 else [*LAUNCH, f"--nproc-per-node={count}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([*launch, *here], env=environment, capture_output=True, text=True, check=True)
    results: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return results


def predict_efficiency(step: float, numbers: Sequence[int], count: int, machine: int = 8) -> float:
    """Return the share of perfect scaling that `count` GPUs should reach, `machine` of them in each machine.

    A step of `step` seconds becomes longer by a ring all-reduce of the b bytes of each side, 2 (n - 1) / n * b / w
    + 2 (n - 1) * l, within a machine and then between machines (Thakur et al. 2005, section 4.5), and by the agreement
    on stopping, 2 ceil(log2 n) messages of the CPU. w is 200 GB/s within a machine (NVLink) and 40 GB/s between (a
    400 Gb/s card for each GPU), l is 3 and 10 microseconds, a message takes 50. No overlap with the backward pass is
    assumed.
    """

    def ring(n: int, size: float, bandwidth: float, latency: float) -> float:
        return 2 * (n - 1) / n * size / bandwidth + 2 * (n - 1) * latency

    within, between = min(count, machine), ceil(count / machine)
    added = 2 * ceil(log2(count)) * 50e-6
    for parameters in numbers:
        added += ring(within, 4 * parameters, 200e9, 3e-6) + ring(between, 4 * parameters / within, 40e9, 10e-6)
    return step / (step + added)


def print_prediction(kind: str, numbers: Sequence[int]) -> None:
    """Print the predicted speed-up for one architecture."""
    sent = f"{sum(numbers) / 1e6:.1f} million numbers a step"
    for step in (0.003, 0.01, 0.1):
        shares = ", ".join(f"{count} GPUs {count * predict_efficiency(step, numbers, count):.1f}x" for count in (8, 64))
        print(f"  on paper, {kind}: {sent}, steps of {1000 * step:.0f} ms alone: {shares}")


def compare(kind: str, counts: Sequence[int], precision: str) -> dict[str, dict[str, float]]:
    """Run and print all rounds of one architecture."""
    rounds = [{count: measure_round(kind, count, precision) for count in counts} for _ in range(ROUNDS + 1)][1:]
    found = {}
    for count in counts:
        speeds = [each[count]["images"] for each in rounds]
        factor = statistics.median(each[count]["images"] / each[counts[0]]["images"] for each in rounds)
        exchange = statistics.median(each[count]["exchange"] for each in rounds)
        spread = f"({min(speeds):,.0f} to {max(speeds):,.0f})"
        print(f"  {count} x {kind:<8}{statistics.median(speeds):10,.0f} images/s   {spread:<20}", end="")
        print(f"{factor:6.2f}x   exchange {exchange:.1%}")
        found[str(count)] = {"images": round(statistics.median(speeds), 1), "factor": round(factor, 3)}
        found[str(count)]["exchange"] = round(exchange, 3)
    print_prediction(kind, rounds[0][counts[0]]["parameters"])
    return found


def main() -> None:
    """Measure what the arguments ask for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--work", choices=list(NETWORKS), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        work(chosen.work, chosen.precision)
        return
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, {BATCH} images for each process, {chosen.precision}")
    results = {kind: compare(kind, chosen.processes, chosen.precision) for kind in chosen.only}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
