"""Names of architectures, losses and callbacks in a recipe: bare, or in full as `distribution:name`.

A bare name is whatever single plugin provides it; a full name stays unambiguous when another plugin comes to provide
the same bare one. Code that no plugin registers has full names too: `PATH.py:Class` for a class in a file, and
`<module>:Class` for what Python code gives.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganzoo._names import normalize_name
from ganzoo.engine.settings import SIDES
from ganzoo.plugins import files
from ganzoo.plugins.catalog import catalog

SECTIONS = ("architecture", "loss", "callback", "data")
"""The sections of a recipe that name what plugins provide; each is called as its kind of registration."""

Rename = Callable[[str, str], str]
"""Takes a kind and a name, and returns another name for the same thing."""


def bare_name(name: str) -> str:
    """Return a name without its distribution."""
    return name.rpartition(":")[2]


def is_given(name: str) -> bool:
    """Return whether a name is that of something that Python code gives."""
    return re.fullmatch(r"<[^>]*>:.+", name) is not None


def is_in_file(name: str) -> bool:
    """Return whether a name is that of a class in a file; the distribution of a plugin may be called `web.py`, too."""
    if not files.is_in_file(name) or "/" in name or "\\" in name:
        return files.is_in_file(name)
    installed = {normalize_name(plugin.distribution) for plugin in catalog().plugins}
    return normalize_name(name.rpartition(":")[0]) not in installed


def make_absolute(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a recipe's plain content in which the paths of files with classes are valid from any folder."""
    return rename(table, lambda _, name: files.make_absolute(name, folder) if is_in_file(name) else name)


def may_be_same(one: str, other: str) -> bool:
    """Return whether two names of one kind may name the same thing: equal, or one is the other's bare name."""
    (before, _, bare), (there, _, also) = one.rpartition(":"), other.rpartition(":")
    if files.is_in_file(one) and files.is_in_file(other):
        return one == other
    return bare == also and (not before or not there or normalize_name(before) == normalize_name(there))


def rename(table: Mapping[str, Any], new: Rename) -> dict[str, Any]:
    """Return a recipe's plain content with other names; what is not written as a recipe should be stays as it is."""
    return {key: rename_in(key, value, new) if key in SECTIONS else value for key, value in table.items()}


def rename_in(kind: str, value: Any, new: Rename) -> Any:
    """Return one section, or a list of them, with other names."""
    if isinstance(value, str):
        return new(kind, value)
    if isinstance(value, list):
        return [rename_in(kind, item, new) for item in value]
    if not isinstance(value, Mapping):
        return value
    named = ("name", *SIDES) if kind == "architecture" else ("name",)
    return {key: rename_in(kind, item, new) if key in named else item for key, item in value.items()}


def list_names_in(table: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return every name in a recipe's plain content with its kind."""
    found: list[tuple[str, str]] = []

    def note(kind: str, name: str) -> str:
        found.append((kind, name))
        return name

    rename(table, note)
    return found


def prefer(table: Mapping[str, Any], distributions: Sequence[str], ranked: bool = True) -> dict[str, Any]:
    """Return a recipe's plain content in which bare names mean what these distributions provide, the first one first.

    A name that only one plugin provides stays bare, and so does one that several of those provide if they are not
    `ranked`: it is refused where it is used.
    """
    return rename(table, lambda kind, name: catalog().full_name(kind, name, distributions, ranked))


def known_names(table: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return every name in a recipe's plain content by its kind and bare name, except where two share these."""
    known: dict[tuple[str, str], str] = {}
    for kind, name in list_names_in(table):
        bare = bare_name(name)
        known[kind, bare] = name if known.get((kind, bare), name) == name else bare
    return known


def write_in_full(table: Mapping[str, Any], known: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """Return a recipe's plain content in which a bare name means what another recipe has it for, if it has it."""
    return rename(table, lambda kind, name: known.get((kind, name), name))
