"""What every callback promises, each as a function of what a plugin registers."""

from collections.abc import Callable

from ganzoo.plugins.registration import Registration
from ganzoo.recipe.build import resolve_class
from ganzoo.training.callbacks import Callback


def is_a_callback_class(thing: Registration) -> None:
    """It can be imported, and derives from `ganzoo.Callback`."""
    resolve_class("callback", thing.full_name, "callback", Callback)


CHECKS: tuple[Callable[[Registration], None], ...] = (is_a_callback_class,)
