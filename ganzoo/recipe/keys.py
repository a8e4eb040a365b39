"""The keys of a recipe, each with type, default and meaning, as its section's class declares them. No torch here."""

import ast
import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, TypeGuard

from pydantic import BaseModel

from ganzoo import _HOMES
from ganzoo.engine.settings import SIDES
from ganzoo.recipe.recipe import Recipe
from ganzoo.recipe.sections import PLAIN_SECTIONS, Architecture, CallbackUse, LossUse

PLACES: Mapping[str, type[BaseModel]] = {
    "architecture": Architecture,
    "loss.NAME": LossUse,
    "callback.NAME": CallbackUse,
    **PLAIN_SECTIONS,
}
"""The paths below which a recipe has keys; a word in capitals stands for a name."""
OPTIONS = {
    "architecture": "Option of the networks, on each side that has it; `ganzoo info NAME` lists the options of each.",
    "loss.NAME": "Option of the loss; `ganzoo info NAME` lists the options of each.",
    "callback.NAME": "Option of the callback; `ganzoo info NAME` lists the options of each.",
    "data": "Option of the data set; `ganzoo info NAME` lists the options of each.",
}
"""What the further keys of a place mean."""


@dataclass(frozen=True)
class Key:
    """One key of a recipe.

    `path` is what `-o` takes, with NAME or OPTION for what differs. `type` says in words which values are allowed,
    and `choices` lists them where they are few. A `default` of None means that there is none; then `meaning`, the
    docstring, says what happens without the key.
    """

    path: str
    type: str
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()

    @property
    def default_text(self) -> str:
        """The default as a recipe writes it; "" if there is none."""
        return "" if self.default is None else write_value(self.default)


@cache
def list_keys() -> tuple[Key, ...]:
    """Return every key of a recipe, in the order of its sections."""
    top = [key for key in keys_of("", Recipe) if key.path == "name"]
    below = [key for place, model in PLACES.items() for key in (*keys_of(f"{place}.", model), *options_of(place))]
    return (*top, *below)


def find_keys(path: str) -> list[Key]:
    """Return the key of that path, or all keys below it; none for a path that no recipe has.

    A loss or callback may stand in it by its name or its number, and `optimizer.generator.lr` is `optimizer.lr`.
    """
    words = path.split(".")
    if words[0] == "optimizer" and len(words) > 2 and words[1] in SIDES:
        del words[1]
    return [key for key in list_keys() if begins_with(key.path.split("."), words)]


def begins_with(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Return True if a key's path, in which NAME stands for any word, begins with these words."""
    return len(words) <= len(pattern) and all(
        a == b or (a == "NAME" and b) for a, b in zip(pattern, words, strict=False)
    )


def keys_of(before: str, model: type[BaseModel]) -> Iterator[Key]:
    """Yield the keys of one section's class."""
    table = model.model_json_schema()
    meanings = read_meanings(model)
    for name, schema in table["properties"].items():
        kinds = alternatives(schema)
        words = describe_type(schema)
        choices = tuple(choice for kind in kinds for choice in list_choices(kind))
        yield Key(before + name, words, schema.get("default"), meanings.get(name, ""), choices)


def options_of(place: str) -> list[Key]:
    """Return the key that stands for the options of what a place names."""
    return [Key(f"{place}.OPTION", "as the class says", None, OPTIONS[place])] if place in OPTIONS else []


def describe_type(schema: Mapping[str, Any]) -> str:
    """Return the allowed values of a JSON schema in words."""
    if len(kinds := alternatives(schema)) > 1 or "anyOf" in schema:
        return " or ".join(map(describe_type, kinds))
    if choices := list_choices(schema):
        return " or ".join(filter(None, [", ".join(choices[:-1]), choices[-1]]))
    if "prefixItems" in schema:
        return f"[{', '.join(map(describe_type, schema['prefixItems']))}]"
    words = {"integer": "whole number", "string": "text", "object": "table", "array": "list", "schedule": "a schedule"}
    kind = schema.get("type", "any value")
    return " ".join([words.get(kind, kind), *describe_range(schema, kind == "integer")])


def alternatives(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the JSON schemas of which one must fit, without that of no value."""
    return [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]


def describe_range(schema: Mapping[str, Any], whole: bool) -> list[str]:
    """Return the words for the least and the greatest number that a JSON schema allows."""
    least, most = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if whole and above is not None:
        least, above = above + 1, None
    if least is not None and most is not None:
        return [f"from {write_number(least)} to {write_number(most)}"]
    words = {"from": least, "up to": most, "above": above, "below": below}
    return [f"{word} {write_number(value)}" for word, value in words.items() if value is not None]


def write_number(value: float) -> str:
    """Return a bound of a range, with commas in large numbers and without an empty fraction."""
    return f"{value:,}".removesuffix(".0")


def list_choices(schema: Mapping[str, Any]) -> list[str]:
    """Return the only values that a JSON schema allows, as a recipe writes them; none if there are many."""
    if schema.get("type") == "boolean":
        return ["true", "false"]
    return [str(value) for value in schema.get("enum", [])]


def write_value(value: Any) -> str:
    """Return a plain value as TOML; text alone is written without quotes, as `-o` takes it."""
    return value if isinstance(value, str) else json.dumps(value)


def read_meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstrings below the fields of a class and of those that it is made from, each on one line."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__[: model.__mro__.index(BaseModel)]):
        for field, text in pairwise(find_definition(cls).body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text(text):
                found[field.target.id] = " ".join(ast.literal_eval(text.value).split())
    return found


def find_definition(cls: type) -> ast.ClassDef:
    """Return the code of a class. A public one says that it is in `ganzoo`, which only passes it on."""
    home = f"ganzoo.{_HOMES[cls.__name__]}" if cls.__module__ == "ganzoo" else cls.__module__
    body = ast.parse(inspect.getsource(sys.modules[home])).body
    return next(node for node in body if isinstance(node, ast.ClassDef) and node.name == cls.__name__)


def is_text(statement: ast.stmt) -> TypeGuard[ast.Expr]:
    """Return True for a string that stands alone, as a docstring does."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
