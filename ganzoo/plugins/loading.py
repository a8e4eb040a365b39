"""Loads one plugin and asks it what it registers. Whatever goes wrong becomes its status and reason.

Every plugin is asked through a plugin manager of its own, so that a broken one leaves no trace in the others.
"""

import contextlib
import inspect
import operator
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import Distribution
from pathlib import Path

import pluggy

from ganzoo._names import normalize_name, one_line
from ganzoo._version import __version__
from ganzoo.plugins import hookspecs
from ganzoo.plugins.distributions import GROUP, name_and_version, owned_depth
from ganzoo.plugins.registration import Plugin, running_plugin_code

PLAIN_NAME, PLAIN_VERSION = re.compile(r"^ *ganzoo *"), re.compile(r"\d{1,9}(\.\d{1,9})*")
BOUND = re.compile(rf" *(>=|<) *({PLAIN_VERSION.pattern}) *")
COMPARE = {">=": operator.ge, "<": operator.lt}


def refuse(plugin: Plugin) -> bool:
    """Refuse a plugin that is disabled, half uninstalled or made for another ganzoo; return whether that is so."""
    entry = plugin.entry
    with faults_of(plugin):
        if {normalize_name(plugin.distribution), normalize_name(entry.name)} & disabled_plugins():
            plugin.fail("disabled", "GANZOO_DISABLE_PLUGINS names it")
        elif entry.dist is None or not all(name_and_version(entry.dist)):
            plugin.fail("failed", "its distribution has no readable name and version: install it again")
        elif needed := unmet_requirement(entry.dist):
            plugin.fail("incompatible", f"needs {needed}, this is ganzoo {__version__}")
    return not plugin.works


def load_plugin(plugin: Plugin, others: Sequence[Plugin]) -> None:
    """Load a plugin; `others` are installed too, and may be loaded already. Never raises for its faults.

    A `KeyboardInterrupt` is raised: it comes from the user.
    """
    plugin.registered_before = [
        thing for other in others if other.distribution == plugin.distribution for thing in other.provides
    ]
    torch_was_imported = "torch" in sys.modules
    with faults_of(plugin), running_plugin_code(plugin.label, plugin.note):
        load(plugin, others)
    if "torch" in sys.modules and not torch_was_imported:
        plugin.note("loading it imports torch, which slows down every command")


@contextlib.contextmanager
def faults_of(plugin: Plugin) -> Iterator[None]:
    """Make whatever goes wrong inside the plugin's status and reason."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may even call sys.exit
        plugin.fail("failed", one_line(error))
        plugin.traceback = "".join(traceback.format_exception(error))


def load(plugin: Plugin, others: Sequence[Plugin]) -> None:
    """Import the plugin, call its hooks and look for its files."""
    start = time.perf_counter()
    try:
        loaded = plugin.entry.load()
        check_own(plugin, loaded, others)
        has_hooks = call_hooks(plugin, loaded)
        has_files = [plugin.register_files(folder) for folder in package_folders(plugin.entry.module)]
    finally:
        plugin.milliseconds = round(1000 * (time.perf_counter() - start), 1)
    if not has_hooks and not any(has_files):
        plugin.fail("failed", "it registers nothing: mark its hooks with @ganzoo.hookimpl")


def check_own(plugin: Plugin, loaded: object, others: Sequence[Plugin]) -> None:
    """Raise `ValueError` where an entry point leads to a module of another distribution, whose things are its own."""
    modules = {plugin.entry.module, loaded.__name__ if inspect.ismodule(loaded) else plugin.entry.module}
    for module in modules:
        if (own := owned_depth(plugin.entry.dist, module)) <= module.count("."):
            for other in others:
                if other.distribution != plugin.distribution and owned_depth(other.entry.dist, module) > own:
                    raise ValueError(f"its entry point names {module}, which belongs to {other.distribution}")


def call_hooks(plugin: Plugin, module: object) -> bool:
    """Call the plugin's hooks and return whether it has any. Raise for a misspelt hook or one with other arguments."""
    registers: dict[str, Callable[..., None]] = {
        "register_architectures": plugin.register_architecture,
        "register_losses": plugin.register_loss,
        "register_callbacks": plugin.register_callback,
        "register_data": plugin.register_data,
        "register_kinds": plugin.register_kind,
        "register_metrics": plugin.register_metrics,
        "register_importers": plugin.register_importer,
    }
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        unknown = str(error).partition(" in plugin")[0]
        raise ValueError(f"{unknown}; the hooks are {', '.join(registers)}") from error
    for name in (*registers, *hookspecs.RENAMED):
        check_marked(module, name)
        getattr(manager.hook, name)(register=registers[hookspecs.RENAMED.get(name, name)])
    return bool(manager.get_hookcallers(module))


def check_marked(module: object, name: str) -> None:
    """Raise `ValueError` for a function with the name of a hook that lacks the mark."""
    # Looked up statically, since a module may have a __getattr__ that answers to every name.
    hook = inspect.getattr_static(module, name, None)
    if callable(hook) and not hasattr(hook, "ganzoo_impl"):
        raise ValueError(f"the hook {name} is not marked: put @ganzoo.hookimpl above it")


def package_folders(module: str) -> list[Path]:
    """Return the folders of the package that an imported module is, or lies in."""
    package = module if "__path__" in vars(sys.modules[module]) else module.rpartition(".")[0]
    return [Path(folder) for folder in vars(sys.modules[package]).get("__path__", [])] if package else []


def unmet_requirement(distribution: Distribution) -> str:
    """Return the plugin's own requirement on ganzoo if this version does not meet it, else an empty string."""
    for text in distribution.requires or []:
        if normalize_name(re.split(r"[^\w.-]", text.strip())[0]) == "ganzoo" and not is_plainly_met(text):
            # Imported late: it takes as long as reading all plugins.
            from packaging.requirements import Requirement

            requirement = Requirement(text)
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if applies and not requirement.specifier.contains(__version__, prereleases=True):
                return f"ganzoo{requirement.specifier}"
    return ""


def is_plainly_met(requirement: str) -> bool:
    """Return True for a plain range of versions, such as `ganzoo>=0.1,<2`, that this version lies in.

    Anything else, and a plain one that is not met, is for a real parser.
    """
    bounds = [BOUND.fullmatch(part) for part in PLAIN_NAME.sub("", requirement).split(",")]
    if not all([PLAIN_VERSION.fullmatch(__version__), *bounds]):
        return False
    return all(COMPARE[bound[1]](release(__version__), release(bound[2])) for bound in bounds if bound)


def release(version: str) -> tuple[int, ...]:
    """Return a plain version's numbers without the zeros at its end, which mean nothing."""
    numbers = [int(number) for number in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def disabled_plugins() -> set[str]:
    """Return the names in the environment variable GANZOO_DISABLE_PLUGINS, which are separated by commas."""
    return {normalize_name(name) for name in os.environ.get("GANZOO_DISABLE_PLUGINS", "").split(",") if name.strip()}
