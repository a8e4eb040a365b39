"""Finds plugins over entry points of group "ganzoo" and says what each one brings. No torch here.

Every plugin is loaded and asked inside its own try, with a plugin manager of its own: a broken one is a row with
its reason, leaves no trace, and everything else works.
"""

import contextlib
import inspect
import os
import re
import sys
import time
import traceback
from collections.abc import Callable
from functools import cache, cached_property
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pluggy

from ganzoo._names import normalize_name, one_line
from ganzoo._version import __version__
from ganzoo.errors import BadInput, suggest
from ganzoo.plugins import hookspecs
from ganzoo.plugins.registration import KINDS, Plugin, Registration, attribute_warnings

GROUP = "ganzoo"


class Catalog:
    """All plugins of this environment and all that they provide."""

    def __init__(self, plugins: list[Plugin]) -> None:
        self.plugins = plugins
        for plugin in plugins:
            self._mark_conflict(plugin)

    @cached_property
    def provided(self) -> list[Registration]:
        """Everything that working plugins bring, sorted by kind and name."""
        found = [thing for plugin in self.plugins for thing in plugin.provides]
        return sorted(found, key=lambda thing: (KINDS.index(thing.kind), thing.name, thing.distribution))

    def find(self, kind: str, name: str) -> Registration:
        """The thing of that bare or full name.

        Raises `BadInput` for an unknown name (with the nearest ones, and the plugins that failed to load) and for
        one that several plugins bring.
        """
        things = [thing for thing in self.provided if thing.kind == kind]
        found = [thing for thing in things if name in (thing.name, thing.full_name)]
        if len(found) > 1:
            several = " and ".join(f"'{thing.full_name}'" for thing in found)
            raise BadInput(f"more than one plugin brings the {kind} '{name}'; say {several}")
        if not found:
            raise BadInput(f"unknown {kind} '{name}'; {suggest(name, (t.name for t in things))}{self._broken()}")
        return found[0]

    def of(self, distribution: str) -> list[Plugin]:
        """The plugins that a distribution brings. Raises `BadInput` with the nearest name where there is none."""
        found = [
            plugin for plugin in self.plugins if normalize_name(plugin.distribution) == normalize_name(distribution)
        ]
        if not found:
            names = suggest(distribution, (plugin.distribution for plugin in self.plugins))
            raise BadInput(f"no plugin '{distribution}' is installed; {names}")
        return found

    def _broken(self) -> str:
        broken = dict.fromkeys(p.distribution for p in self.plugins if p.status not in ("ok", "conflict"))
        return f" (not available: {', '.join(broken)}; see 'ganzoo plugins')" if broken else ""

    def _mark_conflict(self, plugin: Plugin) -> None:
        mine = {(thing.kind, thing.name): thing for thing in plugin.provides}
        for other in self.plugins:
            for thing in other.provides if other is not plugin else []:
                own = mine.get((thing.kind, thing.name))
                if own:
                    plugin.status = "conflict"
                    plugin.note(f"{own.kind} '{own.name}' also comes from {thing.distribution}: say '{own.full_name}'")


@cache
def catalog() -> Catalog:
    """The catalog of this environment, made once per process."""
    plugins: list[Plugin] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (*identity(entry), entry.name)):
        plugins.append(examine(entry, plugins))
    return Catalog(plugins)


def examine(entry: EntryPoint, before: list[Plugin]) -> Plugin:
    """Load one plugin and ask it what it brings; whatever goes wrong is its status and reason."""
    name, version = identity(entry)
    plugin = Plugin(name or entry.name, version, entry.name)
    plugin.beside = [thing for other in before if other.distribution == plugin.distribution for thing in other.provides]
    with_torch = "torch" in sys.modules
    try:
        # Those who parse standard output want nothing of a plugin's in it.
        with contextlib.redirect_stdout(sys.stderr), attribute_warnings(plugin.label, plugin.note):
            judge(plugin, entry)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may even call sys.exit
        plugin.fail("failed", one_line(error))
        plugin.traceback = "".join(traceback.format_exception(error))
    if "torch" in sys.modules and not with_torch:
        plugin.note("it imports torch to be found, which slows every command down")
    return plugin


