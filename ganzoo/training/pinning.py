"""Name what a recipe learns from, and begins with, so that it is found from any folder, as a run keeps it."""

from pathlib import Path
from typing import Any

from ganzoo._io import expand_user
from ganzoo.data.base import Data
from ganzoo.data.sources import Source
from ganzoo.pictures.decode import Range
from ganzoo.plugins.datasets import FOLDER, find_data
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.datasets import resolve_data
from ganzoo.recipe.recipe import Recipe
from ganzoo.recipe.sections import EVERY_DATA_SET
from ganzoo.recipe.sections import Data as DataSection
from ganzoo.zoo.references import parse


def pin_data(recipe: Recipe, batches: Source | None, data: Data) -> dict[str, Any]:
    """Return the changes of a recipe with which its data are found from any folder."""
    if batches is not None:
        name = data.name if data.opened_as == "data set" else "batches"  # which only Python code can give again
        return {"data": {"name": name, **recipe.data.model_dump(include={"classes", "holdout"})}}
    return {"data": pin_section(recipe.data, data.range)}


def find_data_plugin(recipe: Recipe) -> Registration | None:
    """Return what brings the data set of a recipe, None where ganzoo does."""
    found = find_data(recipe.data.name)[0]
    return None if found.distribution == "ganzoo" else found


def pin_section(section: DataSection, values: Range | None = None) -> dict[str, Any]:
    """Return a recipe's `[data]` with a name and paths that are valid from any folder.

    `values` are those of deep images that become black and white, where they are known.
    """
    found = resolve_data(section.name, section.options())
    if not found.is_own:
        general = section.model_dump(include={*EVERY_DATA_SET}, exclude_none=True)
        return {**general, "name": found.registration.full_name, **found.options}
    table = section.model_dump(exclude_none=True)
    if section.root is not None:
        table["root"] = make_absolute(section.root)
    if values is not None:
        table["range"] = values
    if found.registration is FOLDER:
        table["name"] = make_absolute(section.name)
    return table


def pin_paths(recipe: Recipe) -> Recipe:
    """Return a recipe whose data and pretrained generator are found from any folder."""
    changes: dict[str, Any] = {}
    if not recipe.data.from_python:
        changes["data"] = pin_section(recipe.data)
    if recipe.train.init is not None and isinstance(parse(recipe.train.init), Path):
        changes["train.init"] = make_absolute(recipe.train.init)
    return recipe.replace(**changes)


def make_absolute(path: str) -> str:
    """Return a path that is valid from any folder."""
    return str(expand_user(Path(path)).resolve())
