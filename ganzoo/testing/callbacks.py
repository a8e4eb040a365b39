"""What every callback promises, each as a function of what a plugin registers."""

from collections.abc import Callable

from ganzoo.engine.validation import validate
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.build import ResolvedClass, resolve_callback, resolve_class
from ganzoo.recipe.sections import CallbackUse
from ganzoo.testing.check import accepting_refusal, describe_options, prefix_failures
from ganzoo.testing.variants import Options, check_given, option_variants
from ganzoo.training.callbacks import Callback


def is_a_callback_class(thing: Registration, options: Options) -> None:
    """It can be imported, and derives from `ganzoo.Callback`."""
    find_class(thing)


def builds_with_every_option(thing: Registration, options: Options) -> None:
    """It can be built with the defaults, and with each value of an option that has a few."""
    found = find_class(thing)
    check_given(found, options)
    for variant in option_variants(found.cls):
        with prefix_failures(describe_options(variant)), accepting_refusal(variant):
            make_callback(thing, {**options, **variant})


def find_class(thing: Registration) -> ResolvedClass[Callback]:
    """Return the registered class. Raises `BadInput` where it cannot be imported or is not a callback's."""
    return resolve_class("callback", thing.full_name, "callback", Callback)


def make_callback(thing: Registration, options: Options) -> Callback:
    """Return a new callback with these options, as a recipe gives them."""
    section = validate(CallbackUse, {"name": thing.full_name, **options}, "callback")
    return resolve_callback(section, Callback).make()


CHECKS: tuple[Callable[[Registration, Options], None], ...] = (is_a_callback_class, builds_with_every_option)
