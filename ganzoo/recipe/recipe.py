"""Recipes: the one configuration there is. TOML and overrides in, a validated `Recipe` out. No torch here."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from ganzoo._io import reading, write_bytes
from ganzoo.engine.settings import SIDES, Optimizer, Section, Train, validated
from ganzoo.errors import BadInput, choices
from ganzoo.plugins.catalog import catalog


class Named(Section):
    """A section that may be written as its name alone: `data = "mnist"`."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class Architecture(Named):
    """Which architecture, and its options; options beside `name` go to each side that has them."""

    model_config = ConfigDict(extra="allow")

    name: str | None = None
    generator: dict[str, Any] = Field(default_factory=dict)
    """What is the generator's alone: its options, and `name` where it comes from another architecture."""
    discriminator: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _side_by_name_alone(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            value = {k: {"name": v} if k in SIDES and isinstance(v, str) else v for k, v in value.items()}
        return value

    @model_validator(mode="after")
    def _both_sides_named(self) -> Self:
        for side in SIDES:
            if not isinstance(self.side_name(side), str):
                raise ValueError(f"say which architecture: name, or {side}")
        return self

    def side_name(self, side: str) -> str:
        """The name of the architecture that this side comes from."""
        return getattr(self, side).get("name", self.name)

    def shared(self) -> dict[str, Any]:
        """Options that go to each side that has them."""
        return dict(self.model_extra or {})

    def own(self, side: str) -> dict[str, Any]:
        """Options of one side alone."""
        return {key: value for key, value in getattr(self, side).items() if key != "name"}


class LossUse(Named):
    """One loss, the engine's keys for it, and its own options."""

    model_config = ConfigDict(extra="allow")

    name: str
    weight: float = 1.0
    every: PositiveInt = 1
    """Play it on each k-th turn only, counted k times."""
    start: NonNegativeInt = 0
    """First training step in which it plays."""
    stop: PositiveInt | None = None
    """Training step from which on it no longer plays."""

    def options(self) -> dict[str, Any]:
        """The loss's own options."""
        return dict(self.model_extra or {})


class Data(Named):
    """What is learnt from: a named data set, a folder of images, or what Python code passes in."""

    name: str = Field("mnist-10k", min_length=1)
    size: PositiveInt | None = None
    """Side of the square images in pixels; a data set's own size, or 64 for folders, if nothing is said."""
    channels: Literal[1, 3] | None = None
    """1 grey, 3 colour; what the images are, if nothing is said."""
    classes: PositiveInt | None = None
    """Number of classes, where the data cannot say."""
    root: str | None = None
    """Folder of downloaded data sets; GANZOO_DATA or a cache folder of the user, if nothing is said."""

    @property
    def from_python(self) -> bool:
        """Whether Python code gives the batches, which then have a size of their own."""
        return self.name == "batches"


PLAIN: dict[str, type[Section]] = {"train": Train, "optimizer": Optimizer, "data": Data}
"""Sections that have the same keys in every recipe."""


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
        for path in sorted(changes, key=urgency):
            refuse_misplaced(path)
            change(table, path, changes[path])
        return validated(cls, table)

    @classmethod
    def table(cls, source: "str | Path | Mapping[str, Any] | Recipe") -> dict[str, Any]:
        """The plain, unvalidated content of a recipe."""
        if isinstance(source, Recipe):
            return source.written_out()
        if isinstance(source, Mapping):
            return copied(source)
        return read_toml(find_recipe(source))

    def written_out(self) -> dict[str, Any]:
        """The whole recipe as plain values, defaults included; what is None is left out."""
        table = self.model_dump(mode="json", exclude_none=True, exclude={"optimizer"})
        return table | {"optimizer": copied(self.optimizer.written_out())}

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
        return tomllib.loads(reading(path).decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}") from error


def parse_value(text: str) -> Any:
    """A value as TOML would read it, or the text itself: `3`, `1e-4`, `[0.0, 0.9]`, `true`, `linear`."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def flatten(overrides: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested overrides as dotted paths; lists are values."""
    flat: dict[str, Any] = {}
    for key, value in overrides.items():
        path = f"{before}{key}"
        if isinstance(value, BaseModel):
            value = value.model_dump(exclude_unset=True)
        flat.update(flatten(value, f"{path}.") if isinstance(value, Mapping) else {path: value})
    return flat


def somewhere(key: str) -> str:
    """Where a recipe has a key of that name, as a dotted path; empty where it has none."""
    return next((f"{name}.{key}" for name, model in PLAIN.items() if key in model.model_fields), "")


def refuse_misplaced(path: str) -> None:
    """Raise `BadInput` for a key that is known, but in another section: `train.lr`."""
    section, _, key = path.partition(".")
    elsewhere = somewhere(key)
    if section in PLAIN and elsewhere and key not in PLAIN[section].model_fields:
        raise BadInput(f"unknown key '{path}'; did you mean '{elsewhere}'?")


def urgency(path: str) -> int:
    """Names first, since they empty their section; what one side says comes after what both say."""
    words = path.split(".")
    return -1 if words[-1] == "name" else sum(word in SIDES for word in words)


def change(table: dict[str, Any], path: str, value: Any) -> None:
    """Set one dotted path in place: `train.steps`, `loss.0.weight`, `loss.r1.weight`."""
    *way, key = path.split(".")
    place: Any = table
    for word in way:
        place = enter(place, word, path)
    if isinstance(place, list):
        place[position(place, key, path)] = value
        return
    if key == "name" and place.get("name") != value:
        place.clear()
    # Steps and epochs say the same thing: the newer one counts. What is said for both sides goes before what one said.
    place.pop({"steps": "epochs", "epochs": "steps"}.get(key, ""), None)
    for own in (place.get(side) for side in SIDES if way and key != "name"):
        if isinstance(own, dict):
            own.pop(key, None)
    place[key] = {"name": value} if not way and key != "name" and isinstance(value, str) else value


def enter(place: Any, word: str, path: str) -> Any:
    """The table below `place`, made where there is none; a name alone becomes a table."""
    key: Any = position(place, word, path) if isinstance(place, list) else word
    below = place[key] if isinstance(place, list) else place.setdefault(word, {})
    if isinstance(below, str):
        below = place[key] = {"name": below}
    if not isinstance(below, dict | list):
        raise BadInput(f"{path}: '{word}' is a value and has no keys")
    return below


def position(items: list[Any], word: str, path: str) -> int:
    """Which item of a list is meant, by number from 0 or by name."""
    names = [str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in items]
    if word in names:
        return names.index(word)
    if word.isdigit() and int(word) < len(items):
        return int(word)
    raise BadInput(f"{path}: the recipe has no '{word}' there; {choices(word, names)}")


def copied(value: Any) -> Any:
    """A deep copy of plain values, tuples as lists."""
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list | tuple) else value
