"""ganzoo: a plugin-based zoo of generative adversarial networks.

Importing this package imports no torch; each public name loads its module when it is first used.
"""

import importlib
import sys
import warnings
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ganzoo._bundled import add_bundled
from ganzoo._cores import prepare_threads
from ganzoo._version import __version__

_HOMES = {
    "BadInput": "errors",
    "Callback": "training.callbacks",
    "Dataset": "dataset",
    "Deprecated": "errors",
    "Diverged": "errors",
    "Engine": "engine.loop",
    "Error": "errors",
    "Failed": "errors",
    "FeatureSuite": "evaluation.features",
    "Generator": "contract",
    "Imported": "imported",
    "Interrupted": "errors",
    "Kind": "kind",
    "Loss": "contract",
    "Metric": "evaluation.suites",
    "Model": "zoo.model",
    "RealSamples": "evaluation.real",
    "Recipe": "recipe.recipe",
    "RegisterArchitecture": "plugins.hookspecs",
    "RegisterCallback": "plugins.hookspecs",
    "RegisterData": "plugins.hookspecs",
    "RegisterImporter": "plugins.hookspecs",
    "RegisterKind": "plugins.hookspecs",
    "RegisterLoss": "plugins.hookspecs",
    "RegisterMetrics": "plugins.hookspecs",
    "Run": "training.runs.run",
    "Scheduled": "engine.scheduled",
    "Spec": "dataset",
    "Step": "contract",
    "Suite": "evaluation.suites",
    "Sweep": "comparison.sweep",
    "Trainer": "training.trainer",
    "Unavailable": "errors",
    "compare": "comparison.compare",
    "create": "recipe.build",
    "evaluate": "evaluation.evaluate",
    "hookimpl": "plugins.hookspecs",
    "import_model": "zoo.importing",
    "layers": "layers",
    "load": "zoo.model",
    "sweep": "comparison.sweep",
    "testing": "testing",
    "to_pil": "pictures.pil",
    "train": "training.train",
}

_RENAMED: dict[str, tuple[str, str]] = {}
"""Public names of earlier versions: what took their place, and since which version."""

__all__ = ["__version__", *_HOMES]

prepare_threads()  # before anything here loads torch
add_bundled()

if TYPE_CHECKING:
    from ganzoo import layers as layers
    from ganzoo import testing as testing
    from ganzoo.comparison.compare import compare as compare
    from ganzoo.comparison.sweep import Sweep as Sweep
    from ganzoo.comparison.sweep import sweep as sweep
    from ganzoo.contract import Generator as Generator
    from ganzoo.contract import Loss as Loss
    from ganzoo.contract import Step as Step
    from ganzoo.dataset import Dataset as Dataset
    from ganzoo.dataset import Spec as Spec
    from ganzoo.engine.loop import Engine as Engine
    from ganzoo.engine.scheduled import Scheduled as Scheduled
    from ganzoo.errors import BadInput as BadInput
    from ganzoo.errors import Deprecated as Deprecated
    from ganzoo.errors import Diverged as Diverged
    from ganzoo.errors import Error as Error
    from ganzoo.errors import Failed as Failed
    from ganzoo.errors import Interrupted as Interrupted
    from ganzoo.errors import Unavailable as Unavailable
    from ganzoo.evaluation.evaluate import evaluate as evaluate
    from ganzoo.evaluation.features import FeatureSuite as FeatureSuite
    from ganzoo.evaluation.real import RealSamples as RealSamples
    from ganzoo.evaluation.suites import Metric as Metric
    from ganzoo.evaluation.suites import Suite as Suite
    from ganzoo.imported import Imported as Imported
    from ganzoo.kind import Kind as Kind
    from ganzoo.pictures.pil import to_pil as to_pil
    from ganzoo.plugins.hookspecs import RegisterArchitecture as RegisterArchitecture
    from ganzoo.plugins.hookspecs import RegisterCallback as RegisterCallback
    from ganzoo.plugins.hookspecs import RegisterData as RegisterData
    from ganzoo.plugins.hookspecs import RegisterImporter as RegisterImporter
    from ganzoo.plugins.hookspecs import RegisterKind as RegisterKind
    from ganzoo.plugins.hookspecs import RegisterLoss as RegisterLoss
    from ganzoo.plugins.hookspecs import RegisterMetrics as RegisterMetrics
    from ganzoo.plugins.hookspecs import hookimpl as hookimpl
    from ganzoo.recipe.build import create as create
    from ganzoo.recipe.recipe import Recipe as Recipe
    from ganzoo.training.callbacks import Callback as Callback
    from ganzoo.training.runs.run import Run as Run
    from ganzoo.training.train import train as train
    from ganzoo.training.trainer import Trainer as Trainer
    from ganzoo.zoo.importing import import_model as import_model
    from ganzoo.zoo.model import Model as Model
    from ganzoo.zoo.model import load as load


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
    if isinstance(value, type | FunctionType):
        value.__module__ = "ganzoo"  # where people find it; which file defines it may change
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
