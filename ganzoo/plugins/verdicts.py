"""Remembers which plugins are safe to load, in the user's cache folder, until their code changes.

Where that folder cannot be written, nothing is remembered and nothing breaks.
"""

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from ganzoo._io import NoHome, home_folder, sha256, write_json
from ganzoo._names import normalize_name
from ganzoo._reading import read_json
from ganzoo._version import __version__
from ganzoo.errors import BadInput
from ganzoo.plugins.distributions import name_and_version

Groups = Mapping[str, Sequence[EntryPoint]]
"""Entry points by the normalized names of their distributions."""
PASSING_SECONDS = 3600
"""Seconds for which a verdict is remembered that may be due to a busy machine."""
CODE = re.compile(r"\.(py|pyc|pyd|so|dll|dylib)(\.[\d.]+)?$", re.IGNORECASE)
"""Ends the names of files with code. A plugin may write others into its own folder whenever it is loaded."""


@dataclass(frozen=True)
class Verdict:
    """What an examination found: why a plugin must not be loaded, with a traceback; nothing where it is safe."""

    fault: str = ""
    traceback: str = ""
    passing: bool = False
    """Whether it may be due to a busy machine."""


SAFE = Verdict()


def folder() -> Path:
    """Return the folder of everything that is remembered; for a user without a home one that cannot be made."""
    try:
        return home_folder(platformdirs.user_cache_path, "XDG_CACHE_HOME") / "plugins"
    except NoHome:
        return Path(os.devnull, "plugins")


def group(entries: Iterable[EntryPoint]) -> dict[str, list[EntryPoint]]:
    """Return entry points by the normalized names of their distributions."""
    groups: dict[str, list[EntryPoint]] = {}
    for entry in entries:
        groups.setdefault(normalize_name(name_and_version(entry.dist)[0]), []).append(entry)
    return groups


def read_verdicts(groups: Groups) -> dict[str, Verdict]:
    """Return the verdicts that are remembered; none for a distribution that is new or was changed since."""
    found = {name: read_verdict(entries) for name, entries in groups.items()}
    return {name: verdict for name, verdict in found.items() if verdict is not None}


def read_verdict(entries: Sequence[EntryPoint]) -> Verdict | None:
    """Return the verdict on the distribution of these entry points; None where it is new or was changed since."""
    file = verdict_file(entries)
    with contextlib.suppress(OSError, BadInput):
        found = read_json(file)
        fault, traceback, passing = (found.get(key) for key in ("fault", "traceback", "passing"))
        is_old = passing and not 0 <= time.time() - file.stat().st_mtime < PASSING_SECONDS
        if is_old or found.get("stamp") != stamp(entries):
            return None
        if isinstance(fault, str) and isinstance(traceback, str) and isinstance(passing, bool):
            return Verdict(fault, traceback, passing)
    return None


def remember(entries: Sequence[EntryPoint], verdict: Verdict, stamped: str) -> None:
    """Write the verdict on a distribution as it was when it was `stamped`, where the cache folder lets us."""
    file = verdict_file(entries)
    with contextlib.suppress(OSError, BadInput):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, {"stamp": stamped, **asdict(verdict)})


def forget(entries: Sequence[EntryPoint]) -> None:
    """Have the distribution of these entry points examined again."""
    with contextlib.suppress(OSError):
        verdict_file(entries).unlink(missing_ok=True)


def verdict_file(entries: Sequence[EntryPoint]) -> Path:
    """Return the file for a distribution; one for each place where it is installed and each Python that sees it."""
    distribution = entries[0].dist
    place = str(distribution.locate_file("")) if distribution else ""
    digest = hash_lines([place, sys.version, sys.prefix])[:12]
    return folder() / f"{normalize_name(name_and_version(distribution)[0])[:100]}-{digest}.json"


def stamp(entries: Sequence[EntryPoint]) -> str:
    """Return a hash of all that a verdict depends on: versions, and size and time of the packages' files with code."""
    facts = [__version__, *name_and_version(entries[0].dist)]
    facts += [f"{entry.name}={entry.value}" for entry in entries]
    for package in sorted({re.split(r"[^\w]", entry.value.strip())[0] for entry in entries}):
        facts += [f"{path} {size} {time}" for path, size, time in package_files(package)]
    return hash_lines(facts)


def hash_lines(lines: Sequence[str]) -> str:
    """Return the SHA-256 hash of lines of text, as 64 hex digits; names of files may have any bytes."""
    return sha256("\n".join(lines).encode(errors="surrogateescape"))


def package_files(package: str) -> list[tuple[str, int, int]]:
    """Return path, size and time of the code of a top-level module or package, which is not imported for that."""
    try:
        spec = find_spec(package)
    except Exception:  # importing it will tell
        return []
    tops = [*(spec.submodule_search_locations or ()), *filter(None, [spec.origin])] if spec else []
    return sorted(file for top in tops for file in list_files(Path(top)))


def list_files(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yield path, size and time of a file with code, or of each in a folder, without Python's cache of byte code."""
    waiting = [path]
    while waiting:
        with contextlib.suppress(OSError):
            if (each := waiting.pop()).is_dir():
                with os.scandir(each) as entries:
                    waiting += [Path(entry.path) for entry in entries if not is_passed_over(entry)]
            elif CODE.search(each.name):
                about = each.stat()
                yield str(each), about.st_size, about.st_mtime_ns


def is_passed_over(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry of a folder is byte code, or a link to a folder, which may lead back to itself."""
    return entry.name == "__pycache__" or (entry.is_symlink() and entry.is_dir())
