"""Games on points: trained, resumed, and gone on with in other ways."""

import json

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo.data.mixtures import MIXTURES
from ganzoo.data.sources import open_data
from points import TINY, pictures
from trainings import assert_same_weights, resume, train_with

train = train_with(TINY)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("points") / "tiny")


def described(name):
    """What a config says of a mixture; all before the specs is for readers of earlier versions."""
    spec = {"kind": "point", "shape": [2], "range": None, "classes": []}
    before = {"name": name, "opened_as": "data set", "kind": "point", "shape": [2], "classes": []}
    return {**before, "specs": {"point": spec}, "facts": {"point": [2]}}


@pytest.mark.parametrize("name", MIXTURES)
def test_a_mixture_is_data_of_points_that_say_what_they_are(name):
    opened = open_data(name)
    assert opened.description == described(name)
    assert opened.facts == {"point": (2,)}
    assert len(opened) == 100_000


def test_an_epoch_has_every_point_once_and_goes_on_where_it_was():
    opened = open_data("grid25")
    batches = opened.batches(1000, seed=3)
    epoch = [next(batches)["point"] for _ in range(100)]
    assert epoch[0].dtype == torch.float32
    assert sorted(torch.cat(epoch).tolist()) == sorted(opened.tensors["point"].tolist())
    assert next(opened.batches(1000, seed=3, used=42_000))["point"].equal(epoch[42])
    assert not next(opened.batches(1000, seed=4))["point"].equal(epoch[0])


def test_a_run_on_points_leaves_a_model_that_makes_points(run):
    config = json.loads((run.path / "model" / "config.json").read_text())
    assert config["data"] == described("ring8")
    points = run.sample(100, seed=1)
    assert points.shape == (100, 2)
    assert points.equal(run.model.generator(run.model.sample_with_given(100, seed=1)[1]))
    assert ganzoo.load(run.path).sample(7, seed=1).equal(points[:7])


def test_a_run_on_points_that_stopped_goes_on_bit_for_bit(run, tmp_path):
    half = train(tmp_path / "half", **{"train.steps": 7})
    whole = resume(half.path, **{"train.steps": 12})
    assert_same_weights(run, whole)


def test_looking_at_the_game_changes_nothing_of_it(run, tmp_path):
    assert_same_weights(run, train(tmp_path / "hardly", **{"train.sample_every": 100}))


def test_python_batches_of_points_can_be_trained_on(tmp_path):
    batches = [{"point": np.random.default_rng(0).normal(size=(32, 3))} for _ in range(4)]
    run = train(tmp_path / "run", data=batches)
    assert json.loads((run.path / "model" / "config.json").read_text())["data"]["shape"] == [3]
    assert run.sample(5).shape == (5, 3)
    assert not pictures(run)
    assert not (run.path / "game.gif").exists()


def test_a_training_can_begin_with_a_model_of_points(run, tmp_path):
    begun = train(tmp_path / "begun", **{"train.init": str(run.path), "train.steps": 1, "optimizer.lr": 1e-12})
    assert begun.sample(9).allclose(run.sample(9), atol=1e-6)


def test_both_sides_are_made_for_points_of_any_dimension():
    generator, discriminator = ganzoo.create("points", point=(5,), widths=[8], generator={"latent_size": 3})
    points = generator(generator.latent(6, torch.Generator().manual_seed(0)))
    assert points.shape == (6, 5)
    assert discriminator(points, {}).shape == (6,)


def test_a_run_keeps_to_points(run):
    with pytest.raises(ganzoo.BadInput, match=r"its points are \(2,\), not \(1, 28, 28\)"):
        resume(run.path, **{"data.name": "mnist-10k", "train.steps": 20})
