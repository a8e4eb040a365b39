"""Finds the generator's class of a model: that of a plugin, or one that the user gives."""

from dataclasses import replace

from ganzoo.contract import Generator
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.recipe.build import ResolvedClass, resolve_registered
from ganzoo.recipe.given import NetworkLike
from ganzoo.recipe.options import check_options
from ganzoo.zoo import own
from ganzoo.zoo.config import CheckedArchitecture
from ganzoo.zoo.local import LocalModel


def resolve_generator(local: LocalModel, given: NetworkLike | None = None) -> ResolvedClass[Generator]:
    """Find the generator's class of a model, with the options of its config.

    Raises `BadInput` where neither a plugin nor the user provides it.
    """
    wanted = local.config.architecture
    if given is not None:
        part = own.resolve_given(given, wanted.name)
    elif wanted.given_as:
        part = own.resolve_own(local, wanted)
    else:
        part = resolve_from_plugin(wanted)
    if own.is_object(part):
        return part  # with options of its own
    facts = [name for name, value in local.config.data.arguments.items() if value is not None]
    try:
        return replace(part, options=check_options(part.cls, wanted.options, "architecture", facts))
    except BadInput as error:
        raise BadInput(f"{error}; {versions(wanted, part)}") from error


def resolve_from_plugin(wanted: CheckedArchitecture) -> ResolvedClass[Generator]:
    """Find the generator's class that a plugin registers. Raises `BadInput` that says what to install."""
    try:
        return resolve_registered("architecture", f"{wanted.distribution}:{wanted.name}", "generator", Generator)
    except BadInput as error:
        source = f"{wanted.distribution} {wanted.version}"
        why = catalog().how_to_get(wanted.distribution) or error
        raise BadInput(f"this model needs the architecture '{wanted.name}' of {source}: {why}") from error


def versions(made: CheckedArchitecture, part: ResolvedClass[Generator]) -> str:
    """Say with which version of the plugin a model was made, and which one is installed."""
    now = part.registration
    if now.given_as:
        return f"made with '{made.name}' of {made.distribution} {made.version}, given is {now.full_name} {now.version}"
    return f"made with {made.distribution} {made.version}, installed is {now.version}"
