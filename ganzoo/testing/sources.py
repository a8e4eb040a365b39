"""The data with which the kit plays: a recipe's own where they need no download, else random ones."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.data.base import Data
from ganzoo.dataset import Spec
from ganzoo.errors import Error
from ganzoo.plugins.builtin import BUNDLED_DATA
from ganzoo.plugins.datasets import FOLDER, find_data
from ganzoo.recipe.recipe import Recipe
from ganzoo.testing.check import Skipped
from ganzoo.training.prepare import open_recipe_data


def is_here(name: str) -> bool:
    """Return whether data can be opened without a download, if at all: bundled ones, folders, and those of plugins."""
    try:
        registration, _ = find_data(name)
    except Error:
        return False  # a folder that only the author has
    return registration is FOLDER or registration.distribution != "ganzoo" or name in BUNDLED_DATA


def open_own_data(recipe: Recipe) -> Data | None:
    """Open the data of a recipe; None where it names none that are here, so that random ones stand in for them.

    Raises `Skipped` where they cannot be opened.
    """
    if recipe.data.from_python or not is_here(recipe.data.name):
        return None
    try:
        return open_recipe_data(recipe.replace(data={"workers": 0}), None)
    except Error as error:
        name = recipe.data.name
        advice = f"give checks(..., options={{'{name}': {{...}}}}) or check -o {name}.option=value"
        raise Skipped(f"the data of the recipe '{recipe.name}' cannot be opened: {error}; {advice}") from error


def stated_specs(player: nn.Module) -> Mapping[str, Spec]:
    """Return what a player itself says of the inputs that it needs."""
    needs = getattr(player, "needs", ())
    return needs if isinstance(needs, Mapping) else {}


def draw_samples(spec: Spec, n: int, rng: torch.Generator) -> Tensor:
    """Draw random samples such as networks see them."""
    if spec.classes:
        return torch.randint(len(spec.classes), (n,), generator=rng)
    low, high = spec.range or (-1, 1)
    return low + (high - low) * torch.rand(n, *spec.shape, generator=rng)


def shapes_of(made: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return what networks get to know of a batch: the shape of each key, or how many categories it has."""
    numbers = {
        key: int(value.max()) + 1 for key, value in made.items() if value.dim() == 1 and value.dtype == torch.int64
    }
    classes = {"classes": numbers["label"]} if "label" in numbers else {}
    return {key: tuple(value.shape[1:]) for key, value in made.items()} | numbers | classes
