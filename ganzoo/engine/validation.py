"""Check the tables of a recipe: sections that are frozen, and faults as one sentence. Does not import torch."""

import re
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ganzoo.errors import BadInput, suggest

ModelT = TypeVar("ModelT", bound=BaseModel)

VARYING = (
    "optimizer.lr, alpha, momentum, weight_decay, each of betas and parts, train.ema, loss.NAME.weight, and options "
    "that a loss declares schedulable"
)
"""The numbers of a recipe that may be a schedule."""


class Section(BaseModel):
    """A section of a recipe: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True, defer_build=True)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        """Raise `BadInput`: a change in place would not be checked."""
        raise BadInput(f"'{name}' cannot be set: a recipe is frozen; make a changed copy with recipe.replace(...)")

    def __delattr__(self, name: str) -> NoReturn:
        """Raise `BadInput`, as `__setattr__` does."""
        raise BadInput(f"'{name}' cannot be deleted: a recipe is frozen; make a changed copy with recipe.replace(...)")


def validate(model: type[ModelT], table: Mapping[str, Any] | ModelT, where: str = "") -> ModelT:
    """Return a `model` made from a `table`. Raises `BadInput` with one sentence about the first fault."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise BadInput(describe_fault(error.errors()[0], model, where)) from error


def describe_fault(fault: Mapping[str, Any], model: type[BaseModel], where: str = "") -> str:
    """Return a fault that pydantic found as one sentence, with its place and, for an unknown key, the nearest ones."""
    place = ".".join(filter(None, [where, *map(str, fault["loc"])]))
    if fault["type"] == "extra_forbidden":
        return f"unknown key '{place}'; {suggest(place.rpartition('.')[2], list_keys_at(model, fault['loc'][:-1]))}"
    if place == "loss" and fault["type"] in ("missing", "too_short"):
        return "the recipe has no loss; add a [[loss]] section with a name"
    if fault["type"] == "missing":
        return f"'{place}' is missing"
    if is_schedule(fault["input"]) and place.endswith("betas"):
        return f"{place}: each number in the list may be a schedule, and not the list"
    if is_schedule(fault["input"]) and fault["type"] != "value_error":
        return f"{place} cannot follow a schedule; these can: {VARYING}"
    text = re.sub(r"valid dictionary or instance of \w+", "table", fault["msg"].removeprefix("Value error, "))
    text = text.replace("valid tuple", "list")
    if fault["type"] == "value_error":
        return f"{place}: {text}" if place else text
    return f"{place}: {text[0].lower()}{text[1:]}, got {fault['input']!r}"


def list_keys_at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """Return the keys of the section at a location in a model."""
    for word in location:
        annotation = model.model_fields[str(word)].annotation if str(word) in model.model_fields else None
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return [field.alias or name for name, field in model.model_fields.items()]


def is_schedule(value: Any) -> bool:
    """Return whether a value of a recipe is the table of a schedule, perhaps with faults: `{from = 1.0, to = 0.1}`."""
    return isinstance(value, Mapping) and bool(value.keys() & {"from", "to"})
