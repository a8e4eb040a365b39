"""Processor cores: how many this process may use, and threads that leave them to others while they wait."""

import math
import os
import sys
from collections.abc import Iterator, MutableMapping

from ganzoo._groups import own_groups, read_or_empty

SPINS = "1000"
"""How often a waiting thread of GNU's OpenMP looks again before it sleeps: some ten microseconds.

Its own default, 300,000 times, keeps a core from others for milliseconds at each wait; see `benchmarks/sharing.py`.
"""
BLOCK_MILLISECONDS = "0"
"""How long a thread of LLVM's or Intel's OpenMP (macOS, Windows, conda) spins; their own default is 200."""
WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")
COUNTING = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def usable_cores() -> int:
    """Return how many cores this process may use, at least 1: its affinity, cut by the quota of its control groups."""
    return min([_allowed_cores(), *(max(1, math.ceil(quota)) for quota in _quotas())])


def prepare_threads(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set how torch's threads wait and how many there are, unless the user has set it or torch is loaded already.

    OpenMP reads these variables once, when torch loads it. How threads wait changes no result; their number may change
    the last bits of one, so it is set only where a quota, as containers have, leaves fewer cores than OpenMP counts.
    """
    if "torch" in sys.modules:
        return
    if not any(name in environment for name in WAITING):
        environment.update(GOMP_SPINCOUNT=SPINS, KMP_BLOCKTIME=BLOCK_MILLISECONDS)
    if not any(name in environment for name in COUNTING) and (cores := usable_cores()) < _allowed_cores():
        environment["OMP_NUM_THREADS"] = str(cores)


def _allowed_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quotas() -> Iterator[float]:
    """Yield each limit, in cores, that the control groups of this process and the groups around them set (Linux)."""
    for version, group in own_groups("cpu"):
        names = ("cpu.max",) if version == 2 else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        yield from _quota(" ".join(read_or_empty(group / name) for name in names))


def _quota(text: str) -> list[float]:
    """Return the limit that "microseconds period" states, if it states one: "max" and -1 stand for none."""
    words = text.split()
    return [int(words[0]) / int(words[1])] if len(words) == 2 and words[0].isdigit() else []
