"""Read the configuration of a training from TOML and overrides into a validated `Recipe`. Does not import torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from ganzoo._io import write_bytes
from ganzoo._reading import read_toml
from ganzoo.engine.schedule import check_ends
from ganzoo.engine.settings import LENGTHS, Optimizer, Train, find_second_length
from ganzoo.engine.validation import Section, validate
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.firstparty import first_party
from ganzoo.recipe.names import bare_name, known_names, make_absolute, prefer, write_in_full
from ganzoo.recipe.overrides import (
    change,
    check_misplaced,
    check_plain,
    copy_plain,
    drop_replaced,
    flatten,
    list_single,
    name_sides,
    sort_key,
)
from ganzoo.recipe.sections import Architecture, CallbackUse, Data, LossUse


class Recipe(Section):
    """The configuration of a training. It is frozen: `replace` makes a changed copy."""

    name: str = Field("run", pattern=r"^\w[\w .-]*$")
    """Name of the runs, by default that of the recipe or its file: letters, digits, spaces, dots, hyphens."""
    architecture: Architecture
    loss: list[LossUse] = Field(min_length=1)
    data: Data = Field(default_factory=Data)
    train: Train = Field(default_factory=Train)
    optimizer: Optimizer = Field(default_factory=Optimizer)
    callback: list[CallbackUse] = Field(default_factory=list)
    """Callbacks beside those of every training; they act between the steps."""

    @model_validator(mode="after")
    def _schedules_end(self) -> Self:
        if steps := self.train.steps:
            check_ends(key_losses_by_name(self.written_out()), steps)
            if self.optimizer.start >= steps:
                raise ValueError(f"optimizer.start is {self.optimizer.start}, and the training has {steps} steps")
        return self

    @classmethod
    def load(cls, source: "str | Path | Mapping[str, Any] | Recipe", **overrides: Any) -> "Recipe":
        """Load a recipe by its name in an installed plugin, from a TOML file, or from a dict, with changes.

        Overrides are sections (`train={"steps": 100}`, `data="mnist"`) or dotted keys
        (`**{"loss.gradient-penalty.weight": 5}`). A new `name` starts its section anew. A single loss, such as
        `loss="hinge"`, is a list of one.
        Raises `BadInput` with one sentence for an unknown name or key, a wrong type or range, and malformed TOML.
        """
        if isinstance(source, Recipe):
            return source.replace(**overrides)
        if isinstance(source, Mapping):
            check_plain(source)
            return cls._changed(copy_plain(source), overrides)
        file = find_recipe(source)
        table = make_absolute({"name": file.stem, **read_toml(file)}, file.parent)
        return cls._changed(prefer(table, first_meant(file)), overrides)

    def replace(self, **overrides: Any) -> "Recipe":
        """Return a copy with changes, written as in `load`; without changes, the recipe itself.

        Raises `BadInput` as `load` does.
        """
        return self._changed(self.written_out(), overrides) if overrides else self

    @classmethod
    def _changed(cls, table: dict[str, Any], overrides: Mapping[str, Any]) -> "Recipe":
        table, changes = list_single(table), name_sides(flatten(list_single(overrides)))
        known = known_names(table)
        drop_replaced(table, changes)
        if fault := find_second_length(key for key in LENGTHS if f"train.{key}" in changes):
            raise BadInput(f"train: {fault}")
        for path in sorted(changes, key=sort_key):
            check_misplaced(path)
            change(table, path, changes[path])
        return validate(cls, make_absolute(write_in_full(table, known), Path()))

    def written_out(self) -> dict[str, Any]:
        """Return the whole recipe as plain values, defaults included; keys without a value are left out."""
        excluded = {"optimizer"} if self.callback else {"optimizer", "callback"}
        table = self.model_dump(mode="json", exclude_none=True, exclude=excluded)
        return table | {"optimizer": copy_plain(self.optimizer.written_out())}

    def save(self, path: Path) -> None:
        """Write the whole recipe as TOML."""
        import tomlkit  # only to write

        write_bytes(path, tomlkit.dumps(self.written_out()).encode())


def prefer_in(recipe: Recipe, distributions: Sequence[str], ranked: bool = True) -> Recipe:
    """Return a recipe whose bare names mean what the first of these distributions provides, where several do.

    If they are not `ranked`, a name that several of them provide stays bare, and is refused where it is used.
    """
    return validate(Recipe, prefer(recipe.written_out(), distributions, ranked))


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the keys that differ between two recipes as plain values, as {"optimizer.lr": [old, new]}."""
    old, new = write_in_full(old, known_names(new)), write_in_full(new, known_names(old))
    before, after = (flatten(key_losses_by_name(table), values=()) for table in (old, new))
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    return {path: [before.get(path), after.get(path)] for path in paths}


def key_losses_by_name(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's content with its losses by name, or by number if several have the same name."""
    names = [bare_name(loss["name"]) for loss in table["loss"]]
    keys = [name if names.count(name) == 1 else str(number) for number, name in enumerate(names)]
    return {**table, "loss": dict(zip(keys, table["loss"], strict=True))}


def find_recipe(source: str | Path) -> Path:
    """Return the file of a recipe: a path that ends in .toml, or a name from an installed plugin."""
    path = Path(source)
    if path.suffix == ".toml":
        return path
    return Path(catalog().find("recipe", str(source)).targets["file"])


def first_meant(file: Path) -> list[str]:
    """Return the distributions that the bare names in a plugin's recipe mean first: its own, then ganzoo's own plugins.

    Bare names in any other file mean whatever single plugin provides them.
    """
    recipes = [thing for thing in catalog().provided if thing.kind == "recipe"]
    owner = [thing.distribution for thing in recipes if Path(thing.targets["file"]).resolve() == file.resolve()]
    return [*owner, *first_party()] if owner else []
