"""`--json` holds plain values; `info` describes recipe keys too."""

import json

import pytest


def get(typed, *words):
    code, out, _ = typed(*words, "--json")
    assert code == 0
    return json.loads(out)


def test_a_class_has_its_options_as_values(typed):
    architecture, recipe = get(typed, "info", "dcgan")
    assert (architecture["kind"], recipe["kind"]) == ("architecture", "recipe")
    options = {option["name"]: option for option in architecture["parts"]["discriminator"]["options"]}
    assert options["batch_norm"] == {"name": "batch_norm", "type": "bool", "required": False, "default": True}
    assert recipe["recipe"]["architecture"]["name"] == "dcgan"


def test_a_model_has_numbers_and_booleans(typed):
    (listed,) = [row for row in get(typed, "list", "models") if row["name"] == "dcgan-mnist"]
    assert (listed["here"], type(listed["size"])) == (True, int)
    assert isinstance(listed["scores"]["fd"]["ratio"], float)
    (model,) = [facts for facts in get(typed, "info", "dcgan-mnist") if facts["kind"] == "model"]
    assert model["config"]["latent"] == {"z": [100]}
    assert model["size"] == listed["size"]


@pytest.mark.parametrize("name", ["mnist-10k", "train.ema", "train", "r1", "ring8", "lsun:tower", "cgan-mnist"])
def test_everything_that_is_described_has_facts(typed, name):
    for facts in get(typed, "info", name):
        assert facts["name"] == name or facts["name"].startswith(f"{name}.")
        assert facts["kind"]


def test_a_key_is_described_with_type_default_and_meaning(typed):
    (facts,) = get(typed, "info", "train.ema")
    assert (facts["default"], facts["type"]) == (0.999, "number from 0 below 1 or a schedule")
    _, out, _ = typed("info", "loss.r1.every")
    assert "key 'loss.NAME.every' of a recipe: whole number from 1, by default 1" in out
    assert "did you mean 'train.steps'" in typed("info", "train.stepz")[2]


def test_lists_and_plugins_are_plain_values(typed):
    assert {row["kind"] for row in get(typed, "list")} >= {"architecture", "loss", "recipe", "data", "model"}
    keys = {row["name"]: row for row in get(typed, "list", "keys")}
    assert (keys["train.compile"]["default"], keys["optimizer.betas"]["default"]) == (False, [0.5, 0.999])
    rows = get(typed, "plugins", "ganzoo-dcgan")
    assert isinstance(rows[0]["ms"], float)
    (pulled,) = get(typed, "pull", "dcgan-mnist")
    assert pulled["folder"].endswith("dcgan-mnist")
