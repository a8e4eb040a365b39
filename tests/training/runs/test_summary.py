"""Runs at a glance: what is read of them without torch, and what is said of damaged ones."""

import json
import shutil
import subprocess
import sys

import pytest
from filelock import FileLock

import ganzoo
from ganzoo.training.runs.summary import list_runs, summarise_run
from trainings import tiny, trained

TINY = {"name": "tiny", **tiny(steps=4, save_every=2, log_every=2)}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run."""
    return trained(TINY, out=tmp_path_factory.mktemp("made") / "one")


@pytest.fixture
def run(made, tmp_path):
    """A copy of it, to be damaged."""
    return ganzoo.Run(shutil.copytree(made.path, tmp_path / "runs" / "one"))


def test_a_run_is_summarised(run):
    found = summarise_run(run.path)
    assert (found.recipe, found.data, found.step, found.steps, found.state) == ("tiny", "mnist-10k", 4, 4, "finished")
    assert (found.metric, found.best_step) == ("swd_ratio", run.best_step)
    assert found.best == min(line["swd_ratio"] for line in run.metrics if "swd_ratio" in line)
    speeds = [line["images_per_second"] for line in run.metrics]
    assert found.seconds == pytest.approx(sum(16 / speed for speed in speeds), abs=0.06)


def write(name, text):
    return lambda run: (run.path / name).write_text(text)


def remove(name):
    return lambda run: shutil.rmtree(run.path / name) if (run.path / name).is_dir() else (run.path / name).unlink()


def end_with(**event):
    def change(run):
        line = {"step": 3, "time": "", **event}
        with (run.path / "history.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    return change


def lengthen(run):
    text = (run.path / "recipe.toml").read_text()
    (run.path / "recipe.toml").write_text(text.replace("steps = 4", "steps = 400"))


def spoil_checkpoints(run):
    for path in run.checkpoints.glob("step-*/state.json"):
        path.write_text("{")


@pytest.mark.parametrize(
    ("change", "state", "reason"),
    [
        (lengthen, "stopped", ""),
        (end_with(event="diverged", reason="not finite"), "diverged", "not finite"),
        (end_with(event="failed", reason="no memory"), "failed", "no memory"),
        (end_with(event="stopped", reason="no better"), "finished", "no better"),
        (remove("recipe.toml"), "damaged", "it has no recipe.toml"),
        (write("recipe.toml", "= ["), "damaged", "recipe.toml"),
        (write("recipe.toml", "name = 'x'"), "damaged", "it is not the folder of a run"),
        (write("history.jsonl", '{"step": "x"}\n{"step": 1, "event": 3}\n'), "damaged", "history.jsonl"),
        (remove("checkpoints"), "damaged", "its checkpoints are gone"),
        (
            lambda run: [write("state.json", "{")(ganzoo.Run(p)) for p in run.checkpoints.glob("step-*")],
            "damaged",
            "none",
        ),
    ],
)
def test_the_state_of_a_run_is_told_with_its_reason(run, change, state, reason):
    change(run)
    found = list_runs(run.path.parent)
    assert [(each.run, each.state) for each in found] == [(str(run.path), state)]
    assert reason in found[0].reason


def test_a_training_at_work_is_told(run):
    lengthen(run)
    with FileLock(run.path / ".lock"):
        assert summarise_run(run.path).state == "training"
    assert summarise_run(run.path).state == "stopped"


def test_the_command_lists_runs_in_natural_order_also_below_other_folders(made, typed, tmp_path):
    for name in ("runs/x-10", "runs/x-2", "runs/group/seed-1"):
        shutil.copytree(made.path, tmp_path / name)
    (tmp_path / "runs/x-2/recipe.toml").unlink()
    code, out, _ = typed("runs", "--json")
    assert code == 0
    assert [row["run"] for row in json.loads(out)] == ["runs/group/seed-1", "runs/x-2", "runs/x-10"]
    code, out, _ = typed("runs")
    assert "damaged: it has no recipe.toml" in out
    assert typed("runs", "runs/group")[1].count("finished") == 1


def test_where_there_are_no_runs_that_is_said(typed, tmp_path):
    assert typed("runs")[:2] == (0, "there are no runs here yet: ganzoo train RECIPE makes one\n")
    assert typed("runs", "--json")[1] == "[]\n"
    code, out, said = typed("runs", "nowhere")
    assert (code, out, said) == (2, "", "error: there is no folder 'nowhere'\n")
    (tmp_path / "runs").mkdir()
    assert typed("runs")[:2] == (0, "there are no runs in runs\n")


def test_listing_runs_imports_no_torch(made):
    code = """
import sys
from ganzoo.cli.main import main
try:
    main(["runs", sys.argv[1]])
finally:
    assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code, str(made.path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "finished" in done.stdout
