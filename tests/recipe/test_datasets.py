"""Data sets that cannot be made from the options of a recipe."""

import pytest

from ganzoo.data.sources import open_data
from ganzoo.errors import BadInput, Failed
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.datasets import list_names
from ganzoo.recipe.datasets import resolve_data
from ganzoo.recipe.recipe import Recipe
from ganzoo.training.prepare import open_recipe_data

PLUGIN = """
import ganzoo

@ganzoo.hookimpl
def register_data(register):
    register("readings", "readings:Readings")
"""
CODE = """
from pathlib import Path
import ganzoo

class Readings(ganzoo.Dataset):
    def __init__(self, path: Path, column: str = ""):
        rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
        if not rows:
            raise ValueError(f"{path.name} has no rows")
        {name: number for number, name in enumerate(rows[0])}[column or rows[0][0]]
"""
FILES = {
    "not there": (None, {}, BadInput, "readings-data 1.0): cannot open '{}' (No such file or directory)"),
    "not text": (b"\xff\xfe", {}, BadInput, "invalid start byte; data.path is '{}'"),
    "code that fails": (b"a,b", {"column": "c"}, Failed, "failed: KeyError: 'c'; data.path is '{}'"),
    "words of the author": (b"", {}, BadInput, "readings-data 1.0): readings.csv has no rows"),
}


@pytest.mark.parametrize(("content", "options", "error", "words"), FILES.values(), ids=FILES)
def test_the_file_is_named_that_a_data_set_cannot_be_made_from(site, tmp_path, content, options, error, words):
    site.install("readings-data", PLUGIN)
    (site.folder / "readings.py").write_text(CODE)
    path = tmp_path / "readings.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error) as found:
        resolve_data("readings", {"path": str(path), **options}).make()
    assert str(found.value).endswith(words.format(path))


NAMED = """
import ganzoo

@ganzoo.hookimpl
def register_data(register):
    register("levels", "levels:Levels", about="flat pictures", part="shade", parts=["dark", "light"])
"""
LEVELS = """
import numpy as np
import ganzoo

class Levels(ganzoo.Dataset):
    kinds = {"image": "image"}
    def __init__(self, shade: str = "dark", seed: int = 0, source: str = "", name_of: str = ""):
        self.level = {"dark": 10, "light": 200}[shade] + seed
    def __len__(self):
        return 8
    def arrays(self):
        return {"image": np.full((8, 1, 28, 28), self.level, dtype=np.uint8)}
"""


@pytest.fixture
def levels(site):
    site.install("levels-data", NAMED)
    (site.folder / "levels.py").write_text(LEVELS)


@pytest.mark.parametrize(
    ("name", "title", "level"),
    [
        ("levels", "levels", 10),
        ("levels:light", "levels:light", 200),
        ("levels-data:levels:light", "levels:light", 200),
    ],
)
def test_a_part_of_a_name_sets_an_option(levels, name, title, level):
    data = open_data(name)
    assert data.name == title and data.images.unique().tolist() == [level]


def test_parts_of_names_are_listed_and_completed_and_near_misses_found(levels, typed):
    assert {"levels", "levels:dark", "levels:light"} <= set(list_names())
    assert {"levels"} == {name for name in list_names(parts=False) if name.startswith("levels")}
    assert "levels:<shade>" in typed("list", "data")[1]
    assert "data set 'levels:light': flat pictures" in typed("info", "levels:light")[1]
    assert "did you mean 'levels:light'" in typed("info", "levels:ligth")[2]


def test_a_part_that_is_not_there_is_the_data_sets_to_refuse(levels):
    with pytest.raises(Failed, match="KeyError: 'grey'"):
        open_data("levels:grey")


def test_options_may_have_the_names_of_what_opens_data(levels):
    recipe = Recipe.load(
        {"architecture": "vanilla", "loss": ["non-saturating"], "data": {"name": "levels", "seed": 5, "source": "mine"}}
    )
    assert open_recipe_data(recipe, None).first(2, 0)["image"].eq(15 / 127.5 - 1).all()


def test_parts_without_an_option_are_refused(site):
    site.install("levels-data", NAMED.replace('part="shade", ', ""))
    (plugin,) = [plugin for plugin in catalog().plugins if plugin.distribution == "levels-data"]
    assert "say which option the parts of its name set" in plugin.reason
