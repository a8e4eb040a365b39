"""Options of what a plugin registers, every value of those that have a few, and refusals of them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, get_args, get_origin

from ganzoo.errors import Error, Failed
from ganzoo.recipe.build import ResolvedClass
from ganzoo.recipe.options import make_option_schema
from ganzoo.testing.check import Skipped

Options = Mapping[str, Any]
"""Options of an architecture or a loss; those of one player only are in a dict under the player's name."""


def describe_refusals(refusals: Mapping[tuple[int, ...], Error]) -> str:
    """Return what an architecture said to images of each shape, and how to have others tried."""
    said = "; ".join(dict.fromkeys(map(str, refusals.values())))
    if len(refusals) == 1 or any(isinstance(refusal, Failed) for refusal in refusals.values()):
        return said
    tried = ", ".join(" x ".join(map(str, image)) for image in refusals)
    return f"{said}; tried images of {tried}: give another by checks(..., image=(c, h, w)) or check --image c,h,w"


def by_dotted_name(options: Options) -> dict[str, Any]:
    """Return options of both players as a recipe names them, such as "generator.width"."""
    return {f"{side}.{name}": value for side, own in options.items() for name, value in own.items()}


def check_given(found: ResolvedClass[Any], options: Options, facts: Collection[str] = ()) -> None:
    """Raise `Skipped` where a class takes an option without a default that is neither among these nor a fact."""
    fields = make_option_schema(found.cls).model_fields
    required = [name for name, field in fields.items() if field.is_required() and name not in {*options, *facts}]
    if required:
        advice = f"give checks(..., options={{'{found.registration.name}': {{'{required[0]}': ...}}}})"
        kind = found.registration.kind
        advice += ", or batch=function(n, rng) -> dict for what comes from the data" * (kind == "architecture")
        raise Skipped(f"it has options without a default ({', '.join(required)}), which no recipe gives: {advice}")


def option_variants(cls: Callable[..., object]) -> list[Options]:
    """Return the defaults of a class, and every other value of a `Literal` or boolean option, one at a time."""
    found: list[Options] = [{}]
    for name, field in make_option_schema(cls).model_fields.items():
        found += [{name: value} for value in values_of(field.annotation) if value != field.default]
    return found


def values_of(annotation: Any) -> tuple[Any, ...]:
    """Return every value of an option that has a few only: of a `Literal`, a boolean, or a union with them."""
    if annotation is bool:
        return (True, False)
    inside = get_args(annotation)
    return inside if get_origin(annotation) is Literal else tuple(v for each in inside for v in values_of(each))
