import pytest

import ganzoo

RECIPES = ["r3gan-32", "r3gan-64", "r3gan-stacked-mnist"]


@pytest.mark.parametrize("name", RECIPES)
def test_the_recipes_say_what_the_paper_says(name):
    recipe = ganzoo.Recipe.load(name)
    use = recipe.loss[0]
    assert (use.name, use.every, use.weight) == ("relativistic", 1, 1)
    first, second = recipe.optimizer.betas
    assert (recipe.optimizer.name, first, second.ends) == ("adam", 0, (0.9, 0.99))
    gammas = [use.options()[key] for key in ("r1", "r2")]
    assert gammas[0] == gammas[1]
    assert gammas[0]["from"] == pytest.approx(10 * gammas[0]["to"])
    assert recipe.optimizer.lr.from_ == 4 * recipe.optimizer.lr.to
    assert recipe.train.ema.from_ < recipe.train.ema.to
    varying = [recipe.optimizer.lr, second, recipe.train.ema]
    assert {(each.kind, each.over) for each in varying} == {("cosine", recipe.train.steps // 2)}
    assert {(gamma["kind"], gamma["over"]) for gamma in gammas} == {("cosine", recipe.train.steps // 2)}
