"""All augmentations in one training: it resumes bit for bit, and two processes train as one does."""

import pytest
import torch

from command import Command
from launch import LAUNCH
from play_family import toml
from trainings import assert_same, broken_off, log, state, train_with

LOSSES = [
    {"name": "non-saturating"},
    {"name": "apa", "p": 0.3, "speed": 200},
    {"name": "mirror", "real_only": True},
    {"name": "diffaugment"},
    {"name": "ada", "p": 0.5, "speed": 100, "policy": ["blit", "geometric", "colour", "filter", "noise", "cutout"]},
    {"name": "lecam", "weight": 0.1},
    {"name": "bcr"},
    {"name": "zcr"},
    {"name": "r1", "every": 2},
]
SETTINGS = {
    **{
        "architecture.name": "r3gan",
        "architecture.width": 4,
        "architecture.max_width": 8,
        "architecture.group_size": 4,
    },
    **{"train.steps": 9, "train.batch": 4, "train.precision": "fp32", "train.log_every": 1},
}
"""A game without batch norm, which two processes compute each for its own part."""


def test_all_of_them_go_on_bit_for_bit_with_their_probabilities_in_the_log(tmp_path):
    settings = SETTINGS | {"loss": LOSSES}
    whole = train_with("dcgan-few")(tmp_path / "whole", **settings)
    # In the middle of four turns that count for the probability, and after them.
    broken = broken_off(tmp_path / "broken", [2, 5], "dcgan-few", **settings)
    assert_same(whole.path, broken.path)
    for name in ("ada", "apa"):
        found = [line[f"discriminator/{name}/p"] for line in log(whole)]
        assert found == [line[f"discriminator/{name}/p"] for line in log(broken)]
        assert len(set(found)) == 3  # it has moved twice in nine turns


@pytest.mark.slow
def test_two_processes_train_them_as_one_does(tmp_path):
    command = Command(tmp_path)
    settings = SETTINGS | {"optimizer.eps": 1.0, "train.steps": 6}
    words = ["train", "dcgan-few", "--device=cpu", *(f"-o{key}={toml(value)}" for key, value in settings.items())]
    for loss in LOSSES:
        options = ",".join(f"{key}={toml(value)}" for key, value in loss.items() if key != "name")
        words.append(f"--loss={loss['name']}{',' * bool(options)}{options}")
    for name, launch in (("alone", ()), ("two", LAUNCH)):
        done = command.python(*launch, "-m", "ganzoo", *words, f"--out={name}")
        assert done.returncode == 0, done.stderr
    one, other = (state(tmp_path / run).tensors for run in ("alone", "two"))
    for key, value in one.items():
        if not key.startswith(("rng.", "tally", "process.")):
            torch.testing.assert_close(other[key], value, rtol=1e-3, atol=1e-4, msg=key)
