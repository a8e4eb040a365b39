"""How much faster two processes train than one, and how much of their time they wait for one another.

    python benchmarks/scaling.py                  # about eight minutes on two CPU cores, one thread for each process
    python benchmarks/scaling.py --only dcgan --processes 1 2 4 8     # on a machine with as many GPUs, one for each

Each process has 64 images on each turn, so that two have the double batch. Numbers of processes take turns, one round
that does not count and three that do; figures are medians, with the smallest and the largest, and the factor is the
median of the rounds' own. What the gradients' exchange takes includes waiting for the slowest process. The last table
is on paper: see `predicted`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from math import ceil, log2

import torch
from loops import BATCH, NETWORKS
from speed import STEPS, Judge, NonSaturating, Wrapped
from torch import Tensor, nn

import ganzoo
from ganzoo.data.sources import open_data
from ganzoo.engine.processes import Processes
from ganzoo.training.launch import connect_processes

ROUNDS = 3
SLOWER = 4
"""A round is so many of the rounds of `speed.py`."""
LAUNCH = (sys.executable, "-m", "torch.distributed.run")


class Timed(Processes):
    """Counts the seconds that averaging takes."""

    spent = 0.0

    def average(self, tensors: Sequence[Tensor]) -> None:
        """As always, by the clock."""
        begun = time.perf_counter()
        super().average(tensors)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.spent += time.perf_counter() - begun


def work(kind: str, precision: str) -> None:
    """What each process does: train, and as the first print images per second and the share of the exchange."""
    with connect_processes() as processes:
        networks, size = NETWORKS[kind]
        generator, critic = networks()
        train, optimizer = {"precision": precision, "steps": 10**9}, {"lr": 2e-4, "betas": (0.5, 0.999)}
        players = Wrapped(generator), Judge(critic)
        engine = ganzoo.Engine(*players, [NonSaturating()], train=train, optimizer=optimizer)
        data = open_data("mnist-10k", size=size).to(engine.hardware.device)
        batches = data.batches(BATCH * processes.count, 0, own=processes.shard)
        steps = STEPS[kind] * SLOWER
        run(engine, batches, max(5, steps // 10))
        engine.processes = timed = Timed()
        begun = time.perf_counter()
        run(engine, batches, steps)
        seconds = time.perf_counter() - begun
        if processes.first:
            told = {"images": steps * BATCH * processes.count / seconds, "exchange": timed.spent / seconds}
            print(json.dumps(told | {"device": str(engine.hardware.device), "parameters": sizes(generator, critic)}))


def run(engine: ganzoo.Engine, batches: object, steps: int) -> None:
    """Train, vote on stopping after each step as a training does, and wait for the device."""
    for _ in range(steps):
        engine.step(batches)
        engine.processes.all_max(0)
    engine.metrics()


def sizes(*networks: nn.Module) -> list[int]:
    """The numbers of parameters."""
    return [sum(parameter.numel() for parameter in network.parameters()) for network in networks]


def measured(kind: str, count: int, precision: str) -> dict:
    """One round of so many processes."""
    here = [__file__, "--work", kind, "--precision", precision]
    launch = [sys.executable] if count == 1 else [*LAUNCH, f"--nproc-per-node={count}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([*launch, *here], env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def predicted(step: float, numbers: Sequence[int], count: int, machine: int = 8) -> float:
    """The share of perfect scaling that `count` GPUs should reach, `machine` of them in each machine.

    Added to a step of `step` seconds: for each side a ring all-reduce of its b bytes, 2 (n - 1) / n * b / w
    + 2 (n - 1) * l, within a machine and then between machines (Thakur et al. 2005, section 4.5), and the vote on
    stopping, 2 ceil(log2 n) messages of the CPU. w is 200 GB/s within a machine (NVLink) and 40 GB/s between (a
    400 Gb/s card for each GPU), l 3 and 10 microseconds, a message 50. Nothing is hidden behind the backward pass.
    """

    def ring(n: int, size: float, bandwidth: float, latency: float) -> float:
        return 2 * (n - 1) / n * size / bandwidth + 2 * (n - 1) * latency

    within, between = min(count, machine), ceil(count / machine)
    added = 2 * ceil(log2(count)) * 50e-6
    for parameters in numbers:
        added += ring(within, 4 * parameters, 200e9, 3e-6) + ring(between, 4 * parameters / within, 40e9, 10e-6)
    return step / (step + added)


def on_paper(kind: str, numbers: Sequence[int]) -> None:
    """Print what is predicted for one network."""
    sent = f"{sum(numbers) / 1e6:.1f} million numbers a step"
    for step in (0.003, 0.01, 0.1):
        shares = ", ".join(f"{count} GPUs {count * predicted(step, numbers, count):.1f}x" for count in (8, 64))
        print(f"  on paper, {kind}: {sent}, steps of {1000 * step:.0f} ms alone: {shares}")


def compared(kind: str, counts: Sequence[int], precision: str) -> dict:
    """All rounds of one network, printed."""
    rounds = [{count: measured(kind, count, precision) for count in counts} for _ in range(ROUNDS + 1)][1:]
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
    on_paper(kind, rounds[0][counts[0]]["parameters"])
    return found


def main() -> None:
    """Measure what is asked for and print it."""
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
    told = {kind: compared(kind, chosen.processes, chosen.precision) for kind in chosen.only}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
