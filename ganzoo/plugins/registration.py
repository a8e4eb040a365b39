"""One plugin and what it registers: names with import strings, recipe files and a registry of models."""

import contextlib
import importlib
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from ganzoo._names import NAME_PATTERN, NAME_RULE, one_line
from ganzoo.errors import BadInput, Deprecated
from ganzoo.plugins.distributions import name_and_version
from ganzoo.plugins.entries import read_entries
from ganzoo.plugins.marker import LoadingMarker

KINDS = ("architecture", "loss", "callback", "data", "kind", "metrics", "importer", "recipe", "model")
FILE_KINDS = ("recipe", "model")
"""Kinds that are found as files in the plugin's package, without a hook."""
ON_REQUEST = ("kind", "metrics", "importer")
"""Kinds of which no recipe names one; listings show them only where they are asked for."""
PLUGIN_LOCK = threading.RLock()
"""Held by the one thread that loads plugins: meanwhile standard output and warnings are not what they are elsewhere."""
NO_FACTS: Mapping[str, Any] = MappingProxyType({})
IMPORT_STRING = re.compile(r"[\w.]+:[\w.]+")


@dataclass(frozen=True)
class Registration:
    """One named thing that a plugin provides; `targets` are import strings, or the file of a recipe or registry."""

    kind: str
    name: str
    distribution: str
    version: str
    targets: dict[str, str]
    about: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    """Plain facts that the plugin told with the name, such as the data that a suite measures."""
    given_as: ClassVar[str | None] = None
    """How code that no plugin registers was given, "file" or "object"; None for a plugin's."""

    @property
    def sha256(self) -> str:
        """The hash of the file that the code stands in, empty where it is not in a file of its own."""
        return ""

    @property
    def published_as(self) -> str:
        """The distribution as the config of a model names it."""
        return self.distribution

    @property
    def full_name(self) -> str:
        """The name that stays unambiguous when another plugin provides the same bare name."""
        return f"{self.distribution}:{self.name}"

    def resolve(self, part: str) -> Any:
        """Import what the import string of that part points to. Raises `BadInput` naming the distribution."""
        module, _, attribute = self.targets[part].partition(":")
        label = f"{self.distribution} {self.version}"
        try:
            with running_plugin_code(label), LoadingMarker() as marker:
                marker.write(self.distribution, f"{module} of {label}")
                return attrgetter(attribute)(importlib.import_module(module))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may even call sys.exit
            where = f"{self.kind} '{self.name}' of {self.distribution} {self.version}"
            raise BadInput(f"{where} cannot be loaded from '{self.targets[part]}': {one_line(error)}") from error


