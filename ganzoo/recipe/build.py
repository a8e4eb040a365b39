"""From names and options to networks and losses: constructor signatures are the schema of the options."""

import inspect
import json
import typing
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model
from torch import nn

from ganzoo._faults import call_plugin
from ganzoo.contract import Generator, Loss
from ganzoo.engine.scheduled import Scheduled
from ganzoo.engine.settings import SIDES, validate
from ganzoo.errors import BadInput, suggest
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.recipe import Recipe
from ganzoo.recipe.sections import Architecture, LossUse

FACTS = ("image", "point", "classes")
"""Constructor parameters that come from the data and are no options."""


@dataclass
class ResolvedClass:
    """A class that a plugin provides, with every option it takes."""

    provided: Registration
    cls: type[nn.Module]
    options: dict[str, Any] = field(default_factory=dict)

    def make(self, **facts: Any) -> Any:
        """An instance. Raises `BadInput` where the data lacks what it needs, or it refuses the data or an option."""
        parameters = inspect.signature(self.cls).parameters
        for name in FACTS:
            if name in parameters and parameters[name].default is parameters[name].empty and facts.get(name) is None:
                how = "; sub-folders of a folder of images become classes" if name == "classes" else ""
                raise BadInput(f"{self.label} needs '{name}', which this data does not have{how}")
        known = {name: value for name, value in facts.items() if name in parameters and value is not None}
        return call_plugin(self.label, self.cls, **known, **self.options)

    @property
    def label(self) -> str:
        """How sentences speak of it."""
        return f"{self.provided.kind} '{self.provided.name}'"


def create(
    name: str,
    *,
    image: tuple[int, int, int] | None = None,
    point: tuple[int] | None = None,
    classes: int | None = None,
    **options: Any,
) -> Any:
    """A new `(generator, discriminator)` of an architecture by name, for samples of that shape.

    That is (channels, height, width) for images and (dimensions,) for points. Options are the architecture's own;
    `generator={...}` and `discriminator={...}` hold what is one side's alone.
    Raises `BadInput` for an unknown name or option and for a shape that the architecture cannot make.
    """
    parts = resolve_architecture(validate(Architecture, {"name": name, **options}, "architecture"))
    return tuple(parts[side].make(image=image, point=point, classes=classes) for side in ("generator", "discriminator"))


def resolve_architecture(section: Architecture) -> dict[str, ResolvedClass]:
    """Both sides of a recipe's architecture, every option written out."""
    parts = {side: resolve_class("architecture", section.side_name(side), side) for side in SIDES}
    allowed = {side: option_schema(part.cls).model_fields for side, part in parts.items()}
    for key in section.shared():
        if not any(key in fields for fields in allowed.values()):
            unknown_option("architecture", key, {name for fields in allowed.values() for name in fields})
    for side, part in parts.items():
        own = section.own(side)
        for key in own.keys() - allowed[side].keys():
            unknown_option(f"architecture.{side}", key, allowed[side])
        given = {key: value for key, value in section.shared().items() if key in allowed[side]} | own
        part.options = check_options(part.cls, given, f"architecture.{side}")
    return parts


def resolve_losses(sections: Iterable[LossUse]) -> list[tuple[LossUse, ResolvedClass]]:
    """Each loss of a recipe with its part, every option written out."""
    found = []
    for section in sections:
        part = resolve_class("loss", section.name, "loss")
        for key in option_schema(part.cls).model_fields.keys() & LossUse.model_fields.keys():
            raise BadInput(f"{part.label} has an option '{key}', which is a key of every loss; it must be renamed")
        for key in section.options().keys() - option_schema(part.cls).model_fields.keys():
            allowed = {*option_schema(part.cls).model_fields, *LossUse.model_fields} - {"name"}
            unknown_option(f"loss.{section.name}", key, allowed)
        part.options = check_options(part.cls, section.options(), f"loss.{section.name}")
        found.append((section, part))
    return found


def schedule(section: LossUse, part: ResolvedClass) -> Scheduled:
    """The loss as the engine takes it."""
    return Scheduled(part.make(), section.name, section.weight, section.every, section.start, section.stop)


def complete(recipe: Recipe) -> Recipe:
    """The same recipe with every option of its architecture and losses written out."""
    table = recipe.written_out()
    table["architecture"] = {} if recipe.architecture.name is None else {"name": recipe.architecture.name}
    for side, part in resolve_architecture(recipe.architecture).items():
        named = {key: value for key, value in getattr(recipe.architecture, side).items() if key == "name"}
        table["architecture"][side] = named | part.options
    for written, (_, part) in zip(table["loss"], resolve_losses(recipe.loss), strict=True):
        written.update(part.options)
    return Recipe.load(table)


def resolve_class(kind: str, name: str, part: str) -> ResolvedClass:
    """The class that an installed plugin provides under a name. Raises `BadInput` where it is not what it should be."""
    provided = catalog().find(kind, name)
    cls = provided.resolve(part)
    base = {"generator": Generator, "discriminator": nn.Module, "loss": Loss}[part]
    if not (isinstance(cls, type) and issubclass(cls, base)):
        wanted = {Generator: "ganzoo.Generator", Loss: "ganzoo.Loss"}.get(base, "torch.nn.Module")
        raise BadInput(f"{kind} '{name}' of {provided.distribution}: '{provided.targets[part]}' is no {wanted}")
    return ResolvedClass(provided, cls)


def option_schema(cls: type) -> type[BaseModel]:
    """A model of the options of a class: its constructor's parameters, but for what comes from the data."""
    try:
        hints = typing.get_type_hints(cls.__init__, include_extras=True)
    except NameError as error:
        raise BadInput(f"the annotations of {cls.__module__}.{cls.__qualname__} cannot be resolved: {error}") from error
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        if name not in FACTS and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            fields[name] = (hints.get(name, Any), ... if parameter.default is parameter.empty else parameter.default)
    config = ConfigDict(extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True, protected_namespaces=())
    return create_model(cls.__name__, __config__=config, **fields)


def check_options(cls: type, given: dict[str, Any], where: str) -> dict[str, Any]:
    """All options of a class by name, the given ones checked against the annotations; None is left out."""
    schema = option_schema(cls)
    for name, option in schema.model_fields.items():
        if option.is_required() and name not in given:
            known = f"only {', '.join(FACTS[:-1])} and {FACTS[-1]} come from the data"
            raise BadInput(f"'{where}.{name}' is missing: {cls.__name__} takes it without a default, and {known}")
    options = validate(schema, given, where)
    values = {name: getattr(options, name) for name in schema.model_fields}
    try:
        json.dumps(values, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{where}: options must be plain finite numbers, words or lists of them ({error})") from error
    return {name: value for name, value in values.items() if value is not None}


def unknown_option(where: str, key: str, allowed: Iterable[str]) -> None:
    """Raise `BadInput` for an option that nothing takes."""
    if key in FACTS:
        raise BadInput(f"'{where}.{key}' comes from the data; set data.size, data.channels or data.classes instead")
    raise BadInput(f"unknown key '{where}.{key}'; {suggest(key, allowed)}")
