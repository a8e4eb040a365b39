"""What 'ganzoo list recipes' says of ganzoo's own recipes: one whole sentence each."""

import pytest

from ganzoo.cli.listing import first_line
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.firstparty import first_party


def own():
    return [each for each in catalog().provided if each.kind == "recipe" and each.distribution in first_party()]


@pytest.mark.parametrize("recipe", own(), ids=lambda recipe: recipe.name)
def test_a_recipe_begins_with_one_whole_sentence(recipe):
    sentence = first_line(recipe)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert sentence.count(".") == 1
