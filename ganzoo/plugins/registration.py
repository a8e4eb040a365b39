"""One plugin and what it registers: names, import strings, recipe files and a registry of models."""

import contextlib
import importlib
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any

from ganzoo._names import NAME_PATTERN, one_line
from ganzoo.errors import BadInput, Deprecated
from ganzoo.plugins.entries import read_entries

KINDS = ("architecture", "loss", "callback", "recipe", "model")


FILES = ("recipe", "model")
"""Kinds that come in files and are found without a hook."""


TARGET = re.compile(r"[\w.]+:[\w.]+")


@dataclass(frozen=True)
class Registration:
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
            with contextlib.redirect_stdout(sys.stderr), attribute_warnings(f"{self.distribution} {self.version}"):
                return attrgetter(attribute)(importlib.import_module(module))
        except (Exception, SystemExit) as error:
            where = f"{self.kind} '{self.name}' of {self.distribution} {self.version}"
            raise BadInput(f"{where} cannot be loaded from '{self.targets[part]}': {one_line(error)}") from error


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
    provides: list[Registration] = field(default_factory=list)
    beside: list[Registration] = field(default_factory=list)
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
        """Register an architecture: the `register` of the hook `register_architectures`."""
        self.add("architecture", name, generator=generator, discriminator=discriminator)

    def register_loss(self, name: str, loss: str) -> None:
        """Register a loss: the `register` of the hook `register_losses`."""
        self.add("loss", name, loss=loss)

    def register_callback(self, name: str, callback: str) -> None:
        """Register a training callback: the `register` of the hook `register_callbacks`."""
        self.add("callback", name, callback=callback)

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
        if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a {kind}: lower-case letters and digits, joined by . _ or -")
        for target in targets.values():
            if kind not in FILES and not (isinstance(target, str) and TARGET.fullmatch(target)):
                raise ValueError(f"{kind} '{name}': {target!r} is not a string like 'package.module:Class'")
        if any((p.kind, p.name) == (kind, name) for p in self.provides + self.beside):
            raise ValueError(f"registers the {kind} '{name}' twice")
        self.provides.append(Registration(kind, name, self.distribution, self.version, targets))


@contextlib.contextmanager
def attribute_warnings(culprit: str, note: Callable[[str], None] = lambda sentence: None) -> Iterator[None]:
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


def recipe_files(package: Path) -> list[Path]:
    """The TOML files in the `recipes` folder of a package."""
    found = sorted((package / "recipes").glob("*.toml"))
    return [path for path in found if path.is_file() and not path.name.startswith(".")]
