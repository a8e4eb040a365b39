"""Finds plugins over entry points of group "ganzoo" and says what each one brings. No torch here.

Every plugin is loaded and asked inside its own try, with a plugin manager of its own: a broken one is a row with
its reason, leaves no trace, and everything else works.
"""

import contextlib
import importlib
import os
import re
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

import ganzoo
from ganzoo import hookspecs
from ganzoo.errors import BadInput, choices

GROUP = "ganzoo"
KINDS = ("architecture", "loss", "recipe")
NAME = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
TARGET = re.compile(r"[\w.]+:[\w.]+")


@dataclass(frozen=True)
class Provided:
    """One named thing that a plugin brings; `targets` are import strings, or the file of a recipe."""

    kind: str
    name: str
    distribution: str
    version: str
    targets: dict[str, str]

    @property
    def full_name(self) -> str:
        """The name that stays unambiguous when another plugin brings the same one."""
        return f"{self.distribution}:{self.name}"

    def resolve(self, part: str) -> Any:
        """Import what the string of that part points to. Raises `BadInput` naming the distribution."""
        module, _, attribute = self.targets[part].partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except Exception as error:
            where = f"{self.kind} '{self.name}' of {self.distribution} {self.version}"
            reason = f"{type(error).__name__}: {error}"
            raise BadInput(f"{where} cannot be loaded from '{self.targets[part]}': {reason}") from error


@dataclass
class Plugin:
    """One entry point: where it comes from, whether it works and what it brings."""

    distribution: str
    version: str
    entry_point: str
    status: str = "ok"
    reason: str = ""
    provides: list[Provided] = field(default_factory=list)
    traceback: str = ""

    def fail(self, status: str, reason: str) -> None:
        """Give up on this plugin: it provides nothing."""
        self.status, self.reason, self.provides = status, reason, []

    def add(self, kind: str, name: str, **targets: str) -> None:
        """Take a registration. Raises `ValueError` for what could never be found or loaded again."""
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a {kind}: lower-case letters and digits, joined by . _ or -")
        for target in targets.values():
            if kind != "recipe" and not (isinstance(target, str) and TARGET.fullmatch(target)):
                raise ValueError(f"{kind} '{name}': {target!r} is not a string like 'package.module:Class'")
        if any((p.kind, p.name) == (kind, name) for p in self.provides):
            raise ValueError(f"registers the {kind} '{name}' twice")
        self.provides.append(Provided(kind, name, self.distribution, self.version, targets))


class Catalog:
    """All plugins of this environment and all that they provide."""

    def __init__(self, plugins: list[Plugin]) -> None:
        self.plugins = plugins
        for plugin in plugins:
            self._mark_conflict(plugin)

    @cached_property
    def provided(self) -> list[Provided]:
        """Everything that working plugins bring, sorted by kind and name."""
        found = [thing for plugin in self.plugins for thing in plugin.provides]
        return sorted(found, key=lambda thing: (KINDS.index(thing.kind), thing.name, thing.distribution))

    def find(self, kind: str, name: str) -> Provided:
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
            raise BadInput(f"unknown {kind} '{name}'; {choices(name, (t.name for t in things))}{self._broken()}")
        return found[0]

    def _broken(self) -> str:
        broken = [plugin.distribution for plugin in self.plugins if plugin.status not in ("ok", "conflict")]
        return f" (not available: {', '.join(broken)}; see 'ganzoo plugins')" if broken else ""

    def _mark_conflict(self, plugin: Plugin) -> None:
        mine = {(thing.kind, thing.name): thing for thing in plugin.provides}
        for other in self.plugins:
            for thing in other.provides if other is not plugin else []:
                own = mine.get((thing.kind, thing.name))
                if own:
                    plugin.status = "conflict"
                    plugin.reason = (
                        f"{own.kind} '{own.name}' also comes from {thing.distribution}; say '{own.full_name}'"
                    )


@cache
def catalog() -> Catalog:
    """The catalog of this environment, made once per process."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: (entry.dist.name, entry.name))
    return Catalog([examine(entry) for entry in found])


def examine(entry: EntryPoint) -> Plugin:
    """Load one plugin and ask it what it brings; whatever goes wrong is its status and reason."""
    plugin = Plugin(entry.dist.name, entry.dist.version, entry.name)
    needed = unmet_requirement(entry.dist)
    if {normal(plugin.distribution), normal(entry.name)} & disabled():
        plugin.fail("disabled", "GANZOO_DISABLE_PLUGINS names it")
    elif needed:
        plugin.fail("incompatible", f"needs {needed}, this is ganzoo {ganzoo.__version__}")
    else:
        load(plugin, entry)
    return plugin


def load(plugin: Plugin, entry: EntryPoint) -> None:
    """Import the plugin and call its hooks, keeping standard output clean for those who parse it."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            module = entry.load()
            ask(plugin, module)
            for path in recipe_files(entry):
                plugin.add("recipe", path.stem, file=str(path))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may even call sys.exit
        plugin.traceback = traceback.format_exc()
        plugin.fail("failed", " ".join(f"{type(error).__name__}: {error}".split()))


def ask(plugin: Plugin, module: ModuleType) -> None:
    """Let the plugin's hooks register; a misspelt hook or one with other arguments raises."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    manager.check_pending()
    manager.hook.register_architectures(register=partial(plugin.add, "architecture"))
    manager.hook.register_losses(register=lambda name, loss: plugin.add("loss", name, loss=loss))


def recipe_files(entry: EntryPoint) -> Iterator[Path]:
    """The TOML files in the `recipes` folder of the plugin's package."""
    for folder in getattr(sys.modules[entry.module.partition(".")[0]], "__path__", []):
        yield from sorted(Path(folder, "recipes").glob("*.toml"))


def unmet_requirement(distribution: Distribution) -> str:
    """The plugin's own requirement on ganzoo where this version does not meet it, else an empty string."""
    for text in distribution.requires or []:
        if normal(re.split(r"[^\w.-]", text.strip())[0]) == "ganzoo":
            # Imported late: a plugin without a version range must not cost start-up time.
            from packaging.requirements import Requirement

            requirement = Requirement(text)
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if applies and not requirement.specifier.contains(ganzoo.__version__, prereleases=True):
                return f"ganzoo{requirement.specifier}"
    return ""


def disabled() -> set[str]:
    """Names in the environment variable GANZOO_DISABLE_PLUGINS, a comma between them."""
    return {normal(name) for name in os.environ.get("GANZOO_DISABLE_PLUGINS", "").split(",") if name.strip()}


def normal(name: str) -> str:
    """A distribution's name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
