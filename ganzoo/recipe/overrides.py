"""Apply changes to a recipe's plain content: dotted keys and nested tables."""

import re
import reprlib
import tomllib
from collections.abc import Container, Mapping
from typing import Any

from pydantic import BaseModel

from ganzoo._reading import MAX_DEPTH, check_values, loads_toml
from ganzoo.engine.schedule import Schedule
from ganzoo.engine.settings import LENGTHS, SIDES
from ganzoo.engine.validation import is_schedule
from ganzoo.errors import BadInput, suggest
from ganzoo.recipe.names import SECTIONS, may_be_same
from ganzoo.recipe.sections import PLAIN_SECTIONS

PARTS = {f"optimizer.{side}.parts" for side in SIDES}
"""Keys whose tables are values: one that is given takes the place of the recipe's, and does not add to it."""


WORDS = re.compile(r"\[\s*([A-Za-z_][\w -]*(?:,\s*[A-Za-z_][\w -]*)*)\s*\]")
"""A list of words without quotes."""


def parse_value(text: str) -> Any:
    """Return a value parsed as TOML, or else the text itself: `3`, `1e-4`, `[0.0, 0.9]`, `true`, `linear`.

    A shell takes quotes away, so that a list of words has none: `[eyes,hair]`. Raises `BadInput` for a value that is
    nested too deeply or a number of too many digits.
    """
    try:
        table = loads_toml(f"value = {text}")
    except tomllib.TOMLDecodeError:
        words = WORDS.fullmatch(text)
        return [word.strip() for word in words[1].split(",")] if words else text
    except ValueError as error:
        raise BadInput(f"the value {reprlib.repr(text)} cannot be read: {error}") from error
    return table["value"] if len(table) == 1 else text


def check_plain(table: Mapping[str, Any]) -> None:
    """Raise `BadInput` for values from Python that no file may hold: nested too deeply, large integers, odd text."""
    try:
        check_values(table)
    except ValueError as error:
        raise BadInput(f"the recipe, or a change of it, cannot be read: {error}") from error


def list_single(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's content, or changes of it, in which a single loss or callback is a list of one.

    It may stand there as its name alone, or as one table with a name.
    """
    single = {key for key in ("loss", "callback") if is_single(table.get(key))}
    return {key: [value] if key in single else value for key, value in table.items()}


def is_single(value: Any) -> bool:
    """Return True for a name, and for a table that has one."""
    return isinstance(value, str | BaseModel) or (isinstance(value, Mapping) and "name" in value)


def flatten(overrides: Mapping[str, Any], before: str = "", values: Container[str] = PARTS) -> dict[str, Any]:
    """Return nested overrides as dotted paths. Lists, schedules and the tables of `values` are values.

    Raises as `check_plain` does.
    """
    check_plain(overrides)
    flat: dict[str, Any] = {}
    for key, value in overrides.items():
        path = f"{before}{key}"
        if path.count(".") >= MAX_DEPTH:
            raise BadInput(f"the key '{path[:40]}...' has more than {MAX_DEPTH} words")
        if isinstance(value, BaseModel):
            value = value.written_out() if isinstance(value, Schedule) else value.model_dump(exclude_unset=True)
        nested = isinstance(value, Mapping) and not is_schedule(value) and path not in values
        flat.update(flatten(value, f"{path}.", values) if nested else {path: value})
    return flat


def find_section(key: str) -> str:
    """Return the dotted path of a key in whichever section has it; empty if none has."""
    return next((f"{name}.{key}" for name, model in PLAIN_SECTIONS.items() if key in model.model_fields), "")


def check_misplaced(path: str) -> None:
    """Raise `BadInput` for a key that belongs to another section, such as `train.lr`, or to one, such as `steps`."""
    section, _, key = path.partition(".")
    if section == "data" and key:
        return  # it may be an option of the data set
    fields = PLAIN_SECTIONS[section].model_fields if section in PLAIN_SECTIONS else ()
    misplaced = bool(fields) and key not in fields if key else path not in (*PLAIN_SECTIONS, *SECTIONS, "name")
    if misplaced and (elsewhere := find_section(key or path)):
        raise BadInput(f"unknown key '{path}'; did you mean '{elsewhere}'?")


def sort_key(path: str) -> int:
    """Return a number to sort changes by: whole sections first, then names, since they empty their section.

    Of names the outer ones come first. Keys for one side come last.
    """
    words = path.split(".")
    if len(words) == 1 or words[-1] == "name":
        return len(words) - MAX_DEPTH
    return sum(word in SIDES for word in words)


def name_sides(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes in which a side of the architecture that is its name alone, is a name."""
    sides = {f"architecture.{side}" for side in SIDES}
    return {
        f"{path}.name" if path in sides and isinstance(value, str) else path: value for path, value in changes.items()
    }


def drop_replaced(table: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Remove from a recipe's architecture in place what is left for neither side, as changes name both of them."""
    architecture = table.get("architecture")
    if all(f"architecture.{side}.name" in changes for side in SIDES):
        old = architecture if isinstance(architecture, Mapping) else {}
        table["architecture"] = {side: old[side] for side in SIDES if side in old}


def change(table: dict[str, Any], path: str, value: Any) -> None:
    """Set one dotted path in place: `train.steps`, `loss.0.weight`, `loss.r1.weight`."""
    *way, key = path.split(".")
    place: Any = table
    for word in way:
        place = enter(place, word, path)
    if isinstance(place, list):
        place[find_position(place, key, path)] = value
        return
    if way and key == "name" and not is_same(path, place.get("name"), value):
        place.clear()
    for other in LENGTHS if way == ["train"] and key in LENGTHS else ():  # one takes the place of another
        place.pop(other, None)
    # A key for both sides replaces that of either side.
    for own in (place.get(side) for side in SIDES if way and key != "name"):
        if isinstance(own, dict):
            own.pop(key, None)
    place[key] = {"name": value} if not way and key != "name" and isinstance(value, str) else value


def is_same(path: str, before: Any, value: Any) -> bool:
    """Return whether a new name at a path is one for the same thing, which keeps its options."""
    if path.partition(".")[0] in SECTIONS and isinstance(before, str) and isinstance(value, str):
        return may_be_same(before, value)
    return bool(before == value)


def enter(place: Any, word: str, path: str) -> Any:
    """Return the table of a key in `place`, a new one if there is none; a name alone becomes a table."""
    key: Any = find_position(place, word, path) if isinstance(place, list) else word
    below = place[key] if isinstance(place, list) else place.setdefault(word, {})
    if isinstance(below, str):
        below = place[key] = {"name": below}
    if not isinstance(below, dict | list):
        raise BadInput(f"{path}: '{word}' is a value and has no keys")
    return below


def find_position(items: list[Any], word: str, path: str) -> int:
    """Return the index of the item with that name, or of that number, from 0."""
    names = [str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in items]
    if found := [name for name in names if name == word] or [name for name in names if may_be_same(name, word)]:
        return names.index(found[0])
    if word.isdigit() and int(word) < len(items):
        return int(word)
    raise BadInput(f"{path}: the recipe has no '{word}' there; {suggest(word, names)}")


def copy_plain(value: Any) -> Any:
    """Return a deep copy of plain values, tuples as lists."""
    if isinstance(value, Mapping):
        return {key: copy_plain(item) for key, item in value.items()}
    return [copy_plain(item) for item in value] if isinstance(value, list | tuple) else value
