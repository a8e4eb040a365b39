"""One entry of a `registry.toml`: a model by name, every file of it pinned. No torch here."""

import re
import tomllib
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from ganzoo._io import read_bytes
from ganzoo._names import NAME_PATTERN
from ganzoo.errors import BadInput, suggest

SOURCE = re.compile(r"hub:(?P<repository>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40})")
NEEDED = ("config.json", "model.safetensors")
OPTIONAL = ("recipe.toml", "samples.png", "scores.json", "README.md")
"""What a model folder is made of; no other file is ever downloaded."""


@dataclass(frozen=True)
class Entry:
    """A registered model. `origin` is the distribution whose registry names it, or "user".

    `source` is `hub:owner/name@<40 hex digits of a commit>`, or a folder beside the registry's package. `files` maps
    each file's name to its `sha256` and `size` in bytes. `data` is the data set's name, `distribution` the plugin that
    provides the `architecture`.
    """

    name: str
    origin: str
    base: Path
    source: str
    architecture: str
    distribution: str
    data: str
    license: str
    files: dict[str, dict[str, Any]]
    summary: str = ""
    scores: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name):
            raise ValueError("a name is lower-case letters and digits, joined by . _ or -")
        for key, kind in KEYS.items():
            if not isinstance(getattr(self, key), kind):
                raise ValueError(f"{key} must be a {'table' if kind is dict else 'string'}")
        if self.source.startswith("hub:") and not SOURCE.fullmatch(self.source):
            raise ValueError("source must be hub:owner/name@ and the 40 hex digits of a commit, or a folder")
        if set(NEEDED) - self.files.keys() or self.files.keys() - {*NEEDED, *OPTIONAL}:
            raise ValueError(f"files must be {' and '.join(NEEDED)}, and of {', '.join(OPTIONAL)} those there are")
        for file, pin in self.files.items():
            check_pin(file, pin)

    @property
    def full_name(self) -> str:
        """The name that stays unambiguous when another registry has the same one."""
        return f"{self.origin}:{self.name}"

    @property
    def folder(self) -> Path | None:
        """Where the model lies, if it needs no download."""
        return None if SOURCE.fullmatch(self.source) else self.base / self.source

    @property
    def repository(self) -> str:
        """Its repository on the Hub."""
        return SOURCE.fullmatch(self.source)["repository"]

    @property
    def commit(self) -> str:
        """The commit that it is pinned to."""
        return SOURCE.fullmatch(self.source)["commit"]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(pin["size"] for pin in self.files.values())


KEYS = {"source": str, "architecture": str, "distribution": str, "data": str, "license": str, "summary": str}
KEYS |= {"files": dict, "scores": dict}
"""What an entry says in its file, and the kind of each value."""


def check_pin(file: str, pin: Any) -> None:
    """Raise `ValueError` for anything but a hash and a size."""
    good = isinstance(pin, dict) and pin.keys() == {"sha256", "size"} and isinstance(pin["size"], int)
    if not (good and isinstance(pin["sha256"], str) and re.fullmatch("[0-9a-f]{64}", pin["sha256"])):
        raise ValueError(f"files.'{file}' must be {{ sha256 = <64 hex digits>, size = <bytes> }}")


def read_entries(path: Path, origin: str, base: Path) -> list[Entry]:
    """All entries of a registry file. Raises `BadInput` naming the file and the entry that is wrong."""
    content = read_bytes(path)
    try:
        tables = tomllib.loads(content.decode())
    except ValueError as error:
        raise BadInput(f"{path} is no TOML: {error}") from error
    return [entry(path, name, table, origin, base) for name, table in tables.items()]


def entry(path: Path, name: str, table: Any, origin: str, base: Path) -> Entry:
    """The entry that a table of a registry file is."""
    table = table if isinstance(table, dict) else {}
    needed = {one.name for one in fields(Entry) if one.name in KEYS and one.default is one.default_factory is MISSING}
    for key in table.keys() - KEYS.keys():
        raise BadInput(f"{path}: model '{name}' has an unknown key '{key}'; {suggest(key, KEYS)}")
    if missing := sorted(needed - table.keys()):
        raise BadInput(f"{path}: model '{name}' lacks {', '.join(missing)}")
    try:
        return Entry(name, origin, base, **table)
    except ValueError as error:
        raise BadInput(f"{path}: model '{name}': {error}") from error
