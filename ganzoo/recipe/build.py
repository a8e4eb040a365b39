"""Turn names and options into networks and losses; the signature of a constructor is the schema of its options."""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from torch import nn

from ganzoo._faults import call_plugin
from ganzoo.contract import Generator, Loss
from ganzoo.engine.schedule import Schedule, read_schedule
from ganzoo.engine.scheduled import Scheduled, list_schedulable
from ganzoo.engine.settings import SIDES
from ganzoo.engine.validation import is_schedule, validate
from ganzoo.errors import BadInput, NoLabels
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.given import BASES, Given
from ganzoo.recipe.lookup import NOTHING, find_class, load_class
from ganzoo.recipe.names import is_in_file
from ganzoo.recipe.options import check_options, make_option_schema, raise_unknown_option
from ganzoo.recipe.recipe import Recipe
from ganzoo.recipe.sections import Architecture, CallbackUse, LossUse

B = TypeVar("B")
T = TypeVar("T", covariant=True)
NO_CHANGES: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class ResolvedClass(Generic[T]):
    """A class that a plugin registered, or that the user gave, with every option it takes."""

    registration: Registration
    cls: Callable[..., T]
    options: Mapping[str, Any] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    """Those of options that vary; `options` has their first values."""

    def make(self, **facts: Any) -> T:
        """Return an instance for data with these `facts`.

        Raises `BadInput` if the data lack a fact that it needs, or if it refuses the data or an option.
        """
        parameters = inspect.signature(self.cls).parameters
        for name, parameter in parameters.items():
            if facts.get(name) is None and name not in self.options and is_required(parameter):
                lacking = f"{self.label} needs '{name}', which this data does not have"
                if name == "classes":
                    raise NoLabels(lacking)
                raise BadInput(lacking)
        known = {
            name: value
            for name, value in facts.items()
            if name in parameters and value is not None and not is_only_namesake(parameters[name], value)
        }
        return call_plugin(self.label, self.cls, **{**self.options, **known})

    def takes(self, fact: str) -> bool:
        """Return True if the constructor takes this fact about the data, such as "classes"."""
        return fact in inspect.signature(self.cls).parameters

    @property
    def written_options(self) -> dict[str, Any]:
        """The options as a recipe has them."""
        return {**self.options, **{key: schedule.written_out() for key, schedule in self.schedules.items()}}

    @property
    def label(self) -> str:
        """Its name in messages: "loss 'hinge'"."""
        return f"{self.registration.kind} '{self.registration.name}'"


def is_only_namesake(parameter: inspect.Parameter, fact: Any) -> bool:
    """Return whether a parameter is an option with a default that is called like a key of the data by chance.

    Such as `depth: int = 4`, where the data have a key "depth": a number or text cannot be the shape of that key.
    """
    plain = parameter.annotation in (int, float, bool, str, "int", "float", "bool", "str")
    return plain and not is_required(parameter) and isinstance(fact, tuple | list)


def is_required(parameter: inspect.Parameter) -> bool:
    """Return whether a constructor cannot be called without this parameter."""
    variable = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not variable


@dataclass(frozen=True)
class ResolvedArchitecture:
    """The classes of both sides."""

    generator: ResolvedClass[Generator]
    discriminator: ResolvedClass[nn.Module]

    def __getitem__(self, side: str) -> ResolvedClass[nn.Module]:
        return self.generator if side == "generator" else self.discriminator

    def items(self) -> list[tuple[str, ResolvedClass[nn.Module]]]:
        """Return each side's name with its class, the discriminator first."""
        return [(side, self[side]) for side in SIDES]


@dataclass(frozen=True)
class ResolvedRecipe:
    """A recipe with every option written out, and the classes that it names, each found once."""

    recipe: Recipe
    architecture: ResolvedArchitecture
    losses: Sequence[ResolvedClass[Loss]]
    callbacks: Sequence[ResolvedClass[Any]]
    data: Registration | None = None
    """What brings the data set, where that is a plugin and it has been opened."""

    @property
    def registrations(self) -> list[Registration]:
        """The plugins' registrations of all classes in use."""
        used = [self.architecture.generator, self.architecture.discriminator, *self.losses, *self.callbacks]
        return [*(each.registration for each in used), *([self.data] if self.data else [])]

    def make_losses(self) -> list[Scheduled]:
        """Return new losses, each with its weight and schedule."""
        return [schedule(*loss) for loss in zip(self.recipe.loss, self.losses, strict=True)]


