"""Find the class behind a name in a recipe: one that a plugin registers, one in a file, or one that Python code gives.

This is the only place that tells the three apart.
"""

import inspect
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from torch import nn

from ganzoo.contract import Generator, Loss
from ganzoo.errors import BadInput, suggest
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.files import InFile, find_in_file, hint_at_file
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.given import FromPython, Given, how_to_give
from ganzoo.recipe.names import bare_name, is_given, is_in_file

NOTHING: Given = MappingProxyType({})
"""What Python code gives where none does."""


def find_class(kind: str, name: str, part: str, base: type, given: Given = NOTHING) -> tuple[Registration, Any]:
    """Find the registration and class behind a name; of a file or from Python code also where no plugin has it.

    Raises `BadInput` if there is none, or if it is not a subclass of `base`.
    """
    registration = find_registration(kind, part, name, lambda cls: is_fit(cls, part, base), given)
    return registration, load_class(registration, part, base)


def load_class(registration: Registration, part: str, base: type) -> Any:
    """Return the class of a registration; of an object from Python code a function that copies it.

    Raises `BadInput` if it is not a subclass of `base`.
    """
    found = registration.resolve(part)
    is_object = isinstance(registration, FromPython) and not isinstance(found, type)
    cls = type(found) if is_object else found
    # A plugin may use one class for both sides: plugins that do so have always worked.
    if not (is_fit(cls, part, base) if registration.given_as else is_subclass(cls, base)):
        raise BadInput(describe_misfit(registration, part, base, cls))
    return registration.factory if isinstance(registration, FromPython) else found


def find_registration(kind: str, part: str, name: str, fits: Callable[[Any], bool], given: Given) -> Registration:
    """Return what stands behind a name, whether it `fits` or not."""
    if name in given:
        return given[name]
    if is_given(name):
        raise BadInput(f"the {kind} '{bare_name(name)}' came from Python code, which must {how_to_give(kind)}")
    if is_in_file(name):
        return find_in_file(kind, part, name, fits)
    try:
        return catalog().find(kind, name)
    except BadInput:
        if meant := hint_at_file(name):
            raise BadInput(f"unknown {kind} '{name}'; did you mean {meant}?") from None
        raise


def is_subclass(cls: Any, base: type) -> bool:
    """Return whether something is a class, and one of that base."""
    return isinstance(cls, type) and issubclass(cls, base)


def is_fit(cls: Any, part: str, base: type) -> bool:
    """Return whether a class can be that part: a generator and a loss are networks, but no discriminators."""
    is_other = part == "discriminator" and (is_subclass(cls, Generator) or is_subclass(cls, Loss))
    return is_subclass(cls, base) and not is_other


def describe_misfit(registration: Registration, part: str, base: type, cls: Any) -> str:
    """Return the sentence about a class, or something else, that cannot be that part."""
    wanted = "torch.nn.Module" if base is nn.Module else f"ganzoo.{base.__name__}"
    if is_subclass(cls, base):
        kind = "generator" if issubclass(cls, Generator) else "loss"
        return f"'{registration.full_name}' is a {kind}, and cannot be the {part}: that is any other {wanted}"
    if isinstance(registration, InFile):
        fitting = [each for each, found in registration.classes.items() if is_fit(found, part, base)]
        others = f"; {suggest(registration.name, fitting)}" if fitting else ""
        return f"'{registration.full_name}' is {describe(cls)}, and not a subclass of {wanted}{others}"
    target = registration.targets.get(part, registration.full_name)
    where = f"{registration.kind} '{registration.name}' of {registration.distribution}"
    return f"{where}: '{target}' is not a subclass of {wanted}"


def describe(thing: Any) -> str:
    """Return what something is, in words."""
    if isinstance(thing, type):
        return "a class"
    return "a function" if inspect.isroutine(thing) else f"a {type(thing).__name__} object"
