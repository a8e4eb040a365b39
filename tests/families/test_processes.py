"""Two processes train every family as one does."""

import pytest
import torch

from foreign import NAMES, PLAYED, resolved
from launch import LAUNCH
from play_family import TRAIN, toml
from trainings import state

SMOOTH = {"optimizer.eps": 1.0}
"""Adam divides by next to nothing otherwise, so that rounding shows."""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_two_processes_train_a_family_as_one_does(name, somebody, files):
    family, command = PLAYED[name], somebody("author")
    data = {f"data.{key}": resolved(value, files) for key, value in family.data.items()}
    changes = {**data, **family.changes, **SMOOTH, **{f"train.{key}": value for key, value in TRAIN.items()}}
    words = ["train", family.recipe, "--device=cpu", *(f"-o{key}={toml(value)}" for key, value in changes.items())]
    alone = command(*words, "--out=alone")
    assert alone.returncode == 0, alone.stderr
    two = command.python(*LAUNCH, "-m", "ganzoo", *words, "--out=two")
    assert two.returncode == 0, two.stderr
    one, other = (state(command.folder / run).tensors for run in ("alone", "two"))
    for key, value in one.items():
        if not key.startswith(("rng.", "tally", "process.")):
            torch.testing.assert_close(other[key], value, rtol=1e-3, atol=1e-4, msg=f"{name}: {key}")
