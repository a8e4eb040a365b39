"""What every callback promises, each as a function of what a plugin registers."""

from collections.abc import Callable

from ganzoo.engine.validation import validate
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.build import ResolvedClass, make_option_schema, resolve_callback, resolve_class
from ganzoo.recipe.sections import CallbackUse
from ganzoo.testing.check import Skipped, describe_options, prefix_failures
from ganzoo.testing.games import Options, option_variants
from ganzoo.training.callbacks import Callback


def is_a_callback_class(thing: Registration) -> None:
    """It can be imported, and derives from `ganzoo.Callback`."""
    find_class(thing)


def builds_with_every_option(thing: Registration) -> None:
    """It can be built with the defaults, and with each value of an option that has a few."""
    cls = find_class(thing).cls
    fields = make_option_schema(cls).model_fields
    if required := [name for name, field in fields.items() if field.is_required()]:
        raise Skipped(f"it has options without a default ({', '.join(required)}), which only a recipe can give")
    for options in option_variants(cls):
        with prefix_failures(describe_options(options)):
            make_callback(thing, options)


def find_class(thing: Registration) -> ResolvedClass[Callback]:
    """Return the registered class. Raises `BadInput` where it cannot be imported or is not a callback's."""
    return resolve_class("callback", thing.full_name, "callback", Callback)


def make_callback(thing: Registration, options: Options) -> Callback:
    """Return a new callback with these options, as a recipe gives them."""
    section = validate(CallbackUse, {"name": thing.full_name, **options}, "callback")
    return resolve_callback(section, Callback).make()


CHECKS: tuple[Callable[[Registration], None], ...] = (is_a_callback_class, builds_with_every_option)
