"""From a recipe to its data, and what the data then settle in the recipe."""

import math
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo.data.base import Data
from ganzoo.data.named import list_names
from ganzoo.data.sources import open_data
from ganzoo.errors import BadInput
from ganzoo.recipe.recipe import Recipe
from ganzoo.zoo.references import OnHub, parse
from ganzoo.zoo.resolve import resolve_model

Source = str | Path | Iterable[dict[str, Tensor]]


def open_recipe_data(recipe: Recipe, batches: Source | None) -> Data:
    """The data that a recipe names, or what Python code passed in."""
    wanted = recipe.data
    if batches is None and wanted.from_python:
        raise BadInput("this recipe learns from batches that Python code gives: call ganzoo.train(..., data=batches)")
    source = wanted.name if batches is None else batches
    how = {"size": wanted.size, "channels": wanted.channels, "root": wanted.root, "classes": wanted.classes}
    return call_plugin("the data", open_data, source, **how, seed=recipe.train.seed)


def with_init(recipe: Recipe, batches: Source | None) -> Recipe:
    """A recipe that begins with a pretrained generator: its name made one that lasts, the data in its images' size."""
    if recipe.train.init is None:
        return recipe
    reference = parse(recipe.train.init)
    local = resolve_model(reference)
    if isinstance(reference, OnHub):
        recipe = recipe.replace(train={"init": f"hub:{reference.repository}@{local.folder.name}"})
    elif isinstance(reference, Path):
        recipe = recipe.replace(train={"init": absolute(recipe.train.init)})
    learnt, own_size = local.config.data, recipe.data.size or recipe.data.channels
    shape = learnt.shape if learnt.kind == "image" else None
    if shape and shape[1] == shape[2] and not own_size and batches is None:
        return recipe.replace(data={"size": shape[1], "channels": shape[0]})
    return recipe


def with_absolute_data(recipe: Recipe, batches: Source | None, data: Data) -> Recipe:
    """The recipe with names of its data that hold in any folder."""
    if batches is not None:
        return recipe.replace(data={"name": data.name, "classes": recipe.data.classes})
    section = recipe.data.model_dump(exclude_none=True)
    if recipe.data.root is not None:
        section["root"] = absolute(recipe.data.root)
    if recipe.data.name not in list_names():
        section["name"] = absolute(recipe.data.name)
    return recipe.replace(data=section)


def absolute(path: str) -> str:
    """A path that holds in any folder."""
    return str(Path(path).expanduser().resolve())


def epochs_to_steps(recipe: Recipe, data: Data) -> Recipe:
    """The recipe with its epochs turned into steps of this data."""
    if recipe.train.steps:
        return recipe
    if data.count is None:
        raise BadInput("train.epochs needs data of known length; say train.steps instead")
    steps = math.ceil(recipe.train.epochs * data.count / (recipe.train.batch * recipe.train.critic_steps))
    return recipe.replace(train={"steps": steps})
