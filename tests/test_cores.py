"""How many cores the process may use, and what importing ganzoo sets for torch's threads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganzoo import _cores, _groups

SHOW = "import json, os, {first}; print(json.dumps(dict(os.environ)))"
SET = ("GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_WAIT_POLICY", "OMP_NUM_THREADS")


def variables(first: str = "ganzoo", **given: str) -> dict[str, str]:
    """Return what a new process has of the variables after its imports."""
    inherited = {name: value for name, value in os.environ.items() if name not in (*SET, "KMP_LIBRARY")}
    code = SHOW.format(first=first)
    shown = subprocess.run([sys.executable, "-c", code], env=inherited | given, capture_output=True, text=True)
    return {name: value for name, value in json.loads(shown.stdout).items() if name in SET}


def test_importing_ganzoo_lets_waiting_threads_sleep_soon() -> None:
    assert variables() == {"GOMP_SPINCOUNT": _cores.SPINS, "KMP_BLOCKTIME": _cores.BLOCK_MILLISECONDS}


@pytest.mark.parametrize(
    "given", [{"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "7"}, {"KMP_BLOCKTIME": "9"}, {"KMP_LIBRARY": "serial"}]
)
def test_what_the_user_has_set_stays_alone(given: dict[str, str]) -> None:
    assert variables(**given) == {name: value for name, value in given.items() if name in SET}


def test_nothing_is_set_once_torch_has_read_the_variables() -> None:
    assert variables("torch, ganzoo") == {}


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty tree of control groups that takes the place of the machine's."""
    monkeypatch.setattr(_groups, "GROUPS", tmp_path)
    monkeypatch.setattr(_groups, "OWN_GROUPS", tmp_path / "own")
    return tmp_path


def write(root: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


NEVER = 10**6  # more cores than any machine has: the affinity decides
V1 = "4:memory:/a\n3:cpu,cpuacct:/docker/1\n"


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, NEVER),
        ({"own": "0::/\n", "cpu.max": "max 100000\n"}, NEVER),
        ({"own": "0::/\n", "cpu.max": "100000 100000\n"}, 1),
        ({"own": "0::/\n", "cpu.max": "50000 100000\n"}, 1),
        ({"own": "0::/\n", "cpu.max": "120000 100000\n"}, 2),
        ({"own": "0::/user/job\n", "user/cpu.max": "100000 100000\n", "user/job/cpu.max": "max 100000\n"}, 1),
        ({"own": V1, "cpu/docker/1/cpu.cfs_quota_us": "-1\n", "cpu/docker/1/cpu.cfs_period_us": "100000\n"}, NEVER),
        ({"own": V1, "cpu/docker/1/cpu.cfs_quota_us": "70000\n", "cpu/docker/1/cpu.cfs_period_us": "100000\n"}, 1),
        # Inside a container the path is the host's, and its own group is mounted at the root.
        ({"own": V1, "cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"own": "no such form\n"}, NEVER),
    ],
)
def test_a_quota_limits_the_cores(groups: Path, files: dict[str, str], limit: int) -> None:
    write(groups, files)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert _cores.usable_cores() == min(allowed, limit)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_the_affinity_limits_the_cores() -> None:
    code = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); from ganzoo import _cores, _groups; "
    shown = subprocess.run(
        [sys.executable, "-c", code + "print(_cores.usable_cores())"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "1"


def test_a_quota_below_the_affinity_sets_the_number_of_threads(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(groups, {"own": "0::/\n", "cpu.max": "200000 100000\n"})
    monkeypatch.setattr(_cores, "_allowed_cores", lambda: 64)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    environment: dict[str, str] = {}
    _cores.prepare_threads(environment)
    assert environment["OMP_NUM_THREADS"] == "2"
    environment = {"MKL_NUM_THREADS": "5"}
    _cores.prepare_threads(environment)
    assert "OMP_NUM_THREADS" not in environment
