"""What sets recipes apart, in a few words."""

import pytest

from ganzoo.comparison.titles import tell_apart, write_title
from ganzoo.recipe.recipe import Recipe

DCGAN = Recipe.load("dcgan").written_out()


def changed(**overrides):
    return Recipe.load("dcgan", **overrides).written_out()


@pytest.mark.parametrize(
    ("other", "titles"),
    [
        (changed(**{"train.seed": 3}), ["seed 0", "seed 3"]),
        (changed(**{"train.steps": 5000}), ["3,000 steps", "5,000 steps"]),
        (changed(**{"loss": ["hinge"]}), ["non-saturating + r1", "hinge"]),
        (changed(**{"loss.r1.gamma": 10}), ["r1.gamma 1", "r1.gamma 10"]),
        (changed(**{"optimizer.betas": [0.0, 0.99]}), ["betas [0.5, 0.9]", "betas [0, 0.99]"]),
        (changed(**{"optimizer.generator.lr": 5e-4}), ["lr 0.001", "discriminator.lr 0.001, generator.lr 0.0005"]),
        (changed(**{"train.log_every": 7, "data.workers": 2}), ["", ""]),
        (changed(**{"architecture.width": 8}), ["width 32", "width 8"]),
    ],
)
def test_two_recipes_are_called_by_what_differs(other, titles):
    assert [write_title(facts) for facts in tell_apart([DCGAN, other])] == titles


def test_recipes_of_other_names_are_compared_by_what_matters_first():
    vanilla = Recipe.load("vanilla", **{"train.steps": 3000}).written_out()
    first, second, third = map(write_title, tell_apart([DCGAN, changed(**{"optimizer.lr": 1e-5}), vanilla]))
    assert first == "dcgan, non-saturating + r1, lr 0.001"
    assert second == "dcgan, non-saturating + r1, lr 1e-05"
    assert third == "vanilla, non-saturating"


def test_a_recipe_of_which_little_is_known_and_many_differences():
    assert tell_apart([{}, {"name": "x"}]) == [{}, {"recipe": "x"}]
    assert write_title({f"k{place}": place for place in range(8)}) == "k0 0, k1 1, k2 2, k3 3, k4 4, 3 more"
