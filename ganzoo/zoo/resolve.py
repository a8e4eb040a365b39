"""From a reference to a model folder on this machine: found, or pulled and verified."""

from pathlib import Path

from ganzoo._io import read_bytes, sha256
from ganzoo.errors import Unavailable
from ganzoo.plugins.entries import Entry
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.references import OnHub, Reference


def resolve_model(reference: Reference, offline: bool = False, everything: bool = False) -> LocalModel:
    """Find a model on this machine, or pull it from the Hub.

    `offline` sends no request and finds only what was pulled before. `everything` also pulls and verifies the files
    beside config and weights. Raises `BadInput` for a folder without a model, and `Unavailable` where a download fails
    or a file is not the pinned one.
    """
    if isinstance(reference, Path):
        return LocalModel.find(reference)
    if isinstance(reference, Entry) and (folder := reference.folder):
        return verify_files(reference, folder, everything)
    # Imported late: the Hub's client is slow to import, and local models need none.
    from ganzoo.zoo.hub import pull

    if isinstance(reference, OnHub):
        return pull.pull_repository(reference, offline, everything)
    return pull.pull_entry(reference, offline, everything)


def verify_files(entry: Entry, folder: Path, everything: bool) -> LocalModel:
    """Return a registered model that needs no download. Raises `Unavailable` where a file is not the pinned one."""
    for file in entry.files if everything else entry.needed_files:
        path = folder / file
        if not path.is_file() or sha256(read_bytes(path)) != entry.files[file]["sha256"]:
            raise Unavailable(f"{path} is not the file that the registry pins as '{entry.name}'; install it again")
    return LocalModel(folder)
