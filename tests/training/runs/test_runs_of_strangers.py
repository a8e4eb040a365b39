"""What a stranger wrote into a run: resumed, or refused in one sentence that names the file."""

import json
import os
import shutil

import pytest

import ganzoo
from trainings import resume


def write_history(*lines):
    def write(run):
        (run.path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    return write


def set_training(part, training, checkpoints=True):
    def write(run):
        path = run.path / part / "config.json"
        config = json.loads(path.read_text()) | {"training": training}
        path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
        if not checkpoints:
            shutil.rmtree(run.checkpoints)
            run.checkpoints.mkdir()

    return write


def replaced(name, make):
    def replace(run):
        (run.path / name).unlink()
        make(run.path / name)

    return replace


def write_many_keys(run):
    line = {f"key-{number}": number for number in range(300)} | {"term": "many", "step": 8}
    (run.path / "metrics.jsonl").write_text(json.dumps(line) + "\n")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            write_history({"step": 0, "circumstances": None}),
            r"history\.jsonl is not the history of a run: circumstances: ",
        ),
        (write_history({"step": 0, "recipe": 3}), r"history\.jsonl is not the history of a run: recipe: "),
        (write_history({"step": 0, "event": []}), r"history\.jsonl is not the history of a run: event: "),
        (set_training("model", {"steps": "many"}, checkpoints=False), r"as its (best|metrics\.jsonl) shows"),
        (set_training("model", {"steps": float("inf")}, checkpoints=False), r"as its (best|metrics\.jsonl) shows"),
        (replaced("metrics.jsonl", os.mkdir), r"metrics\.jsonl: Is a directory"),
        (replaced("metrics.jsonl", os.mkfifo), r"metrics\.jsonl: it is not a file"),
        (replaced("history.jsonl", os.mkdir), r"history\.jsonl: Is a directory"),
        (replaced("history.jsonl", os.mkfifo), r"history\.jsonl: it is not a file"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(run, change, sentence):
    change(run)
    with pytest.raises(ganzoo.BadInput, match=sentence):
        resume(run.path, train={"steps": 10})


@pytest.mark.parametrize(
    "change",
    [
        write_history({"step": 0}),
        write_history({"step": 0, "recipe": {"loss": 3}, "circumstances": {"torch": [1]}}),
        set_training("best", None),
        write_many_keys,
    ],
)
def test_what_is_not_known_does_not_hinder(run, change, monkeypatch):
    monkeypatch.setattr("ganzoo.training.runs.curves.MAX_CURVES", 5)  # to draw hundreds takes long
    change(run)
    again = resume(run.path, train={"steps": 10})
    assert again.metrics[-1]["step"] == 10
    assert again.history[-1]["event"] == "resumed"
    assert (again.path / "curves.png").exists()


@pytest.mark.parametrize("steps", ["many", float("inf"), -1, 2.5])
def test_a_step_is_a_whole_number(run, steps):
    set_training("best", {"steps": steps})(run)
    with pytest.raises(ganzoo.BadInput, match=r"is not the config of a ganzoo model: training\.steps: "):
        run.best_step  # noqa: B018


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_a_log_that_is_no_file_cannot_be_looked_through_for_what_was_lost(run, make):
    replaced("metrics.jsonl", make)(run)
    set_training("model", None, checkpoints=False)(run)
    with pytest.raises(ganzoo.BadInput, match=r"cannot read .*metrics\.jsonl: "):
        resume(run.path)
