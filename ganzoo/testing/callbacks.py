"""What every callback promises, each as a function of what a plugin registers."""

from collections.abc import Callable

from ganzoo.errors import BadInput
from ganzoo.plugins.registration import Registration


def is_a_callback_class(thing: Registration) -> None:
    """It can be imported, and derives from `ganzoo.Callback`."""
    callback_class(thing)


def callback_class(thing: Registration) -> type:
    """Import the class of a registered callback. Raises `BadInput` for anything but a `ganzoo.Callback`."""
    from ganzoo.training.callbacks import Callback

    cls = thing.resolve("callback")
    if not (isinstance(cls, type) and issubclass(cls, Callback)):
        where = f"callback '{thing.name}' of {thing.distribution}"
        raise BadInput(f"{where}: '{thing.targets['callback']}' is not a ganzoo.Callback")
    return cls


CHECKS: tuple[Callable[[Registration], None], ...] = (is_a_callback_class,)