def seen_facts(facts: Mapping[str, Any], losses: Iterable[Scheduled]) -> dict[str, Any]:
    """Return what the discriminator is built for: the facts of the data, as the views of the losses change them."""
    for loss in losses:
        facts = loss.call("seen_facts", facts)
    return dict(facts)


def create(
    name: str,
    *,
    image: tuple[int, int, int] | None = None,
    point: tuple[int] | None = None,
    classes: int | None = None,
    **options: Any,
) -> tuple[Generator, nn.Module]:
    """Return a new `(generator, discriminator)` of an architecture by name, for samples of that shape.

    The shape is (channels, height, width) for images and (dimensions,) for points. Options are the architecture's own,
    and what else it takes from its data, such as `rate=16000`; `generator={...}` and `discriminator={...}` hold options
    for one of them alone.
    Raises `BadInput` for an unknown name or option, and for a shape that the architecture does not support.
    """
    found = resolve_architecture(validate(Architecture, {"name": name, **options}, "architecture"), facts=None)
    facts = {"image": image, "point": point, "classes": classes}
    return found.generator.make(**facts), found.discriminator.make(**facts)


def resolve(
    recipe: Recipe,
    changes: Mapping[str, Any] = NO_CHANGES,
    callback: type = object,
    given: Given = NOTHING,
    facts: Collection[str] | None = None,
) -> ResolvedRecipe:
    """Find the classes that a recipe names; return it with `changes`, every option of theirs, and their full names.

    `callback` is the base class of callbacks, `given` what Python code gives, `facts` the names of what the networks
    get from the data, None while these are not known. Raises `BadInput` if a name or an option is wrong.
    """
    architecture = resolve_architecture(recipe.architecture, given, facts)
    losses = [resolve_loss(section, given) for section in recipe.loss]
    callbacks: list[ResolvedClass[Any]] = [resolve_callback(section, callback) for section in recipe.callback]
    table = recipe.written_out()
    table["architecture"] = write_architecture(recipe.architecture, architecture)
    for section, found in zip(table["loss"] + table.get("callback", []), [*losses, *callbacks], strict=True):
        section.update({"name": found.registration.full_name, **found.written_options})
    return ResolvedRecipe(Recipe.load(table, **changes), architecture, losses, callbacks)


def complete(recipe: Recipe, given: Given = NOTHING, facts: Collection[str] | None = None) -> Recipe:
    """Return the recipe with every option of its architecture, losses and callbacks; `facts` as in `resolve`."""
    return resolve(recipe, given=given, facts=facts).recipe


def write_architecture(section: Architecture, found: ResolvedArchitecture) -> dict[str, Any]:
    """Return a recipe's architecture with every option of each side, and with full names."""
    shared = section.name is not None and not is_in_file(section.name)  # of one file each side is another class
    table: dict[str, Any] = {"name": section.name} if shared else {}
    for side, part in found.items():
        named = {"name": part.registration.full_name}
        table[side] = dict(part.options)
        (table[side] if "name" in section.side(side) or not shared else table).update(named)
    return table


def resolve_architecture(
    section: Architecture, given: Given = NOTHING, facts: Collection[str] | None = None
) -> ResolvedArchitecture:
    """Find both sides of a recipe's architecture, with every option; `facts` as in `resolve`."""
    discriminator = resolve_class("architecture", section.side_name("discriminator"), "discriminator", nn.Module, given)
    generator = resolve_class("architecture", section.side_name("generator"), "generator", Generator, given)
    taken = {*make_option_schema(discriminator.cls).model_fields, *make_option_schema(generator.cls).model_fields}
    for key in section.shared():
        if key not in taken and key not in replaced_options(section):
            raise_unknown_option("architecture", key, taken)
    judging = collect_side_options(section, "discriminator", discriminator.cls, facts)
    making = collect_side_options(section, "generator", generator.cls, facts)
    return ResolvedArchitecture(replace(generator, options=making), replace(discriminator, options=judging))


