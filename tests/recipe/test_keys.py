"""The list of a recipe's keys: complete, with a meaning for each, and true about what is allowed."""

import subprocess
import sys

import pytest

import ganzoo
from ganzoo.errors import BadInput
from ganzoo.recipe.keys import find_keys, list_keys
from ganzoo.recipe.recipe import Recipe

RMSPROP = ("optimizer.alpha", "optimizer.momentum")
"""Keys that the default optimizer does not have."""
KEYS = [
    key for key in list_keys() if "OPTION" not in key.path and not key.path.startswith(("callback", "architecture"))
]


def load(path, value):
    return Recipe.load({"architecture": "vanilla", "loss": [{"name": "NAME"}]}, **{path: value}).written_out()


def test_every_key_says_what_it_means_and_takes():
    assert all(key.meaning.endswith((".", "`")) and key.type for key in list_keys())
    assert len({key.path for key in list_keys()}) == len(list_keys())


def test_every_key_that_a_whole_recipe_writes_is_listed():
    written = load("name", "x")
    for section in ("train", "optimizer", "data"):
        for key in written[section]:
            assert find_keys(f"{section}.{key}"), key


@pytest.mark.parametrize(
    "key",
    [key for key in KEYS if key.default is not None and key.default != {} and key.path not in RMSPROP],
    ids=lambda key: key.path,
)
def test_the_default_is_the_one_that_a_recipe_without_the_key_has(key):
    *way, last = key.path.replace("NAME", "0").split(".")
    place = load("name", "run")
    for word in way:
        place = place[int(word) if word == "0" else word]
    assert place[last] == key.default


@pytest.mark.parametrize("key", [key for key in KEYS if key.choices], ids=lambda key: key.path)
def test_no_other_value_than_the_choices_is_taken(key):
    with pytest.raises(BadInput):
        load(key.path, "nonsense")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("train.ema", ["train.ema"]),
        ("loss.r1.every", ["loss.NAME.every"]),
        ("loss.0.every", ["loss.NAME.every"]),
        ("optimizer.generator.lr", ["optimizer.lr"]),
        ("optimizer.generator", ["optimizer.generator"]),
        ("train.emma", []),
        ("loss.", []),
        ("dcgan", []),
    ],
)
def test_a_key_is_found_by_the_path_that_one_types(path, found):
    assert [key.path for key in find_keys(path)] == found


def test_a_section_is_found_with_all_its_keys():
    assert {"train.steps", "train.tensorboard"} < {key.path for key in find_keys("train")}


def test_a_range_is_part_of_the_type():
    types = {key.path: key.type for key in list_keys()}
    assert types["train.batch"] == "whole number from 1 to 1,000,000"
    assert types["train.ema"] == "number from 0 below 1 or a schedule"
    assert types["train.precision"] == "auto, fp32, bf16 or fp16"
    assert types["optimizer.betas"] == "[number or a schedule, number or a schedule]"


def test_the_list_imports_no_torch():
    code = "import sys; from ganzoo.recipe.keys import list_keys; list_keys(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_list_is_whole_also_after_the_public_name_of_a_recipe_was_used():
    """A public class says that it is in `ganzoo`; its code is elsewhere."""
    code = "import ganzoo; ganzoo.Recipe; from ganzoo.recipe.keys import list_keys; print(len(list_keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(list_keys())


@pytest.mark.parametrize(
    ("key", "meant"), [("steps", "train.steps"), ("lr", "optimizer.lr"), ("epochs", "train.epochs")]
)
def test_a_key_without_its_section_is_told_the_section(key, meant):
    with pytest.raises(ganzoo.BadInput, match=f"unknown key '{key}'; did you mean '{meant}'"):
        ganzoo.Recipe.load("vanilla", **{key: 5})


def test_the_name_of_a_class_is_told_how_a_file_is_written():
    with pytest.raises(ganzoo.BadInput, match=r"unknown loss 'Mine'; a class of a file is written \./FILE\.py:Mine"):
        ganzoo.train("vanilla", loss="Mine", quiet=True)
