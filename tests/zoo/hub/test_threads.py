"""Threads that load from the Hub at once get what each asked for, and leave the client as it was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from repositories import make_model, put

LOAD = Path(__file__).parents[2] / "support" / "load_at_once.py"
LARGE = 1_500_000


@pytest.mark.parametrize("rounds", [10, pytest.param(50, marks=pytest.mark.slow)])
def test_threads_that_load_at_once_leave_no_hook_behind(zoo, owner, model, tmp_path, rounds):
    put(owner, model, **{"README.md": b"x" * LARGE})
    put(owner, make_model(tmp_path / "other", 16), "owner/other")
    done = zoo.python(LOAD, 4, rounds, "hub:owner/dots", "hub:owner/other")
    assert done.returncode == 0, done.stderr
    came = json.loads(done.stdout)
    before, after = came["hooks"]
    assert before == after
    assert (came["one session"], came["same"], came["large"]) == (True, 4 * rounds, LARGE)
    assert came["unchanged"] == [True, True, True]


def test_processes_that_pull_at_once_all_get_the_files(zoo, owner, model):
    put(owner, model)
    words = [sys.executable, "-m", "ganzoo", "pull", "hub:owner/dots"]
    started = [subprocess.Popen(words, env=zoo.environment, stdout=-1, text=True) for _ in range(3)]
    folders = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(folders) == 1
