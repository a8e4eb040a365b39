"""How much memory is free, so that what cannot fit is refused before the system ends the process."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ganzoo._groups import own_groups, read_or_empty
from ganzoo.errors import BadInput

SYSTEM = Path("/proc/meminfo")
UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def require_memory(needed: int, what: str) -> None:
    """Raise `BadInput` if `needed` bytes are more than are free; `what` begins the sentence."""
    if needed > (free := free_memory()):
        raise BadInput(f"{what} need {in_words(needed)} of memory, and {in_words(free)} are free")


def free_memory() -> int:
    """Return the bytes that are free for this process: of the system, and of the container (Linux); else a lot."""
    return min([*_of_system(), *_of_groups()], default=sys.maxsize)


def in_words(count: float) -> str:
    """Return a number of bytes as people write it: 12.5 GB."""
    for unit in UNITS[:-1]:
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} {UNITS[-1]}"


def _of_system() -> list[int]:
    found = re.search(r"^MemAvailable:\s*(\d+) kB$", read_or_empty(SYSTEM), re.MULTILINE)
    return [1024 * int(found[1])] if found else []


def _of_groups() -> Iterator[int]:
    """Yield what the limit of each control group, of version 2, around this process leaves."""
    for version, group in own_groups("memory"):
        limit, used = (read_or_empty(group / f"memory.{name}").strip() for name in ("max", "current"))
        if version == 2 and limit.isdigit() and used.isdigit():
            yield max(0, int(limit) - int(used))
