"""Which checkpoints are kept: the newest, the best, and what somebody else put there."""

import json

import pytest
import torch

from ganzoo.training.runs import checkpoint
from ganzoo.training.runs.snapshot import State
from trainings import Heard, Power, assert_same, resume, state, tiny, train_with

TINY = tiny(steps=11, log_every=3)
train = train_with(TINY)


def test_the_best_so_far_is_kept_and_remembered(tmp_path):
    settings = {"train": TINY["train"] | {"steps": 12, "save_every": 2, "log_every": 2}}
    whole = train(tmp_path / "whole", **settings)
    measured = {line["step"]: line["swd_ratio"] for line in whole.metrics}
    best = min(measured, key=measured.get)
    assert state(whole.path).numbers["best"] == {"step": best, "swd_ratio": measured[best]}
    kept = [path.name for path in checkpoint.list_checkpoints(whole.checkpoints)]
    assert kept == sorted({f"step-{best:06d}", "step-000010", "step-000012"})
    assert json.loads((whole.best_folder / "config.json").read_text())["training"]["steps"] == best
    with pytest.raises(Power):
        train(tmp_path / "broken", **settings, heard=Heard(7))
    assert_same(whole.path, resume(tmp_path / "broken").path, but=())


def test_a_measure_waits_for_the_next_line_of_the_log(tmp_path):
    settings = {"train": TINY["train"] | {"steps": 15, "save_every": 7, "log_every": 3}}
    whole = train(tmp_path / "whole", **settings)
    assert [line["step"] for line in whole.metrics if "swd_ratio" in line] == [9, 15]
    with pytest.raises(Power):
        train(tmp_path / "broken", **settings, heard=Heard(8))
    broken = resume(tmp_path / "broken")
    assert [line.get("swd_ratio") for line in whole.metrics] == [line.get("swd_ratio") for line in broken.metrics]


def test_damaged_checkpoints_do_not_push_out_what_is_saved_after_them(tmp_path):
    for index in (3, 8, 9, 4, 5, 6):
        checkpoint.save(tmp_path, State({"x": torch.ones(1)}, {"index": index}))
    assert [path.name for path in checkpoint.list_checkpoints(tmp_path)] == ["step-000005", "step-000006"]


def test_a_copy_that_somebody_made_of_a_checkpoint_is_left_alone(tmp_path):
    (tmp_path / "step-000002-mine").mkdir()
    for index in range(1, 6):
        checkpoint.save(tmp_path, State({"x": torch.ones(1)}, {"index": index}))
    assert (tmp_path / "step-000002-mine").exists()


def test_a_best_checkpoint_outlives_newer_ones(tmp_path):
    for index in range(1, 6):
        best = {"step": min(index, 2), "swd_ratio": 1.0}
        checkpoint.save(tmp_path, State({"x": torch.ones(1)}, {"index": index, "best": best}))
    kept = [path.name for path in checkpoint.list_checkpoints(tmp_path)]
    assert kept == ["step-000002", "step-000004", "step-000005"]
