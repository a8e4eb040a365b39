"""Options: the annotated parameters of a constructor are their schema. No torch here."""

import inspect
import json
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, create_model

from ganzoo.dataset import LABEL
from ganzoo.engine.validation import validate
from ganzoo.errors import BadInput, suggest

FACTS = ("image", "point", "classes", "conditions")
"""Constructor parameters of networks that come from any data that have them, and are never options."""
ALWAYS = frozenset(FACTS)


@cache
def make_option_schema(cls: Callable[..., object], facts: frozenset[str] = ALWAYS) -> type[BaseModel]:
    """Return a pydantic model of the options of a class: its constructor's parameters except `facts`.

    Raises `BadInput` if an annotation cannot be resolved.
    """
    constructor = getattr(cls, "__init__")  # noqa: B009 (mypy takes the plain access for an instance's)
    try:
        hints = typing.get_type_hints(constructor, include_extras=True)
    except NameError as error:
        name = f"{cls.__module__}.{getattr(cls, '__qualname__', cls)}"
        raise BadInput(f"the annotations of {name} cannot be resolved: {error}") from error
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        if name not in facts and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            fields[name] = (hints.get(name, Any), ... if parameter.default is parameter.empty else parameter.default)
    config = ConfigDict(extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True, protected_namespaces=())
    return create_model(cls.__name__, __config__=config, **fields)


def check_options(
    cls: Callable[..., object], given: Mapping[str, Any], where: str, facts: Collection[str] | None = ()
) -> dict[str, Any]:
    """Return all options of a class by name, except those that are None; check the given ones against its annotations.

    `facts` are the names of what the data give beside `FACTS`, None while the data are not known: then they are taken
    to give what nobody else does. Raises `BadInput` for a missing option and for a wrong value.
    """
    from_data = frozenset({*FACTS, *(facts or ())})
    schema = make_option_schema(cls, from_data)
    missing = [name for name, option in schema.model_fields.items() if option.is_required() and name not in given]
    if missing and facts is None:
        schema = make_option_schema(cls, from_data.union(missing))
    elif missing:
        path = f"{where}.{missing[0]}"
        if facts:
            lacking = f"which this data does not have, and '{path}' is not set"
            if missing[0] == LABEL and "classes" in facts:
                lacking += "; the number of classes of labels is called 'classes'"
            raise BadInput(f"{cls.__name__} needs '{missing[0]}', {lacking}")
        raise BadInput(f"'{path}' is missing: {cls.__name__} takes it without a default")
    for key in given.keys() & from_data:
        raise_unknown_option(where, key, schema.model_fields, from_data)
    options = validate(schema, given, where)
    # A default that no recipe can hold, such as a class, is left to the constructor.
    kept = [name for name, option in schema.model_fields.items() if name in given or is_plain(option.default)]
    values = {name: getattr(options, name) for name in kept}
    try:
        json.dumps(values, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"{where}: options must be finite numbers, strings, booleans, or lists or tables of them ({error})"
        ) from error
    return {name: value for name, value in values.items() if value is not None}


def is_plain(value: Any) -> bool:
    """Return whether a recipe can hold a value."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def raise_unknown_option(where: str, key: str, allowed: Iterable[str], facts: Collection[str] = FACTS) -> NoReturn:
    """Raise `BadInput` for an option that does not exist, or that the data give."""
    if key in FACTS:
        raise BadInput(f"'{where}.{key}' comes from the data; set data.size, data.channels or data.classes instead")
    if key in facts:
        raise BadInput(f"'{where}.{key}' comes from the data, so it is not an option here; leave it out")
    raise BadInput(f"unknown key '{where}.{key}'; {suggest(key, allowed)}")
