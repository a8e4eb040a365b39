"""Changes to a recipe's plain content: dotted keys and nested tables."""

import tomllib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ganzoo.engine.settings import SIDES
from ganzoo.errors import BadInput, suggest
from ganzoo.recipe.sections import PLAIN


def parse_value(text: str) -> Any:
    """Read a value as TOML does, else take the text itself: `3`, `1e-4`, `[0.0, 0.9]`, `true`, `linear`."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def flatten(overrides: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested overrides as dotted paths; lists are values."""
    flat: dict[str, Any] = {}
    for key, value in overrides.items():
        path = f"{before}{key}"
        if isinstance(value, BaseModel):
            value = value.model_dump(exclude_unset=True)
        flat.update(flatten(value, f"{path}.") if isinstance(value, Mapping) else {path: value})
    return flat


def find_section(key: str) -> str:
    """Return the dotted path of the key of that name in any section; empty where there is none."""
    return next((f"{name}.{key}" for name, model in PLAIN.items() if key in model.model_fields), "")


def check_misplaced(path: str) -> None:
    """Raise `BadInput` for a key that is known, but in another section: `train.lr`."""
    section, _, key = path.partition(".")
    elsewhere = find_section(key)
    if section in PLAIN and elsewhere and key not in PLAIN[section].model_fields:
        raise BadInput(f"unknown key '{path}'; did you mean '{elsewhere}'?")


def precedence(path: str) -> int:
    """Return the order of changes: names first, since they empty their section; one side's keys after both sides'."""
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
    # Steps and epochs exclude each other: the newer one counts. A key for both sides replaces either side's own.
    place.pop({"steps": "epochs", "epochs": "steps"}.get(key, ""), None)
    for own in (place.get(side) for side in SIDES if way and key != "name"):
        if isinstance(own, dict):
            own.pop(key, None)
    place[key] = {"name": value} if not way and key != "name" and isinstance(value, str) else value


def enter(place: Any, word: str, path: str) -> Any:
    """Return the table below `place`, made where there is none; a name alone becomes a table."""
    key: Any = position(place, word, path) if isinstance(place, list) else word
    below = place[key] if isinstance(place, list) else place.setdefault(word, {})
    if isinstance(below, str):
        below = place[key] = {"name": below}
    if not isinstance(below, dict | list):
        raise BadInput(f"{path}: '{word}' is a value and has no keys")
    return below


def position(items: list[Any], word: str, path: str) -> int:
    """Return the index of the item that a word means: its name, or its number from 0."""
    names = [str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in items]
    if word in names:
        return names.index(word)
    if word.isdigit() and int(word) < len(items):
        return int(word)
    raise BadInput(f"{path}: the recipe has no '{word}' there; {suggest(word, names)}")


def plain_copy(value: Any) -> Any:
    """Return a deep copy of plain values, tuples as lists."""
    if isinstance(value, Mapping):
        return {key: plain_copy(item) for key, item in value.items()}
    return [plain_copy(item) for item in value] if isinstance(value, list | tuple) else value
