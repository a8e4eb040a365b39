"""References to models: a registered name, `hub:owner/name[@revision]`, or a folder. No torch here."""

import difflib
import re
import reprlib
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path

from ganzoo._io import exists, expand_user
from ganzoo.errors import BadInput, accept, suggest
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.entries import Entry
from ganzoo.zoo.local import read_settled
from ganzoo.zoo.registry import Registry

HUB = re.compile(r"(?P<repository>[\w-][\w.-]*/[\w-][\w.-]*)(@(?P<revision>[\w-](?!.*\.\.)[\w./-]*))?")


@dataclass(frozen=True)
class OnHub:
    """A repository on the Hub, at a branch, tag or commit."""

    repository: str
    revision: str | None = None


Reference = Entry | OnHub | Path
"""A parsed reference: a registered model, a repository on the Hub, or a run or model folder."""


def parse(source: str | PathLike[str], registry: Registry | None = None) -> Reference:
    """Parse a reference; a path, and a `Run`, which is one, is always a folder.

    Of text, a registered name wins over a folder of the same name, which is reached as "./name".

    Give the same `registry` to several calls, and its files are read once. Raises `BadInput` for what is ambiguous or
    does not exist.
    """
    try:
        text, path = fspath(source), expand_user(Path(source))
    except TypeError as error:
        kinds = "a name, a hub:owner/name, a path or a Run"
        raise BadInput(f"a model is given as {kinds}, not as {reprlib.repr(source)}") from error
    if isinstance(source, PathLike) or text.startswith((".", "~", "/")) or path.is_absolute():
        return require_path(path, text)
    if text.startswith("hub:"):
        return parse_hub(text)
    if "/" in text:
        return require_path(path, text, or_hub=True)
    registry = registry or Registry()
    if entry := registry.find(text):
        return entry
    if exists(path):
        return path
    unread = "".join(f"; {fault}" for origin, fault in registry.faults.items() if ":" not in origin)
    if exists(run := Path("runs", text)):
        raise BadInput(f"there is no registered model, run or folder '{text}'; {accept([str(run)])}")
    raise BadInput(f"there is no registered model, run or folder '{text}'{advise(text, registry)}{unread}")


def advise(name: str, registry: Registry) -> str:
    """Return the second half of a message about a name of no model: what else has it, and which models there are."""
    kinds = catalog().kinds_of(name)
    train = f": train it first (ganzoo train {name})" if "recipe" in kinds else ""
    made = [entry.name for entry in registry.entries if entry.architecture == name]
    near = accept(made) if made else suggest(name, (entry.name for entry in registry.entries))
    return f"{catalog().also(name, 'model')}{train}; {near}"


def find_near(path: Path) -> list[str]:
    """Return the folders beside a path that does not exist whose names are nearly its own."""
    try:
        there = [folder.name for folder in path.parent.iterdir() if folder.is_dir()]
    except OSError:
        return []
    return [str(path.parent / name) for name in difflib.get_close_matches(path.name, there, cutoff=0.6)]


def parse_hub(text: str) -> OnHub:
    """Parse `hub:owner/name[@revision]`."""
    found = HUB.fullmatch(text.removeprefix("hub:"))
    if not found:
        raise BadInput(f"'{text}' is not hub:owner/name or hub:owner/name@revision")
    return OnHub(found["repository"], found["revision"])


def require_path(path: Path, text: str, or_hub: bool = False) -> Path:
    """Return the path if it exists. Raises `BadInput` otherwise; `or_hub` adds how to name a repository."""
    return read_settled([path], lambda: _require_path(path, text, or_hub))


def _require_path(path: Path, text: str, or_hub: bool) -> Path:
    if exists(path):
        return path
    if path.name == "best" and exists(path.parent / "recipe.toml"):
        when = "samples are measured every train.save_every steps, or train.evaluate_every"
        raise BadInput(f"'{path.parent}' has no best generator yet: {when}; its last one is '{path.parent}'")
    if near := find_near(path):
        raise BadInput(f"there is no run or model '{text}'; {accept(near)}")
    if or_hub and HUB.fullmatch(text):
        both = f"write hub:{text} for a repository on the Hub, ./{text} for a folder"
        raise BadInput(f"there is no run or model '{text}' here; {both}")
    raise BadInput(f"there is no run or model '{text}'")
