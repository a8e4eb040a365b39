"""ganzoo: a plugin-based zoo of generative adversarial networks.

Importing this package imports no torch; each public name loads its module when it is first used.
"""

import importlib
import sys
import warnings
from typing import TYPE_CHECKING, Any

from ganzoo._version import __version__

_HOMES = {
    "BadInput": "errors",
    "Deprecated": "errors",
    "Diverged": "errors",
    "Engine": "engine",
    "Error": "errors",
    "Failed": "errors",
    "Generator": "contract",
    "Interrupted": "errors",
    "Loss": "contract",
    "Model": "model",
    "Recipe": "recipe",
    "Run": "run",
    "Scheduled": "scheduled",
    "Step": "contract",
    "Unavailable": "errors",
    "create": "build",
    "evaluate": "evaluating",
    "hookimpl": "hookspecs",
    "load": "model",
    "testing": "testing",
    "train": "training",
}

_RENAMED: dict[str, tuple[str, str]] = {}
"""Public names of earlier versions: what took their place, and since which version."""

__all__ = ["__version__", *_HOMES]

if TYPE_CHECKING:
    from ganzoo import testing as testing
    from ganzoo.build import create as create
    from ganzoo.contract import Generator as Generator
    from ganzoo.contract import Loss as Loss
    from ganzoo.contract import Step as Step
    from ganzoo.engine import Engine as Engine
    from ganzoo.errors import BadInput as BadInput
    from ganzoo.errors import Deprecated as Deprecated
    from ganzoo.errors import Diverged as Diverged
    from ganzoo.errors import Error as Error
    from ganzoo.errors import Failed as Failed
    from ganzoo.errors import Interrupted as Interrupted
    from ganzoo.errors import Unavailable as Unavailable
    from ganzoo.evaluating import evaluate as evaluate
    from ganzoo.hookspecs import hookimpl as hookimpl
    from ganzoo.model import Model as Model
    from ganzoo.model import load as load
    from ganzoo.recipe import Recipe as Recipe
    from ganzoo.run import Run as Run
    from ganzoo.scheduled import Scheduled as Scheduled
    from ganzoo.training import train as train


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        new, since = _RENAMED[name]
        from ganzoo.errors import Deprecated

        warnings.warn(Deprecated(f"ganzoo.{name} is called ganzoo.{new} since {since}"), stacklevel=2)
        return getattr(sys.modules[__name__], new)
    if name not in _HOMES:
        raise AttributeError(f"module 'ganzoo' has no attribute '{name}'")
    module = importlib.import_module(f"ganzoo.{_HOMES[name]}")
    value = module if name == _HOMES[name] else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
