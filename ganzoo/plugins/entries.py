"""One entry of a `registry.toml`: a model by name, with every file of it pinned by hash. No torch here."""

import re
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypedDict

from ganzoo._names import NAME_PATTERN, NAME_RULE
from ganzoo._reading import read_toml
from ganzoo.errors import BadInput, suggest

HUB_SOURCE = re.compile(r"hub:(?P<repository>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40})")
NEEDED_FILES = ("config.json", "model.safetensors")
INPUTS_FILE = "inputs.safetensors"
"""Real inputs of a generator that needs some: of a run, and of a published model that may pass them on."""
DISCRIMINATOR_FILE = "discriminator.safetensors"
"""The weights of the discriminator, pulled when it is used."""
OPTIONAL_FILES = ("recipe.toml", "samples.png", "scores.json", "README.md")
"""What people read of a model."""
MODEL_FILES = (*NEEDED_FILES, INPUTS_FILE, DISCRIMINATOR_FILE, *OPTIONAL_FILES)
"""The files of a model folder; no other file is ever downloaded."""


class Pin(TypedDict):
    """The hash and the size in bytes of one file."""

    sha256: str
    size: int


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
    files: dict[str, Pin]
    summary: str = ""
    scores: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name):
            raise ValueError(f"this is not a valid name: {NAME_RULE}")
        for key, kind in ENTRY_KEYS.items():
            if not isinstance(getattr(self, key), kind):
                raise ValueError(f"{key} must be a {'table' if kind is dict else 'string'}")
        if self.source.startswith("hub:") and not HUB_SOURCE.fullmatch(self.source):
            raise ValueError("source must be hub:owner/name@ and the 40 hex digits of a commit, or a folder")
        if set(NEEDED_FILES) - self.files.keys() or self.files.keys() - {*MODEL_FILES}:
            others = ", ".join(MODEL_FILES[len(NEEDED_FILES) :])
            raise ValueError(f"files must be {' and '.join(NEEDED_FILES)}, and any of {others}")
        for file, pin in self.files.items():
            check_pin(file, pin)

    @property
    def full_name(self) -> str:
        """The name that stays unambiguous when another registry has the same one."""
        return f"{self.origin}:{self.name}"

    @property
    def folder(self) -> Path | None:
        """The folder of a model that needs no download; None for one on the Hub."""
        return None if HUB_SOURCE.fullmatch(self.source) else self.base / self.source

    @property
    def repository(self) -> str:
        """The repository on the Hub, as "owner/name"."""
        return self._hub_part("repository")

    @property
    def commit(self) -> str:
        """The commit on the Hub that it is pinned to."""
        return self._hub_part("commit")

    @property
    def size(self) -> int:
        """The size of all its files in bytes."""
        return sum(pin["size"] for pin in self.files.values())

    @property
    def needed_files(self) -> list[str]:
        """The names of the files without which it cannot be sampled."""
        return [*NEEDED_FILES, *[INPUTS_FILE] * (INPUTS_FILE in self.files)]

    def _hub_part(self, part: str) -> str:
        match = HUB_SOURCE.fullmatch(self.source)
        if not match:
            raise ValueError(f"the model '{self.name}' is in a folder, not on the Hub")
        return match[part]


TEXT_KEYS = ("source", "architecture", "distribution", "data", "license", "summary")
ENTRY_KEYS: dict[str, type] = {**dict.fromkeys(TEXT_KEYS, str), "files": dict, "scores": dict}
"""The keys of an entry's table, and the type of each value."""


def check_pin(file: str, pin: Any) -> None:
    """Raise `ValueError` for anything but a hash and a size."""
    good = isinstance(pin, dict) and pin.keys() == {"sha256", "size"} and isinstance(pin["size"], int)
    if not (good and isinstance(pin["sha256"], str) and re.fullmatch("[0-9a-f]{64}", pin["sha256"])):
        raise ValueError(f"files.'{file}' must be {{ sha256 = <64 hex digits>, size = <bytes> }}")


def read_entries(path: Path, origin: str, base: Path) -> list[Entry]:
    """Return all entries of a registry file. Raises `BadInput` naming the file and the entry that is wrong."""
    return [parse_entry(path, name, table, origin, base) for name, table in read_toml(path).items()]


def parse_entry(path: Path, name: str, table: Any, origin: str, base: Path) -> Entry:
    """Return the entry of one table of a registry file. Raises `BadInput` for unknown, missing and invalid keys."""
    table = table if isinstance(table, dict) else {}
    without_default = {each.name for each in fields(Entry) if each.default is each.default_factory is MISSING}
    for key in table.keys() - ENTRY_KEYS.keys():
        raise BadInput(f"{path}: model '{name}' has an unknown key '{key}'; {suggest(key, ENTRY_KEYS)}")
    if missing := sorted(without_default & ENTRY_KEYS.keys() - table.keys()):
        raise BadInput(f"{path}: model '{name}' lacks {', '.join(missing)}")
    try:
        return Entry(name, origin, base, **table)
    except ValueError as error:
        raise BadInput(f"{path}: model '{name}': {error}") from error