def replaced_options(section: Architecture) -> set[str]:
    """Return the options of those sides of the named architecture that others play instead: they stand for nothing."""
    replaced = [side for side in SIDES if section.name and "name" in section.side(side)]
    found = [find_class("architecture", str(section.name), side, BASES[side])[1] for side in replaced]
    return {option for cls in found for option in make_option_schema(cls).model_fields}


def collect_side_options(
    section: Architecture, side: str, cls: Callable[..., object], facts: Collection[str] | None
) -> dict[str, Any]:
    """Return all options of one side: its own, and those for both sides that it has."""
    allowed, own = make_option_schema(cls).model_fields, section.own(side)
    for key in own.keys() - allowed.keys():
        raise_unknown_option(f"architecture.{side}", key, allowed)
    shared = {key: value for key, value in section.shared().items() if key in allowed}
    return check_options(cls, shared | own, f"architecture.{side}", facts)


def resolve_loss(section: LossUse, given: Given = NOTHING) -> ResolvedClass[Loss]:
    """Find the class of a recipe's loss, with every option."""
    return add_options(resolve_class("loss", section.name, "loss", Loss, given), section)


def resolve_callback(section: CallbackUse, base: type[B]) -> ResolvedClass[B]:
    """Find the class of a recipe's callback, with every option."""
    return add_options(resolve_class("callback", section.name, "callback", base), section)


def add_options(found: ResolvedClass[B], section: LossUse | CallbackUse) -> ResolvedClass[B]:
    """Return a class with all of its options, those of a recipe's section checked against its constructor."""
    kind, taken, reserved = (
        found.registration.kind,
        make_option_schema(found.cls).model_fields,
        type(section).model_fields,
    )
    for key in taken.keys() & reserved.keys():
        raise BadInput(f"{found.label} has an option '{key}', which is a key of every {kind}; it must be renamed")
    where, options = f"{kind}.{section.name}", section.options()
    schedules = read_schedules(found, options, where)
    for key in options.keys() - taken.keys() - schedules.keys():
        raise_unknown_option(where, key, {*taken, *reserved} - {"name"})
    ends = []
    for place in (-1, 0):
        values = {**options, **{key: each.ends[place] for key, each in schedules.items()}}
        ends.append(check_options(found.cls, {key: value for key, value in values.items() if key in taken}, where))
    return replace(found, options=ends[-1], schedules=schedules)


def read_schedules(found: ResolvedClass[B], options: Mapping[str, Any], where: str) -> dict[str, Schedule]:
    """Return the schedules among options of a class that says which may vary. Raises `BadInput` for a wrong one."""
    schedulable = list_schedulable(getattr(found.registration, "thing", found.cls))
    schedules = {key: options[key] for key in schedulable if is_schedule(options.get(key))}
    return {key: call_plugin(f"{where}.{key}", read_schedule, table) for key, table in schedules.items()}


def schedule(section: LossUse, found: ResolvedClass[Loss]) -> Scheduled:
    """Return a new loss with the weight and schedule of its section, and with its bare name."""
    name = found.registration.name
    if found.schedules and found.options:  # the loss may refuse the last values as it refuses the first
        replace(found, options={**found.options, **{key: each.to for key, each in found.schedules.items()}}).make()
    made = found.make()
    return Scheduled(made, name, section.weight, section.every, section.start, section.stop, found.schedules)


def resolve_class(kind: str, name: str, part: str, base: type[B], given: Given = NOTHING) -> ResolvedClass[B]:
    """Find the class that an installed plugin registers under a name, or that stands in a file or is `given`.

    Raises `BadInput` if there is none, or if it is not a subclass of `base`.
    """
    return ResolvedClass(*find_class(kind, name, part, base, given))


def resolve_registered(kind: str, name: str, part: str, base: type[B]) -> ResolvedClass[B]:
    """Find the class that an installed plugin registers under a name, which may come from a stranger: no file is run.

    Raises `BadInput` as `resolve_class` does.
    """
    registration = catalog().find(kind, name)
    return ResolvedClass(registration, load_class(registration, part, base))
