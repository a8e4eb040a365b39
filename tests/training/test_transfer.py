"""A training that goes on from another one's networks: both take their weights, layers are frozen or slowed down."""

from functools import cache

import pytest
import torch

import ganzoo
from ganzoo.zoo.discriminators import read_discriminator

SIZE = {"data.size": 16, "data.channels": 3}
QUICK = {"train.batch": 8, "train.precision": "fp32", "train.save_every": 2, "optimizer.name": "adam", **SIZE}
RECIPES = ["dcgan", pytest.param("wgan-gp", marks=pytest.mark.slow)]


KEEP = {"train.keep_discriminator": True, "train.ema": 0.0}


def train(recipe, folder, steps, **options):
    return ganzoo.train(recipe, "avatars-5k", folder, "cpu", quiet=True, **{"train.steps": steps, **QUICK, **options})


@pytest.fixture(scope="module")
def run_of(tmp_path_factory):
    """Returns the run of a recipe that kept its discriminator, made once."""
    return cache(lambda recipe: train(recipe, tmp_path_factory.mktemp("first") / "run", 2, **KEEP))


@pytest.fixture(params=RECIPES)
def first(request, run_of):
    """A recipe, and its run."""
    return request.param, run_of(request.param)


def weights_of(run):
    """The weights of both networks at the end."""
    model = ganzoo.load(run.path)
    return {"generator": model.generator.state_dict(), "discriminator": read_discriminator(model)}


def test_both_networks_begin_with_the_weights_of_the_model(first, tmp_path, caplog):
    recipe, run = first
    caplog.set_level("INFO", logger="ganzoo")
    # With a rate of almost 0 the networks stay where they begin.
    other = train(recipe, tmp_path / "run", 1, **KEEP, **{"train.init": str(run.path), "optimizer.lr": 1e-30})
    assert "the generator takes all; the discriminator takes all" in caplog.text
    before, after = weights_of(run), weights_of(other)
    for side in before:
        names = dict(after[side])
        assert names.keys() == before[side].keys()
        learned = [name for name in names if "running" not in name and "num_batches" not in name]
        assert learned and all(torch.equal(names[name], before[side][name]) for name in learned)


def test_layers_near_the_image_are_frozen_or_slow(first, tmp_path):
    recipe, run = first
    parts = {"optimizer.discriminator.parts": {"network.0": 0, "network.2": 0.1}, "train.critic_steps": 1}
    # RMSprop's first step is as large for every weight: the rate, times the factor of its part.
    rate = {"optimizer.name": "rmsprop", "optimizer.alpha": 0.0, "optimizer.lr": 1e-3}
    other = train(recipe, tmp_path / "run", 1, **{**KEEP, **parts, **rate, "train.init": str(run.path)})
    before, after = weights_of(run)["discriminator"], weights_of(other)["discriminator"]
    moved = {
        name: (after[name] - before[name]).abs().max().item()
        for name in before
        if name.endswith("weight") and name.startswith("network")
    }
    assert moved.pop("network.0.weight") == 0
    assert moved.pop("network.2.weight") == pytest.approx(1e-4, rel=1e-2)
    assert list(moved.values()) == pytest.approx([1e-3] * len(moved), rel=1e-2)


def test_a_transfer_resumes_bit_for_bit(first, tmp_path):
    recipe, run = first
    parts = {"optimizer.discriminator.parts": {"network.0": 0, "network.2": 0.1}}
    options = {**KEEP, **parts, "train.init": str(run.path)}
    whole = train(recipe, tmp_path / "whole", 4, **options)
    train(recipe, tmp_path / "part", 2, **options)
    part = ganzoo.train(out=tmp_path / "part", resume=True, quiet=True, **{"train.steps": 4})
    for side, weights in weights_of(whole).items():
        assert all(torch.equal(value, weights_of(part)[side][name]) for name, value in weights.items())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"network.9": 0}, "optimizer.discriminator.parts: the discriminator has no 'network.9'; did you mean"),
        ({"layers": 0}, r"the discriminator has no 'layers'; its parts are network\.0, network\.2, network\.3"),
    ],
)
def test_a_part_that_is_not_there_is_named_with_those_that_are(run_of, tmp_path, options, sentence):
    with pytest.raises(ganzoo.BadInput, match=sentence) as error:
        train(
            "dcgan",
            tmp_path / "run",
            1,
            **{"train.init": str(run_of("dcgan").path), "optimizer.discriminator.parts": options},
        )
    assert "\n" not in str(error.value) and not (tmp_path / "run").exists()


FROZEN = {"optimizer.discriminator.parts": {"network.0": 0}}
NEW = "optimizer.discriminator.parts freezes network.0, which is new: "


def test_what_is_new_is_not_frozen(tmp_path):
    without = train("dcgan", tmp_path / "without", 1)
    with pytest.raises(ganzoo.BadInput, match=f"{NEW}that model has none; train.keep_discriminator keeps it"):
        train("dcgan", tmp_path / "run", 1, **{"train.init": str(without.path), **FROZEN})
    other = train("dcgan", tmp_path / "grey", 1, **{"data.channels": 1, "train.keep_discriminator": True})
    with pytest.raises(ganzoo.BadInput, match=f"{NEW}what that model has there does not fit"):
        train("dcgan", tmp_path / "run", 1, **{"train.init": str(other.path), **FROZEN})
    train("dcgan", tmp_path / "run", 1, **FROZEN)  # without a model to begin with it is up to whoever writes the recipe


def test_the_command_line_has_the_same_words(run_of, typed):
    words = [
        "train",
        "dcgan",
        "--data",
        "avatars-5k",
        "--init",
        run_of("dcgan").path,
        "--device",
        "cpu",
        "--out",
        "run",
    ]
    given = {**QUICK, "train.steps": 1, "optimizer.discriminator.parts.network.0": 0}
    code, _, err = typed(*words, *[word for key, value in given.items() for word in ("-o", f"{key}={value}")])
    assert code == 0, err
    assert ganzoo.Run("run").recipe.optimizer.discriminator["parts"] == {"network.0": 0}
