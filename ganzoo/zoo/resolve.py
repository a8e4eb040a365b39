"""From a reference to a model folder on this machine: found, or pulled and verified."""

from collections.abc import Callable
from pathlib import Path

from ganzoo._io import read_bytes, sha256
from ganzoo.errors import Unavailable
from ganzoo.plugins.entries import NEEDED, Entry
from ganzoo.zoo.references import OnHub, model_folder, parse


def resolve_folder(
    source: str | Path,
    offline: bool = False,
    everything: bool = False,
    say: Callable[[str], None] = lambda sentence: None,
) -> Path:
    """The model folder that a reference means. Raises `BadInput` where there is none, else `Unavailable`.

    `offline` sends no request: only what was pulled before is found. `everything` wants not only config and weights.
    `say` is told which commit a name on the Hub is at.
    """
    meant = parse(source)
    if isinstance(meant, Path):
        return model_folder(meant)
    if isinstance(meant, Entry) and meant.folder:
        return verify_entry(meant, everything)
    # Imported late, since the Hub's client is slow to import and local models need none.
    from ganzoo.zoo import hub

    if isinstance(meant, OnHub):
        return hub.pull_repository(meant, offline, everything, say)
    return hub.pull_entry(meant, offline, everything)


def verify_entry(entry: Entry, everything: bool) -> Path:
    """The folder of a registered model that needs no download. Raises `Unavailable` where a file is not as pinned."""
    for file in entry.files if everything else NEEDED:
        path = entry.folder / file
        if not path.is_file() or sha256(read_bytes(path)) != entry.files[file]["sha256"]:
            raise Unavailable(f"{path} is not the file that the registry pins as '{entry.name}'; install it again")
    return entry.folder
