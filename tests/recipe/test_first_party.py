"""The first-party recipes say what they are, and how long they take."""

import re
from pathlib import Path

import pytest

RECIPES = sorted(Path(__file__).parents[2].glob("plugins/*/*/recipes/*.toml"))
TIME = re.compile(
    r"# Takes about (\d+ seconds|a minute|\d+ minutes|an hour|[\d.]+ hours) "
    r"on (two CPU cores|one GPU) \([\d,]+ images/s\)\."
)


def lines_of(recipe: Path) -> list[str]:
    return recipe.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.stem)
def test_the_first_line_is_a_sentence_and_the_second_may_say_how_long_it_takes(recipe):
    first, second, *others = lines_of(recipe)
    assert re.fullmatch(r"# [A-Z].*\w\.", first)
    assert TIME.fullmatch(second) or second.startswith("[")
    assert not any(line.startswith("# Takes") for line in others)


def test_all_of_them_say_how_long_they_take_or_none():
    assert len({bool(TIME.fullmatch(lines_of(recipe)[1])) for recipe in RECIPES}) == 1
