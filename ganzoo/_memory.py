"""How much memory is free, so that what cannot fit is refused before the system ends the process."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ganzoo.errors import BadInput

SYSTEM = Path("/proc/meminfo")
GROUPS, OWN_GROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
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
    found = re.search(r"^MemAvailable:\s*(\d+) kB$", _read(SYSTEM), re.MULTILINE)
    return [1024 * int(found[1])] if found else []


def _of_groups() -> Iterator[int]:
    """Yield what the limit of each control group, of version 2, around this process leaves."""
    for line in re.findall(r"^0::/(.*)$", _read(OWN_GROUP), re.MULTILINE):
        for group in (Path(line), *Path(line).parents):
            limit, used = (_read(GROUPS / group / f"memory.{name}").strip() for name in ("max", "current"))
            if limit.isdigit() and used.isdigit():
                yield max(0, int(limit) - int(used))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # another system, or no such group
        return ""
