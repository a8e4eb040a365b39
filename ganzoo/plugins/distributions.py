"""Installed distributions and the entry points of plugins. What cannot be read is passed over with a warning."""

import contextlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, distribution, distributions
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ganzoo._bundled import is_bundled
from ganzoo._names import normalize_name, one_line

logger = logging.getLogger(__name__)

GROUP = "ganzoo"
"""The group of entry points in which plugins are found."""


def plugin_entry_points() -> list[EntryPoint]:
    """Return the entry points of all plugins, sorted by distribution; of two with one name, the first on the path."""
    found: list[EntryPoint] = []
    seen: set[str] = set()
    for each in distributions():
        own = [entry for entry in read_entry_points(each) if entry.group == GROUP]
        name = normalize_name(name_and_version(each)[0]) if own else ""
        if own and name not in seen and not is_hidden(each, name):
            found += own
            seen |= {name} - {""}
    return sorted(found, key=lambda entry: (*name_and_version(entry.dist), entry.name))


def read_entry_points(each: Distribution) -> list[EntryPoint]:
    """Return all entry points of a distribution; none, with a warning, where they cannot be read."""
    try:
        return list(each.entry_points)
    except Exception:
        warn_of_unreadable(Path(str(each.locate_file(""))))
        return []


def is_hidden(each: Distribution, name: str) -> bool:
    """Return whether another distribution of that name comes earlier on the path."""
    try:
        return bool(name) and str(distribution(name).locate_file("")) != str(each.locate_file(""))
    except PackageNotFoundError:  # its metadata folder has another name
        return False


@cache  # by the object: reading them takes longer than all else that is asked of a plugin
def name_and_version(each: Distribution | None) -> tuple[str, str]:
    """Return the name and version of a distribution, empty where its metadata is missing or cannot be read."""
    try:
        metadata = each.metadata if each else None
        names, versions = (metadata.get_all(key) or [""] if metadata else [""] for key in ("Name", "Version"))
    except Exception:
        return "", ""
    return names[0], versions[0]


def owned_depth(each: Distribution | None, module: str) -> int:
    """Return how many parts of an imported module's name lead to a file that a distribution brought; 0 for none.

    Of several distributions, the one with the most owns it: `zoo.extra` may come from another one than `zoo`.
    """
    parts = module.split(".")
    with contextlib.suppress(Exception):  # nothing is said about a distribution that cannot be read
        folders = brought_files(each) if each else {}
        depths = (depth for depth in range(len(parts), 0, -1) if is_brought(".".join(parts[:depth]), folders))
        return next(depths, 0)
    return 0


def is_brought(module: str, folders: Mapping[Path, set[str] | None]) -> bool:
    """Return whether the file of an imported module is one of those that `brought_files` returns."""
    file = Path(getattr(sys.modules.get(module), "__file__", None) or "")
    is_package = file.name.partition(".")[0] == "__init__"
    inside = Path(*file.parts[-1 - module.count(".") - is_package :])
    return bool(file.name) and any(
        (files is None or inside.as_posix() in files) and (folder / inside).resolve() == file.resolve()
        for folder, files in folders.items()
    )


@cache  # by the object, as above
def brought_files(each: Distribution) -> dict[Path, set[str] | None]:
    """Return the folders that a distribution's modules lie in, each with its files; None where it is edited there."""
    record = {line.partition(",")[0] for line in (each.read_text("RECORD") or "").splitlines()}
    folder = editable_folder(each)
    edited: dict[Path, set[str] | None] = {folder: None, folder / "src": None} if folder else {}
    return {Path(str(each.locate_file(""))): record, **edited}


def editable_folder(each: Distribution) -> Path | None:
    """Return the folder in which a distribution is edited; None where it was copied into the environment."""
    origin = json.loads(each.read_text("direct_url.json") or "{}")
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(origin["url"]).path))


@cache
def warn_of_unreadable(folder: Path) -> None:
    """Warn of each distribution in a folder that cannot be read, once per process."""
    for metadata, error in unreadable_metadata(folder):
        how = f"remove that folder, and install {name_in(metadata)} again"
        logger.warning("passed over: %s cannot be read (%s); %s", metadata, one_line(error), how)


def unreadable_metadata(folder: Path) -> Iterator[tuple[Path, Exception]]:
    """Yield the metadata folder of each distribution in `folder` that cannot be read, and the error."""
    for metadata in sorted(folder.glob("*.*-info")):
        try:
            found = Distribution.at(metadata)
            list(found.entry_points), found.metadata["Name"]
        except Exception as error:
            yield metadata, error


def all_unreadable() -> list[Path]:
    """Return the metadata folders of all installed distributions that cannot be read."""
    folders = sorted({str(each.locate_file("")) for each in distributions()})
    return [metadata for folder in folders for metadata, _ in unreadable_metadata(Path(folder))]


def name_in(metadata: Path) -> str:
    """Return the name of a distribution that the name of its metadata folder, `some_thing-1.0.dist-info`, has."""
    return normalize_name(metadata.stem.partition("-")[0])


def installed_names() -> dict[str, str]:
    """Return the names of the distributions that have a plugin or cannot be read, by their normalized names."""
    names = [name_and_version(entry.dist)[0] for entry in plugin_entry_points()]
    names += map(name_in, all_unreadable())
    return {normalize_name(name): name for name in names if name}


def came_with_ganzoo(name: str) -> bool:
    """Return whether the distribution of that name that is used is the one inside ganzoo's own wheel."""
    try:
        return is_bundled(distribution(name))
    except PackageNotFoundError:
        return False


def installed_versions() -> dict[str, str]:
    """Return the normalized name and the version of every distribution that an installer left and that can be read."""
    left = [each for each in distributions() if not is_bundled(each)]
    found = map(name_and_version, reversed(left))  # of two with one name, the first on the path counts
    return {normalize_name(name): version for name, version in found if name}
