"""The models that ship with the package: what the registry says of them is what anybody measures."""

import json
from pathlib import Path

import pytest
import torch

import ganzoo
from ganzoo.evaluation.evaluate import DEFAULT_SAMPLES, evaluate
from ganzoo.recipe.build import complete
from ganzoo.recipe.recipe import Recipe
from ganzoo.zoo.registry import Registry

BUNDLED = {entry.name: entry for entry in Registry().entries if entry.origin == "ganzoo" and entry.folder}


def test_all_of_them_together_are_small():
    assert sum(entry.size for entry in BUNDLED.values()) <= 20_000_000


@pytest.mark.parametrize("name", BUNDLED)
def test_the_scores_are_those_of_the_shipped_weights_by_the_usual_protocol(name):
    entry = BUNDLED[name]
    protocol = entry.scores["protocol"]
    assert (protocol["samples"], protocol["seed"]) == (DEFAULT_SAMPLES, 0)
    assert protocol["weights"] == entry.files["model.safetensors"]["sha256"]
    kept = json.loads((entry.folder / "scores.json").read_text())
    assert entry.scores.keys() == kept.keys()
    for metric in kept.keys() - {"protocol"}:
        assert entry.scores[metric]["generated"] == pytest.approx(kept[metric]["generated"], rel=1e-5)


def test_the_page_of_models_has_them_all_with_their_figures():
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    rows = [[cell.strip("` ") for cell in line.split("|")[1:-1]] for line in lines]
    told = {name: tuple(figures) for name, _, _, *figures in rows}
    assert told.keys() == BUNDLED.keys()
    for name, entry in BUNDLED.items():
        fd, recall = (entry.scores.get(key) or entry.scores[f"lite0-{key}"] for key in ("fd", "recall"))
        megabytes = entry.files["model.safetensors"]["size"] / 1e6
        assert told[name] == (f"{megabytes:.1f}", f"{fd['ratio']:.2f}", f"{recall['ratio']:.2f}")
        assert page.count(f"](../ganzoo/pretrained/{name}/samples.png)") == 1


@pytest.mark.parametrize("name", BUNDLED)
def test_the_recipe_of_the_same_name_is_the_one_it_was_trained_by(name):
    trained = Recipe.load(BUNDLED[name].folder / "recipe.toml")
    assert complete(trained).written_out() == complete(Recipe.load(name)).written_out()
    assert trained.data.name == BUNDLED[name].data


@pytest.mark.parametrize(
    ("name", "metrics"),
    [("vanilla-mnist", ["fd", "classifier-score"])]
    + [pytest.param(name, None, marks=pytest.mark.slow) for name in BUNDLED],
)
def test_measured_again_they_are_the_same(name, metrics):
    scores = evaluate(ganzoo.load(name, "cpu"), metrics=metrics)
    for metric, score in scores.metrics.items():
        registered = BUNDLED[name].scores[metric]
        assert score["real"] == pytest.approx(registered["real"], rel=0.01, abs=1e-4)
        assert score["generated"] == pytest.approx(registered["generated"], rel=0.01)


def test_creatures_stand_before_the_colour_that_was_asked_for():
    model = ganzoo.load("cgan-critters", "cpu")
    colours = model.config["data"]["specs"]["backgroundColor"]["classes"]
    wanted = torch.tensor([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours]) / 255
    for asked, colour in enumerate(colours):
        corners = model.sample(32, backgroundColor=colour)[:, :, 0, 0]
        nearest = torch.cdist(corners, wanted).argmin(1)
        assert (nearest == asked).float().mean() > 0.9