@dataclass
class Plugin:
    """One entry point: the distribution that it comes from, whether it works, and what it provides."""

    entry: EntryPoint
    status: str = "ok"
    """"ok", "conflict", "failed", "incompatible" or "disabled"."""
    reason: str = ""
    milliseconds: float = 0.0
    """The time that loading it costs every command."""
    traceback: str = ""
    """The traceback of a plugin that failed."""
    provides: list[Registration] = field(default_factory=list)
    registered_before: list[Registration] = field(default_factory=list)
    """What earlier entry points of the same distribution provide."""

    @cached_property
    def _taken(self) -> set[tuple[str, str]]:
        return {(thing.kind, thing.name) for thing in self.registered_before}

    @property
    def distribution(self) -> str:
        """The name of the distribution; that of the entry point where it cannot be read."""
        return name_and_version(self.entry.dist)[0] or self.entry.name

    @property
    def version(self) -> str:
        """The version of the distribution; empty where it cannot be read."""
        return name_and_version(self.entry.dist)[1]

    @property
    def label(self) -> str:
        """Distribution and version, as messages name the plugin."""
        return f"{self.distribution} {self.version}".rstrip()

    @property
    def works(self) -> bool:
        """Whether all that it registers can be used; with a conflict, by full names."""
        return self.status in ("ok", "conflict")

    def fail(self, status: str, reason: str) -> None:
        """Give up on this plugin: it provides nothing."""
        self.status, self.provides = status, []
        self.note(reason)

    def note(self, reason: str) -> None:
        """Add a reason to those that were noted before."""
        self.reason = "; ".join(filter(None, [self.reason, reason]))

    def register_architecture(self, name: str, *, generator: str, discriminator: str) -> None:
        """Register an architecture: the `register` of the hook `register_architectures`."""
        self.register("architecture", name, generator=generator, discriminator=discriminator)

    def register_loss(self, name: str, loss: str) -> None:
        """Register a loss: the `register` of the hook `register_losses`."""
        self.register("loss", name, loss=loss)

    def register_callback(self, name: str, callback: str) -> None:
        """Register a training callback: the `register` of the hook `register_callbacks`."""
        self.register("callback", name, callback=callback)

    def register_data(
        self, name: str, dataset: str, *, about: str = "", part: str = "", parts: Sequence[str] = ()
    ) -> None:
        """Register a data set: the `register` of the hook `register_data`."""
        if parts and not part:
            raise ValueError(f"data '{name}': say which option the parts of its name set, part='style'")
        self.register("data", name, {"about": about, "part": part, "parts": tuple(parts)}, dataset=dataset)

    def register_kind(self, name: str, kind: str, *, about: str = "") -> None:
        """Register a kind of samples: the `register` of the hook `register_kinds`."""
        self.register("kind", name, {"about": about}, kind=kind)

    def register_metrics(
        self, name: str, suite: str, *, data: Sequence[str] = (), kind: str = "", about: str = ""
    ) -> None:
        """Register a suite of metrics: the `register` of the hook `register_metrics`."""
        names = (data,) if isinstance(data, str) else tuple(data)
        if not names and not kind:
            raise ValueError(f"metrics '{name}': say which data they measure, data=['mnist'], or which kind='sound'")
        self.register("metrics", name, {"data": names, "kind": kind, "about": about}, suite=suite)

    def register_importer(self, name: str, importer: str, *, about: str = "") -> None:
        """Register a format of weights: the `register` of the hook `register_importers`."""
        self.register("importer", name, {"about": about}, importer=importer)

    def register_files(self, package: Path) -> bool:
        """Register the recipes and the registry of models in a package's folder; return whether there are any.

        A folder that several entry points of a distribution share is registered once.
        """
        found = [("recipe", path.stem, path) for path in recipe_files(package)]
        registry = package / "registry.toml"
        if registry.is_file():
            found += [("model", entry.name, registry) for entry in read_entries(registry, self.distribution, package)]
        known = [thing.targets.get("file") for thing in self.provides + self.registered_before]
        for kind, name, path in found:
            if str(path) not in known:
                self.register(kind, name, file=str(path))
        return bool(found)

    def register(self, thing: str, name: str, about: Mapping[str, Any] = NO_FACTS, /, **targets: str) -> None:
        """Add a registration. Raises `ValueError` for one that could never be found or loaded again."""
        if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
            raise ValueError(f"{name!r} is not a valid name for a {thing}: {NAME_RULE}")
        for target in targets.values():
            if thing not in FILE_KINDS and not (isinstance(target, str) and IMPORT_STRING.fullmatch(target)):
                raise ValueError(f"{thing} '{name}': {target!r} is not a string like 'package.module:Class'")
        if (thing, name) in self._taken:
            raise ValueError(f"registers the {thing} '{name}' twice")
        self._taken.add((thing, name))
        self.provides.append(Registration(thing, name, self.distribution, self.version, targets, about=about))


def ignore(sentence: str) -> None:
    """Do nothing with a sentence."""


@contextlib.contextmanager
def running_plugin_code(culprit: str, note: Callable[[str], None] = ignore) -> Iterator[None]:
    """Have what a plugin prints go to standard error, for programs that parse the output, and attribute its warnings.

    Both change the whole process, so that only one thread at a time may: two that overlap would leave it changed.
    """
    with PLUGIN_LOCK, contextlib.redirect_stdout(sys.stderr), attribute_warnings(culprit, note):
        yield


@contextlib.contextmanager
def attribute_warnings(culprit: str, note: Callable[[str], None] = ignore) -> Iterator[None]:
    """Name the plugin that has to change in each `Deprecated` warning inside, and pass the warning's text to `note`."""
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
            warnings.warn_explicit(message, warning.category, warning.filename, warning.lineno)


def recipe_files(package: Path) -> list[Path]:
    """Return the TOML files in the `recipes` folder of a package, without hidden ones."""
    found = sorted((package / "recipes").glob("*.toml"))
    return [path for path in found if path.is_file() and not path.name.startswith(".")]
