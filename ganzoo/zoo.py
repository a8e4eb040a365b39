"""From a reference to a model folder on this machine: found, or pulled and verified."""

from collections.abc import Callable
from pathlib import Path

from ganzoo.errors import Unavailable
from ganzoo.files import digest
from ganzoo.pinned import Entry
from ganzoo.references import OnHub, model_folder, parse


def folder_of(source: str | Path, offline: bool = False, say: Callable[[str], None] = lambda sentence: None) -> Path:
    """The model folder that a reference means. Raises `BadInput` where there is none, else `Unavailable`.

    `offline` sends no request: only what was pulled before is found. `say` is told what an unpinned repository is at.
    """
    meant = parse(source)
    if isinstance(meant, Path):
        return model_folder(meant)
    # Imported late, since the Hub's client is slow to import and local models need none.
    from ganzoo import hub

    if isinstance(meant, OnHub):
        return hub.pull_repository(meant, offline, say)
    return checked(meant) if meant.folder else hub.pull_entry(meant, offline)


def checked(entry: Entry) -> Path:
    """The folder of a registered model that needs no download. Raises `Unavailable` where a file is not as pinned."""
    for file, pin in entry.files.items():
        path = entry.folder / file
        if not path.is_file() or digest(path) != pin["sha256"]:
            raise Unavailable(f"{path} is not the file that the registry pins as '{entry.name}'; install it again")
    return entry.folder
