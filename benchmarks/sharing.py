"""Measure how training shares the processor's cores with other programs, by how its threads wait for one another.

    python benchmarks/sharing.py                          # two cores, about five minutes; part of `make bench`
    python benchmarks/sharing.py --cores 0 2 4 6 --busy 0 1 4   # four cores, beside none, one and four others

Each setting trains dcgan in float32 in a process of its own. The processes take turns on the same cores, quiet and
beside k processes that compute on one thread each and never wait. A result is the median of the rounds, followed by the
smallest and the largest value. `fair` is c / (c + k) of the quiet rate of torch's own setting: what a program gets that
shares c cores evenly. The last line is JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

SETTINGS: dict[str, dict[str, str] | None] = {
    "ganzoo": None,
    "torch alone": {},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"},
    "spin 100": {"GOMP_SPINCOUNT": "100"},
    "spin 1000": {"GOMP_SPINCOUNT": "1000"},
    "spin 10000": {"GOMP_SPINCOUNT": "10000"},
    "spin 100000": {"GOMP_SPINCOUNT": "100000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
"""Environment of each setting; None is what `import ganzoo` sets by itself."""
VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
WARM_UP_STEPS = 5
BUSY = "while True: pass"


class Contestant:
    """A process that trains with one setting for as long as it is asked to, and sleeps in between."""

    def __init__(self, name: str, stack: ExitStack) -> None:
        setting = SETTINGS[name]
        environment = {key: value for key, value in os.environ.items() if key not in VARIABLES} | (setting or {})
        first = "ganzoo" if setting is None else "torch"  # ganzoo sets nothing once torch is loaded
        code = f"import {first}, sharing; sharing.answer()"
        self.process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
                cwd=Path(__file__).parent,
            )
        )
        stack.callback(self.process.kill)
        self._line()

    def rate(self, seconds: float) -> float:
        """Return images per second of a training that lasts at least that long."""
        assert self.process.stdin
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return float(self._line())

    def _line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            sys.exit("a process ended before it had measured")
        return line


def answer() -> None:
    """Train for the seconds that each line of standard input asks for; print images per second."""
    import time

    from loops import BATCH
    from speed import Ours

    ours = Ours("dcgan", "cpu", "fp32", defaults=True)
    ours.run(WARM_UP_STEPS)
    print("ready", flush=True)
    for line in sys.stdin:
        begun, steps, seconds = time.perf_counter(), 0, float(line)
        while time.perf_counter() - begun < seconds:
            ours.run(1)
            steps += 1
        print(steps * BATCH / (time.perf_counter() - begun), flush=True)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Let that many other processes compute meanwhile."""
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def measure(names: list[str], counts: list[int], rounds: int, seconds: float) -> dict[int, dict[str, list[float]]]:
    """Return the rates of each setting beside each count of busy processes; the settings alternate."""
    with ExitStack() as stack:
        contestants = {name: Contestant(name, stack) for name in names}
        rates: dict[int, dict[str, list[float]]] = {count: {name: [] for name in names} for count in counts}
        for _ in range(rounds):
            for count in counts:
                with busy(count):
                    for name, contestant in contestants.items():
                        rates[count][name].append(contestant.rate(seconds))
    return rates


def report(rates: dict[int, dict[str, list[float]]], cores: int) -> None:
    """Print the medians with their spread."""
    reference = next(iter(rates.values()))  # the first count, which is 0 unless something else was asked for
    quiet = statistics.median(reference.get("torch alone", next(iter(reference.values()))))
    for count, settings in rates.items():
        print(f"\nbeside {count} busy, {cores} cores; fair: {quiet * cores / (cores + count):,.0f} images/s")
        for name, values in settings.items():
            middle = statistics.median(values)
            share = middle / quiet
            print(f"  {name:<14}{middle:8,.0f} images/s   ({min(values):,.0f} to {max(values):,.0f})   {share:.2f}")


def main() -> None:
    """Measure what the arguments ask for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cores", type=int, nargs="+", default=[0, 1], help="their numbers; not two of one real core")
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--only", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    chosen = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, chosen.cores)
    rates = measure(chosen.only, chosen.busy, chosen.rounds, chosen.seconds)
    report(rates, len(chosen.cores))
    print(json.dumps({"cores": chosen.cores, "sharing": rates}))


if __name__ == "__main__":
    main()
