"""Recipes: the one configuration there is. TOML and overrides in, a validated `Recipe` out. No torch here."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import Field

from ganzoo._io import read_bytes, write_bytes
from ganzoo.engine.settings import Optimizer, Section, Train, validate
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.recipe.overrides import change, check_misplaced, flatten, plain_copy, precedence
from ganzoo.recipe.sections import Architecture, Data, LossUse


class Recipe(Section):
    """All that a training needs to know."""

    name: str = Field("run", pattern=r"^\w[\w .-]*$")
    """What runs are called; the recipe's own name or file name, if nothing is said."""
    architecture: Architecture
    loss: list[LossUse] = Field(min_length=1)
    data: Data = Field(default_factory=Data)
    train: Train = Field(default_factory=Train)
    optimizer: Optimizer = Field(default_factory=Optimizer)

    @classmethod
    def load(cls, source: "str | Path | Mapping[str, Any] | Recipe", **overrides: Any) -> "Recipe":
        """A recipe by its name in an installed plugin, from a TOML file, or from a dict, with changes.

        Overrides are sections (`train={"steps": 100}`, `data="mnist"`) or dotted keys
        (`**{"loss.gradient-penalty.weight": 5}`). A new `name` starts its section anew.
        Raises `BadInput` with one sentence for an unknown name or key, a wrong type or range, and malformed TOML.
        """
        table = cls.table(source)
        if isinstance(source, str | Path):
            table.setdefault("name", find_recipe(source).stem)
        changes = flatten(overrides)
        if {"train.steps", "train.epochs"} <= changes.keys():
            raise BadInput("train: give steps or epochs, not both")
        for path in sorted(changes, key=precedence):
            check_misplaced(path)
            change(table, path, changes[path])
        return validate(cls, table)

    @classmethod
    def table(cls, source: "str | Path | Mapping[str, Any] | Recipe") -> dict[str, Any]:
        """The plain, unvalidated content of a recipe."""
        if isinstance(source, Recipe):
            return source.written_out()
        if isinstance(source, Mapping):
            return plain_copy(source)
        return read_toml(find_recipe(source))

    def written_out(self) -> dict[str, Any]:
        """The whole recipe as plain values, defaults included; what is None is left out."""
        table = self.model_dump(mode="json", exclude_none=True, exclude={"optimizer"})
        return table | {"optimizer": plain_copy(self.optimizer.written_out())}

    def save(self, path: Path) -> None:
        """Write the whole recipe as TOML."""
        write_bytes(path, tomlkit.dumps(self.written_out()).encode())


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Which keys differ between two written out recipes, as {"optimizer.lr": [old, new]}; None for one not there."""
    before, after = (flatten(by_name(table)) for table in (old, new))
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    return {path: [before.get(path), after.get(path)] for path in paths}


def by_name(table: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's content with its losses by name, or by number where a name stands twice."""
    names = [loss["name"] for loss in table["loss"]]
    keys = [name if names.count(name) == 1 else str(number) for number, name in enumerate(names)]
    return {**table, "loss": dict(zip(keys, table["loss"], strict=True))}


def find_recipe(source: str | Path) -> Path:
    """The file of a recipe: a path that ends in .toml, or a name from an installed plugin."""
    path = Path(source)
    if path.suffix == ".toml":
        return path
    return Path(catalog().find("recipe", str(source)).targets["file"])


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file; `BadInput` for one that cannot be read, with the line for a malformed one."""
    try:
        return tomllib.loads(read_bytes(path).decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}") from error
