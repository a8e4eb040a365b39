"""The first-party recipes say what they are, and how long they take."""

import re
from pathlib import Path

import pytest

RECIPES = sorted(Path(__file__).parents[2].glob("plugins/*/*/recipes/*.toml"))
TIME = re.compile(
    r"# Takes about (\d+ seconds|a minute|\d+ minutes|an hour|[\d.]+ hours) "
    r"on (two CPU cores|one GPU) \([\d,]+ images/s\)\."
    r"|# Is for a GPU; how long it takes is not measured\."
)

UNMEASURED = "# For a GPU; its time has not been measured."


def lines_of(recipe: Path) -> list[str]:
    return recipe.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.stem)
def test_the_first_line_is_a_sentence_and_the_second_says_how_long_it_takes(recipe):
    first, second, *others = lines_of(recipe)
    assert re.fullmatch(r"# [A-Z].*\w\.", first)
    assert TIME.fullmatch(second) or second == UNMEASURED
    assert not any(line.startswith("# Takes") for line in others)
