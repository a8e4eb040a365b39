"""Numbers that vary while a training runs: a schedule in the place of a number. Does not import torch."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, NonNegativeInt, PositiveInt, model_validator
from pydantic_core import ValidationError, core_schema

from ganzoo.engine.validation import Section, describe_fault, is_schedule


class Schedule(Section):
    """A number that goes from one value to another: `{from = 1.0, to = 0.1, over = 5000}`.

    It is a function of the training step alone, so that a resumed run has the values of one that was not interrupted.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    from_: float = Field(alias="from")
    """The number until training step `start`, and in it."""
    to: float
    """The number when the schedule has ended."""
    over: PositiveInt | None = None
    """Training steps from `from` to `to`, 1 or more; by default all steps from `start` to the end of the training."""
    start: NonNegativeInt = 0
    """Training step with which the number begins to change, from 0."""
    kind: Literal["linear", "cosine", "exponential"] = "linear"
    """The way from one number to the other."""

    @model_validator(mode="after")
    def _has_a_way(self) -> Self:
        if self.kind == "exponential" and self.from_ * self.to <= 0:
            ends = f"{self.from_:g} and {self.to:g}"
            raise ValueError(f"exponential needs two numbers of one sign, neither of them 0, got {ends}; try cosine")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """The first and the last value."""
        return self.from_, self.to

    def at(self, index: int, total: float) -> float:
        """Return the number in training step `index` (from 0) of `total`, which is infinite where it is not known."""
        done = min(1.0, max(0.0, (index - self.start) / (self.over or max(1, total - self.start))))
        if self.kind == "exponential":
            return math.copysign(abs(self.from_) ** (1 - done) * abs(self.to) ** done, self.to)
        done = done if self.kind == "linear" else (1 - math.cos(math.pi * done)) / 2
        return (1 - done) * self.from_ + done * self.to

    def written_out(self) -> dict[str, Any]:
        """Return the table of a recipe."""
        return self.model_dump(by_alias=True, exclude_none=True)


Number = float | Schedule
"""A number of a recipe that may vary."""


def at(number: Number, index: int, total: float) -> float:
    """Return the value of a number in training step `index` of `total`."""
    return number.at(index, total) if isinstance(number, Schedule) else number


def first(number: Number) -> float:
    """Return the value of a number at the beginning of the training."""
    return number.from_ if isinstance(number, Schedule) else number


def write(number: Any) -> Any:
    """Return a number, or whatever it is, as a recipe writes it."""
    return number.written_out() if isinstance(number, Schedule) else number


def each(change: Callable[[Any], Any], value: Any) -> Any:
    """Return a value of a recipe with `change` done to each number in it: alone, in a list or in a table."""
    if isinstance(value, Mapping):
        return {key: change(number) for key, number in value.items()}
    return tuple(map(change, value)) if isinstance(value, tuple) else change(value)


def name_each(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each number in a value of a recipe with its path: `betas.0`, `parts.mapping`."""
    if isinstance(value, Mapping):
        yield from ((f"{key}.{name}", number) for name, number in value.items())
    elif isinstance(value, tuple):
        yield from ((f"{key}.{place}", number) for place, number in enumerate(value))
    else:
        yield key, value


def varies(value: Any) -> bool:
    """Return whether a value of a recipe has a schedule in it."""
    return any(isinstance(number, Schedule) for _, number in name_each("", value))


def check_ends(values: Mapping[str, Any], steps: int, before: str = "") -> None:
    """Raise `ValueError` for a schedule in a recipe that would end, with the training, before it begins."""
    for key, value in values.items():
        if is_schedule(value) and "over" not in value and value.get("start", 0) >= steps:
            where = f"{before}{key}: the schedule starts with step {value['start']} and ends with the training"
            raise ValueError(f"{where}, which has {steps} steps; lower its start, or say over how many steps it goes")
        if isinstance(value, Mapping):
            check_ends(value, steps, f"{before}{key}.")


def read_schedule(value: Mapping[str, Any] | Schedule) -> Schedule:
    """Return the schedule of a table. Raises `ValueError` with one sentence for one that cannot be."""
    try:
        return Schedule.model_validate(value)
    except ValidationError as error:
        faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        raise ValueError(describe_fault(faults[0], Schedule)) from error


@dataclass(frozen=True)
class Varying:
    """Annotates a number of a recipe that may be a schedule; the bounds hold for both ends of that.

    A schedule may begin or end with the bound `gt`, as a learning rate falls to 0.
    """

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Return how pydantic reads and writes such a number."""
        number = core_schema.float_schema(allow_inf_nan=False, gt=self.gt, ge=self.ge, lt=self.lt)
        written = core_schema.plain_serializer_function_ser_schema(write)
        return core_schema.no_info_wrap_validator_function(self._read, number, serialization=written)

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: Callable[..., Any]) -> Any:
        """Return the types that are allowed, for the reference of the recipe's keys."""
        return {"anyOf": [handler(schema), {"type": "schedule"}]}

    def _read(self, value: Any, check: Callable[[Any], float]) -> Number:
        if not isinstance(value, Schedule) and not is_schedule(value):
            return check(value)
        schedule = read_schedule(value)
        for end in schedule.ends:
            if end != self.gt:
                check(end)
        return schedule
