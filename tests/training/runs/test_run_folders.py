"""Whose a run folder is, and what a killed training leaves in it."""

import os
import shutil

import pytest

import ganzoo
from trainings import index_and_notes, resume, start, tiny, train_with

TINY = tiny(steps=8, save_every=2, log_every=2)
train = train_with(TINY)


def test_what_a_killed_save_left_behind_is_cleared_away(run):
    (run.checkpoints / ".step-000099.part").mkdir()
    resume(run.path, train={"steps": 10})
    assert [path.name for path in run.checkpoints.glob(".*")] == []


def test_overwriting_does_not_mind_what_a_killed_training_left_half_written(run):
    (run.path / ".metrics.jsonl.part").write_text("{")
    (run.path / ".model.part").mkdir()
    assert train(run.path, overwrite=True).metrics[-1]["step"] == 8


def test_a_folder_that_nothing_can_be_written_to_is_said(run, command):
    if os.geteuid() == 0:
        pytest.skip("the superuser may write anywhere")
    run.checkpoints.chmod(0o500)
    with pytest.raises(ganzoo.BadInput, match="cannot write"):
        resume(run.path, train={"steps": 10})
    run.checkpoints.chmod(0o700)
    assert index_and_notes(run) == (8, [])


def test_a_file_where_the_checkpoints_should_be_is_said(tmp_path):
    class Trap(ganzoo.Callback):
        def on_train_start(self, trainer):
            (tmp_path / "run" / "checkpoints").rmdir()
            (tmp_path / "run" / "checkpoints").write_text("in the way")

    with pytest.raises(ganzoo.BadInput, match=r"cannot write .*; no checkpoint had been saved yet"):
        train(tmp_path / "run", heard=Trap())


def test_a_folder_of_a_training_that_was_killed_at_its_very_beginning_is_as_good_as_empty(tmp_path):
    (tmp_path / "run" / "samples").mkdir(parents=True)
    (tmp_path / "run" / ".lock").touch()
    assert train(tmp_path / "run").metrics[-1]["step"] == 8


def test_overwriting_removes_the_recipe_last(run, monkeypatch):
    remove = shutil.rmtree

    def killed(path, **how):
        if path.name == "model":
            raise KeyboardInterrupt
        remove(path, **how)

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        train(run.path, overwrite=True)
    monkeypatch.undo()
    assert train(run.path, overwrite=True).metrics[-1]["step"] == 8


def test_two_trainings_without_a_folder_of_their_own_get_one_each(command):
    words = ["vanilla", "--precision", "fp32", "-o", "train.steps=3", "-o", "train.batch=8"]
    both = [start(command, *words) for _ in range(2)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    assert sorted(path.name for path in (command.folder / "runs").iterdir()) == ["vanilla-001", "vanilla-002"]
    for path in (command.folder / "runs").iterdir():
        assert index_and_notes(ganzoo.Run(path)) == (3, [])


def test_a_training_that_is_at_work_cannot_be_overwritten(run, monkeypatch):
    monkeypatch.setattr("ganzoo.training.runs.run.LOCK_TIMEOUT_SECONDS", 0)
    with run.locked(), pytest.raises(ganzoo.BadInput, match="another training is at work in"):
        train(run.path, overwrite=True)
    assert index_and_notes(run) == (8, [])


@pytest.mark.parametrize("name", [".recipe.toml.part", ".recipe.toml.0123abcd.part"])
def test_a_folder_of_a_training_that_was_killed_while_its_recipe_was_written_can_be_used(tmp_path, name):
    folder = tmp_path / "run"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / name).write_text('name = "ti')
    sentence = "has no recipe.toml; if a training was killed there before it began, start it again with --out"
    with pytest.raises(ganzoo.BadInput, match=sentence):
        resume(folder)
    assert train(folder).metrics[-1]["step"] == 8


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".thesis.tex.part").write_text("years of work")
    with pytest.raises(ganzoo.BadInput, match="is not empty"):
        train(tmp_path / "run")
