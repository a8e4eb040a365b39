"""Data sets by name: which there are, and what stands behind a name or the path of a folder. No torch, no pydantic."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from ganzoo.errors import BadInput, suggest
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.files import is_in_file
from ganzoo.plugins.registration import Registration

FOLDER = Registration("data", "folder", "ganzoo", "", {"dataset": "ganzoo.data.folders:Folder"})
"""What reads a folder of images, whose path is written in place of a name."""


def list_names(parts: bool = True) -> list[str]:
    """List every name of a data set as a user types it; a bare name that several plugins provide, in full.

    Without `parts` a name such as avatars:critters is left out where `avatars` is there.
    """
    things = [thing for thing in catalog().provided if thing.kind == "data"]
    bare = [thing.name for thing in things]
    found = {thing.name if bare.count(thing.name) == 1 else thing.full_name: thing.about["parts"] for thing in things}
    return [each for name in found for each in (name, *(f"{name}:{part}" for part in found[name] if parts))]


def split_name(name: str) -> tuple[str, dict[str, Any]]:
    """Return the name under which a data set is registered, and the option that the rest of the name sets."""
    before, _, rest = name.rpartition(":")
    if before and not catalog().named("data", name):
        options = {thing.about["part"] for thing in catalog().named("data", before)} - {""}
        if options:
            return before, {min(options): rest}
    return name, {}


def is_data_set(name: str) -> bool:
    """Return whether this is the name of a data set; of a folder it is not, and several plugins may have it."""
    return bool(catalog().named("data", split_name(name)[0]))


def find_data(name: str) -> tuple[Registration, dict[str, Any]]:
    """Return the registration behind a name or the path of a folder, and the options that stand in it.

    Raises `BadInput` for a name that several plugins provide, and if there is neither a data set nor a folder.
    """
    registered, options = split_name(name)
    if is_data_set(registered):
        return catalog().find("data", registered), options
    return FOLDER, {"path": find_folder(name)}


def find_folder(name: str) -> Path:
    """Return the folder of that name. Raises `BadInput` if there is none."""
    with suppress(OSError, RuntimeError):  # a name too long for a path, or the home of an unknown user
        path = Path(name).expanduser()
        if path.exists():
            return path
    if is_in_file(name):
        way = "give it from Python, ganzoo.train(..., data=...), or make a plugin that registers it"
        raise BadInput(f"'{name}' is a class in a file, which data cannot name; {way}")
    also = catalog().also(name, "data")
    if how := catalog().how_to_get(name.rpartition(":")[0]):
        raise BadInput(f"the data set '{name}' is missing, as {how}")
    start = name.rpartition(":")[0] + ":"
    full = [each.full_name for each in catalog().provided if each.kind == "data" and each.full_name.startswith(start)]
    near = suggest(name, full or list_names(), full or list_names(parts=False))
    raise BadInput(f"there is no data set or folder '{name}'{also}; {near}{catalog().unavailable()}")
