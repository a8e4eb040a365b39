"""Finds plugins over entry points of group "ganzoo" and says what each one brings. No torch here.

Every plugin is loaded and asked inside its own try, with a plugin manager of its own: a broken one is a row with
its reason, leaves no trace, and everything else works.
"""

import contextlib
import importlib
import inspect
import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import Distribution, EntryPoint, entry_points
from operator import attrgetter
from pathlib import Path
from typing import Any

import pluggy

from ganzoo._names import NAME, in_a_line, normal
from ganzoo._version import __version__
from ganzoo.errors import BadInput, Deprecated, choices
from ganzoo.plugins import hookspecs
from ganzoo.plugins.entries import read_entries

GROUP = "ganzoo"
KINDS = ("architecture", "loss", "recipe", "model")
FILES = ("recipe", "model")
"""Kinds that come in files and are found without a hook."""
TARGET = re.compile(r"[\w.]+:[\w.]+")


@dataclass(frozen=True)
class Provided:
    """One named thing that a plugin brings; `targets` are import strings, or the file of a recipe or registry."""

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
            with contextlib.redirect_stdout(sys.stderr), warnings_naming(f"{self.distribution} {self.version}"):
                return attrgetter(attribute)(importlib.import_module(module))
        except (Exception, SystemExit) as error:
            where = f"{self.kind} '{self.name}' of {self.distribution} {self.version}"
            raise BadInput(f"{where} cannot be loaded from '{self.targets[part]}': {in_a_line(error)}") from error


@dataclass
class Plugin:
    """One entry point: where it comes from, whether it works and what it brings."""

    distribution: str
    version: str
    entry_point: str
    status: str = "ok"
    reason: str = ""
    milliseconds: float = 0.0
    """What finding it costs every command."""
    traceback: str = ""
    """Where it failed."""
    provides: list[Provided] = field(default_factory=list)
    beside: list[Provided] = field(default_factory=list)
    """What the distribution's other entry points bring already."""

    @property
    def label(self) -> str:
        """How sentences speak of it."""
        return f"{self.distribution} {self.version}".rstrip()

    def fail(self, status: str, reason: str) -> None:
        """Give up on this plugin: it provides nothing."""
        self.status, self.provides = status, []
        self.note(reason)

    def note(self, reason: str) -> None:
        """Say something about it, beside what was said."""
        self.reason = "; ".join(filter(None, [self.reason, reason]))

    def register_architecture(self, name: str, *, generator: str, discriminator: str) -> None:
        """What `register` is in the hook `register_architectures`."""
        self.add("architecture", name, generator=generator, discriminator=discriminator)

    def register_loss(self, name: str, loss: str) -> None:
        """What `register` is in the hook `register_losses`."""
        self.add("loss", name, loss=loss)

    def register_files(self, package: Path) -> bool:
        """Take what lies in a package's folder, once per distribution: recipes, a registry of models. Is there any?"""
        named = [("recipe", path.stem, path) for path in recipe_files(package)]
        registry = package / "registry.toml"
        if registry.is_file():
            named += [("model", entry.name, registry) for entry in read_entries(registry, self.distribution, package)]
        taken = [thing.targets.get("file") for thing in self.provides + self.beside]
        for kind, name, path in named:
            if str(path) not in taken:
                self.add(kind, name, file=str(path))
        return bool(named)

    def add(self, kind: str, name: str, **targets: str) -> None:
        """Take a registration. Raises `ValueError` for what could never be found or loaded again."""
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a {kind}: lower-case letters and digits, joined by . _ or -")
        for target in targets.values():
            if kind not in FILES and not (isinstance(target, str) and TARGET.fullmatch(target)):
                raise ValueError(f"{kind} '{name}': {target!r} is not a string like 'package.module:Class'")
        if any((p.kind, p.name) == (kind, name) for p in self.provides + self.beside):
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

    def of(self, distribution: str) -> list[Plugin]:
        """The plugins that a distribution brings. Raises `BadInput` with the nearest name where there is none."""
        found = [plugin for plugin in self.plugins if normal(plugin.distribution) == normal(distribution)]
        if not found:
            names = choices(distribution, (plugin.distribution for plugin in self.plugins))
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
        with contextlib.redirect_stdout(sys.stderr), warnings_naming(plugin.label, plugin.note):
            judge(plugin, entry)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may even call sys.exit
        plugin.fail("failed", in_a_line(error))
        plugin.traceback = "".join(traceback.format_exception(error))
    if "torch" in sys.modules and not with_torch:
        plugin.note("it imports torch to be found, which slows every command down")
    return plugin


@contextlib.contextmanager
def warnings_naming(culprit: str, note: Callable[[str], None] = lambda sentence: None) -> Iterator[None]:
    """What is deprecated and used inside is noted, and the warning names the plugin that has to change."""
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", Deprecated)
            yield
    finally:
        for warning in caught:
            message = warning.message
            if isinstance(message, Deprecated):
                note(str(message))
                message = Deprecated(f"{culprit}: {message}")
            warnings.warn_explicit(message, None, warning.filename, warning.lineno)


def identity(entry: EntryPoint) -> tuple[str, str]:
    """Name and version of an entry point's distribution, empty where its metadata is gone or cannot be read."""
    try:
        about = entry.dist.metadata
        return about.get("Name") or "", about.get("Version") or ""
    except Exception:
        return "", ""


def judge(plugin: Plugin, entry: EntryPoint) -> None:
    """Load the plugin unless something speaks against it."""
    if {normal(plugin.distribution), normal(entry.name)} & disabled():
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
    """Let the hooks register; whether there is any. A misspelt hook or one with other arguments raises."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        unknown = str(error).partition(" in plugin")[0]
        raise ValueError(f"{unknown}; the hooks are register_architectures and register_losses") from error
    registers = {"register_architectures": plugin.register_architecture, "register_losses": plugin.register_loss}
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


def recipe_files(package: Path) -> list[Path]:
    """The TOML files in the `recipes` folder of a package."""
    found = sorted((package / "recipes").glob("*.toml"))
    return [path for path in found if path.is_file() and not path.name.startswith(".")]


def unmet_requirement(distribution: Distribution) -> str:
    """The plugin's own requirement on ganzoo where this version does not meet it, else an empty string."""
    for text in distribution.requires or []:
        if normal(re.split(r"[^\w.-]", text.strip())[0]) == "ganzoo":
            # Imported late: a plugin without a version range must not cost start-up time.
            from packaging.requirements import Requirement

            requirement = Requirement(text)
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if applies and not requirement.specifier.contains(__version__, prereleases=True):
                return f"ganzoo{requirement.specifier}"
    return ""


def disabled() -> set[str]:
    """Names in the environment variable GANZOO_DISABLE_PLUGINS, a comma between them."""
    return {normal(name) for name in os.environ.get("GANZOO_DISABLE_PLUGINS", "").split(",") if name.strip()}
