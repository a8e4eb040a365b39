"""Programs on a terminal of a given width: a pseudo-terminal, and the screen that their output leaves on it."""

import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from fcntl import ioctl
from pathlib import Path

from rich.cells import cell_len

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def on_terminal(
    words: Sequence[object], width: int, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a program on a terminal of that width and 60 lines; return its exit code and all that it wrote there."""
    mine, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, width, 0, 0))
    surroundings = {**os.environ, **(environment or {}), "TERM": "xterm"}
    for name in ("COLUMNS", "LINES"):
        surroundings.pop(name, None)
    process = subprocess.Popen(
        list(map(str, words)), stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=surroundings
    )
    os.close(theirs)
    written = b"".join(iter(lambda: read(mine), b""))
    os.close(mine)
    return process.wait(), written.decode(errors="replace")


def read(terminal: int) -> bytes:
    """Read what a program wrote; nothing once it has gone."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def states(written: str) -> list[str]:
    """Return every line that the terminal showed, each state of a line that was written again, without colours."""
    return [part.rstrip() for part in re.split(r"[\r\n]+", ESCAPE.sub("", written)) if part.strip()]


def widest(written: str) -> int:
    """Return the width of the widest line."""
    return max(map(cell_len, states(written)))
