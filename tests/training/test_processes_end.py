"""A process that dies ends the others with a sentence, and a signal saves once and ends all."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from command import Command
from ganzoo.training.runs import checkpoint
from launch import LAUNCH, SMOOTH, TINY, command_with_plugin


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """`ganzoo` in a folder of its own, with the plugin for two processes."""
    return command_with_plugin(tmp_path_factory.mktemp("processes"))


def test_one_that_dies_before_the_first_step_ends_the_other_with_a_sentence(command):
    words = ["train", "vanilla", *TINY, "--loss=non-saturating", "--loss=dying", "--out=early"]
    done = command.python(*LAUNCH, "-m", "ganzoo", *words)
    (said,) = re.findall("^error: .*", done.stderr, re.M)
    assert "another process" in said


def processes_of(launcher: subprocess.Popen) -> dict[int, int]:
    """The process of each rank."""
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    found = {}
    for child in children:
        environment = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        ranks = [int(line.removeprefix(b"RANK=")) for line in environment if line.startswith(b"RANK=")]
        found |= {rank: int(child) for rank in ranks}
    return found


def started(command: Command, out: str) -> subprocess.Popen:
    """A long training in two processes that has saved its first checkpoint."""
    launcher = subprocess.Popen(
        [sys.executable, *LAUNCH, "-m", "ganzoo", "train", "vanilla", *SMOOTH, "-otrain.steps=1000000", "--out", out],
        cwd=command.folder, env=command.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 120
    while not list((command.folder / out).glob("checkpoints/step-*/state.json")):
        assert launcher.poll() is None and time.monotonic() < until, launcher.communicate()[1]
        time.sleep(0.05)
    return launcher


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the processes by /proc")
@pytest.mark.parametrize("rank", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_one_that_is_killed_ends_the_other_with_a_sentence_and_the_run_goes_on(command, rank):
    launcher = started(command, f"killed-{rank}")
    os.kill(processes_of(launcher)[rank], signal.SIGKILL)
    _, err = launcher.communicate(timeout=120)
    assert launcher.returncode
    assert err.count("error: another process of this training has ended or cannot be reached") == 1
    assert f"with: torchrun --nproc-per-node=2 -m ganzoo train --resume killed-{rank}" in err
    step = checkpoint.read_newest(command.folder / f"killed-{rank}" / "checkpoints")[0].numbers["index"]
    done = command("train", f"--resume=killed-{rank}", f"-otrain.steps={step + 3}", "--device=cpu")
    assert done.returncode == 0, done.stderr
    assert "processes 2 -> 1" in done.stderr


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the processes by /proc")
@pytest.mark.parametrize(
    "ranks", [pytest.param([1], marks=pytest.mark.slow), [0, 1, "launcher"]], ids=["one", "all and who started them"]
)
def test_sigterm_saves_once_and_ends_all(command, ranks):
    out = f"stopped-{len(ranks)}"
    launcher = started(command, out)
    there = {**processes_of(launcher), "launcher": launcher.pid}
    for rank in ranks:
        os.kill(there[rank], signal.SIGTERM)
    _, err = launcher.communicate(timeout=120)
    (step,) = re.findall(r"(?m)^stopped after step (\d+); continue with", err)
    assert checkpoint.list_checkpoints(command.folder / out / "checkpoints")[-1].name.endswith(step)
    assert "launcher" in ranks or err.count("exitcode  : 143") == 2


THREADS = """
import json, os, sys
from pathlib import Path
import ganzoo

small = {"data": "mnist-10k", "device": "cpu", "train.batch": 8, "train.precision": "fp32", "train.steps": 4}
kept = None
try:
    ganzoo.train("vanilla", loss=["non-saturating", *sys.argv[2:]], out=sys.argv[1], **small)
except ganzoo.Error as error:
    kept = error
threads = [Path(task, "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
Path(f"{sys.argv[1]}-{os.environ['RANK']}.json").write_text(json.dumps([type(kept).__name__, threads]))
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the threads by /proc")
@pytest.mark.parametrize(
    ("losses", "ends"),
    [
        ([], ["NoneType", "NoneType"]),
        (["refusing,rank=1"], ["BadInput", "BadInput"]),
        (["dying"], ["PeerLost", None]),
    ],
    ids=["done", "refused by one", "one was killed"],
)
def test_no_thread_of_the_connection_outlives_a_training(command, losses, ends):
    """One that did could abort the process at its end, when Python is no longer there to be asked."""
    (command.folder / "threads.py").write_text(THREADS)
    out = f"threads-{'-'.join(losses)}"
    done = command.python(*LAUNCH, "threads.py", out, *losses)
    for rank, end in enumerate(ends):
        found = command.folder / f"{out}-{rank}.json"
        assert found.exists() == (end is not None), done.stderr
        if end:
            ended, threads = json.loads(found.read_text())
            assert ended == end
            assert not [name for name in threads if "gloo" in name]
