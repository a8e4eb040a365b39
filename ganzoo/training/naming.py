"""Tell a recipe from other things that are given in its place. No torch here."""

from pathlib import Path

from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.datasets import is_data_set


def check_is_recipe(name: str) -> None:
    """Raise `BadInput` for a data set, a run, or a folder in place of a recipe, and say how it is used."""
    if name.endswith(".toml") or "recipe" in catalog().kinds_of(name):
        return
    if is_data_set(name):
        raise BadInput(f"'{name}' is a data set, not a recipe; train a recipe on it, such as: dcgan --data {name}")
    if is_folder(name, "recipe.toml"):
        raise BadInput(
            f"'{name}' is a folder with a recipe.toml: continue a run with ganzoo train --resume {name}, "
            f"or train {name}/recipe.toml"
        )
    if is_folder(name):
        raise BadInput(
            f"'{name}' is a folder, not a recipe; train a recipe on its images, such as: dcgan --data {name}"
        )


def is_folder(name: str, inside: str = "") -> bool:
    """Return True for a folder, and a file in it if one is given; a name may be too long for the file system."""
    try:
        return Path(name).is_dir() and (not inside or Path(name, inside).is_file())
    except (OSError, ValueError):
        return False
