"""Whose fault it is where something breaks: errors of plugins and data with the culprit's name."""

from collections.abc import Callable
from typing import Any

from torch import nn

from ganzoo.errors import BadInput, Error, Failed


def call_plugin(culprit: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call what a plugin or the data brings; what it raises comes with the culprit's name.

    A `ValueError` is a refusal and becomes `BadInput`, anything else `Failed`; `outer_faults` are not the callee's.
    """
    try:
        return function(*arguments, **options)
    except Error:
        raise
    except ValueError as error:
        raise BadInput(f"{culprit}: {error}") from error
    except Exception as error:
        if is_out_of_memory(error) or worker_died(error):
            raise
        raise Failed(f"{culprit} failed: {type(error).__name__}: {error}") from error


def network_name(module: nn.Module) -> str:
    """How sentences speak of a network: by the class that it is of."""
    return f"{type(module).__module__}.{type(module).__qualname__}"


def worker_died(error: BaseException) -> bool:
    """Whether torch says that a process that reads data has died: it breaks into whatever runs at that moment."""
    return isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether that error says that memory, of the computer or of the device, did not suffice."""
    words = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "ALLOC_FAILED")
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )
