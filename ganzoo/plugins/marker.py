"""Names the plugin that is being loaded in a file, so that the next command can tell which one ended this one."""

import contextlib
import json
import logging
import os
from functools import cache
from pathlib import Path
from typing import IO, Self

from ganzoo._names import NAME_PATTERN, normalize_name, printable
from ganzoo._reading import parse_json
from ganzoo.errors import BadInput
from ganzoo.plugins.verdicts import folder

logger = logging.getLogger(__name__)

PREFIX = "loading-"
"""Begins the name of every marker."""
MAX_MARKER_CHARACTERS = 4000
"""The most that is read of a marker."""
MAX_TOLD_CHARACTERS = 200
"""The most that is told of what was being loaded."""


class LoadingMarker:
    """A file that names the plugin that this process is loading; it is removed afterwards.

    One that is left over, and that no process holds, names the culprit of a command that vanished.
    """

    def __init__(self) -> None:
        self.file: IO[str] | None = None

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            folder().mkdir(parents=True, exist_ok=True)
            self.file = (folder() / f"{PREFIX}{os.getpid()}-{os.urandom(4).hex()}").open("x", encoding="utf-8")
            hold(self.file, wait=True)
        return self

    def write(self, distribution: str, what: str) -> None:
        """Name what is loaded from now on."""
        if self.file:
            with contextlib.suppress(OSError):
                self.file.seek(0)
                self.file.truncate()
                json.dump({"distribution": distribution, "what": what}, self.file)
                self.file.flush()

    def __exit__(self, *_: object) -> None:
        if self.file:
            with contextlib.suppress(OSError):
                self.file.truncate(0)  # before anybody else can hold it
                self.file.close()
                Path(self.file.name).unlink()


def hold(file: IO[str], wait: bool = False) -> bool:
    """Lock a file until it is closed or this process ends; return False where another process holds it."""
    if os.name == "nt":  # where a file that is open cannot be removed by others
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def take_culprits() -> list[str]:
    """Return the distributions that were being loaded when an earlier command ended, and warn of each."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for path in folder().glob(f"{PREFIX}*"):
            found |= take_marker(path)
    for distribution, what in found.items():
        warn_of_culprit(distribution, what)
    return list(found)


def take_marker(path: Path) -> dict[str, str]:
    """Remove a marker that no process holds; return the distribution that it names, with what was loaded."""
    with contextlib.suppress(OSError):
        with path.open("r+", encoding="utf-8", errors="replace") as file:
            content = file.read(MAX_MARKER_CHARACTERS) if hold(file) else ""
        if content:
            path.unlink()  # closed before, or Windows would refuse; of several processes one succeeds
            return read_marker(content)
    return {}


def read_marker(content: str) -> dict[str, str]:
    """Return the distribution that a marker names, with what was loaded; nothing where the marker is damaged."""
    with contextlib.suppress(BadInput):
        found = parse_json(content.encode(), "marker")
        distribution, what = (str(found.get(key, "")) for key in ("distribution", "what"))
        # What is told of it is to be typed into a shell.
        if NAME_PATTERN.fullmatch(name := normalize_name(distribution)):
            return {name: printable(what)[:MAX_TOLD_CHARACTERS]}
    return {}


@cache
def warn_of_culprit(distribution: str, what: str) -> None:
    """Warn of a plugin that was being loaded when an earlier command ended."""
    how = f"GANZOO_DISABLE_PLUGINS={distribution} goes on without it, 'ganzoo uninstall {distribution}' removes it"
    logger.warning("an earlier command ended, or was killed, while it loaded %s; if that happens again: %s", what, how)