def identity(entry: EntryPoint) -> tuple[str, str]:
    """Name and version of an entry point's distribution, empty where its metadata is gone or cannot be read."""
    try:
        about = entry.dist.metadata
        return about.get("Name") or "", about.get("Version") or ""
    except Exception:
        return "", ""


def judge(plugin: Plugin, entry: EntryPoint) -> None:
    """Load the plugin unless something speaks against it."""
    if {normalize_name(plugin.distribution), normalize_name(entry.name)} & disabled_plugins():
        plugin.fail("disabled", "GANZOO_DISABLE_PLUGINS names it")
    elif not all(identity(entry)):
        plugin.fail("failed", "its distribution has no readable name and version: install it again")
    elif needed := unmet_requirement(entry.dist):
        plugin.fail("incompatible", f"needs {needed}, this is ganzoo {__version__}")
    else:
        load(plugin, entry)


def load(plugin: Plugin, entry: EntryPoint) -> None:
    """Import the plugin, call its hooks and look for its files."""
    start = time.perf_counter()
    try:
        hooked = ask(plugin, entry.load())
        brought = [plugin.register_files(folder) for folder in package_folders(entry.module)]
    finally:
        plugin.milliseconds = round(1000 * (time.perf_counter() - start), 1)
    if not hooked and not any(brought):
        plugin.fail("failed", "it registers nothing: mark its hooks with @ganzoo.hookimpl")


def ask(plugin: Plugin, module: object) -> bool:
    """Call the plugin's hooks and return whether it has any. Raise for a misspelt hook or one with other arguments."""
    registers: dict[str, Callable[..., None]] = {
        "register_architectures": plugin.register_architecture,
        "register_losses": plugin.register_loss,
        "register_callbacks": plugin.register_callback,
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
        # Statically, since a module may have a __getattr__ that answers to everything.
        hook = inspect.getattr_static(module, name, None)
        if callable(hook) and not hasattr(hook, "ganzoo_impl"):
            raise ValueError(f"the hook {name} is not marked: put @ganzoo.hookimpl above it")
        getattr(manager.hook, name)(register=registers[hookspecs.RENAMED.get(name, name)])
    return bool(manager.get_hookcallers(module))


def package_folders(module: str) -> list[Path]:
    """Where the package is that the imported module is or lies in."""
    package = module if "__path__" in vars(sys.modules[module]) else module.rpartition(".")[0]
    return [Path(folder) for folder in vars(sys.modules[package]).get("__path__", [])] if package else []


def unmet_requirement(distribution: Distribution) -> str:
    """The plugin's own requirement on ganzoo where this version does not meet it, else an empty string."""
    for text in distribution.requires or []:
        if normalize_name(re.split(r"[^\w.-]", text.strip())[0]) == "ganzoo":
            # Imported late: a plugin without a version range must not cost start-up time.
            from packaging.requirements import Requirement

            requirement = Requirement(text)
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if applies and not requirement.specifier.contains(__version__, prereleases=True):
                return f"ganzoo{requirement.specifier}"
    return ""


def disabled_plugins() -> set[str]:
    """Names in the environment variable GANZOO_DISABLE_PLUGINS, a comma between them."""
    return {normalize_name(name) for name in os.environ.get("GANZOO_DISABLE_PLUGINS", "").split(",") if name.strip()}


def plugin_rows(name: str | None = None) -> list[dict[str, Any]]:
    """A row for each entry point of every installed plugin, or of the one of that name.

    "ms" is what finding it cost in milliseconds. Raises `BadInput` for an unknown name, with the nearest.
    """
    found = [
        {
            "distribution": plugin.distribution,
            "version": plugin.version,
            "entry_point": plugin.entry_point,
            "status": plugin.status,
            "reason": plugin.reason,
            "ms": plugin.milliseconds,
            "provides": [{"kind": t.kind, "name": t.name, "targets": t.targets} for t in plugin.provides],
            "traceback": plugin.traceback,
        }
        for plugin in catalog().plugins
    ]
    rows = [row for row in found if name is None or normalize_name(name) == normalize_name(row["distribution"])]
    if name and not rows:
        raise BadInput(f"no plugin '{name}' is installed; {suggest(name, (row['distribution'] for row in found))}")
    return rows
