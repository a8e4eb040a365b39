"""A run whose checkpoints are gone is not started again, and one that was killed before its first one is."""

import shutil

import pytest

import ganzoo
from trainings import Heard, Power, resume, tiny, train_with

TINY = tiny(steps=8, save_every=2, log_every=2)
train = train_with(TINY)


def remove(run):
    shutil.rmtree(run.checkpoints)


def empty(run):
    remove(run)
    run.checkpoints.mkdir()


def unmount(run):
    run.checkpoints.rename(run.path.parent / "disk")
    run.checkpoints.symlink_to(run.path.parent / "disk")
    shutil.rmtree(run.path.parent / "disk")


def replace_by_a_file(run):
    remove(run)
    run.checkpoints.write_text("")


def content(run):
    names = [path for path in run.path.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path: path.read_bytes() for path in names}


WAYS = [
    (remove, "was trained for 8 steps, as its model shows, but there is no checkpoint in"),
    (empty, "was trained for 8 steps, as its model shows, but there is no checkpoint in"),
    (unmount, "checkpoints is a link to .*, which does not exist"),
    (replace_by_a_file, "cannot read .*checkpoints: Not a directory"),
]


@pytest.mark.parametrize(("way", "sentence"), WAYS)
def test_a_run_whose_checkpoints_are_gone_is_left_as_it_is(run, way, sentence):
    way(run)
    before = content(run)
    with pytest.raises(ganzoo.BadInput, match=sentence):
        resume(run.path, train={"steps": 10})
    assert content(run) == before


@pytest.mark.parametrize("kept", ["model", "best", "metrics.jsonl"])
def test_each_part_of_a_run_shows_what_was_trained(run, kept):
    empty(run)
    for part in {"model", "best"} - {kept}:
        shutil.rmtree(run.path / part, ignore_errors=True)
    if kept != "metrics.jsonl":
        (run.path / "metrics.jsonl").unlink()
    with pytest.raises(ganzoo.BadInput, match=f"as its {kept} shows"):
        resume(run.path)


def test_a_run_with_a_single_checkpoint_is_not_started_again(tmp_path):
    run = train(tmp_path / "run", train={"save_every": 100})
    empty(run)
    with pytest.raises(ganzoo.BadInput, match="there is no checkpoint in"):
        resume(run.path)


def test_a_training_that_was_killed_before_its_first_checkpoint_starts_again(tmp_path):
    with pytest.raises(Power):
        train(tmp_path / "run", heard=Heard(2))  # its log and its best generator are of this step
    assert resume(tmp_path / "run").metrics[-1]["step"] == 8


def test_a_training_that_was_killed_in_its_first_save_starts_again(tmp_path, monkeypatch):
    def killed(*arguments):
        raise Power

    monkeypatch.setattr("ganzoo.training.runs.checkpoint.save", killed)
    with pytest.raises(Power):
        train(tmp_path / "run")
    monkeypatch.undo()
    assert (tmp_path / "run" / "model").exists()
    run = resume(tmp_path / "run")
    assert run.metrics[-1]["step"] == 8
    assert [path.name for path in run.checkpoints.glob(".*")] == []
