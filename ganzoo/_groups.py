"""The control groups of this process (Linux): what limits a container, or a job on a shared machine."""

import re
from collections.abc import Iterator
from pathlib import Path

GROUPS, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def own_groups(controller: str) -> Iterator[tuple[int, Path]]:
    """Yield version and folder of each group around this process that may limit, say, "cpu"; itself first."""
    for line in filter(re.compile(r"\d+:.*:/").match, read_or_empty(OWN_GROUPS).splitlines()):
        _, controllers, path = line.split(":", 2)
        version = 1 if controllers else 2
        if version == 1 and controller not in controllers.split(","):
            continue
        mounted, own = GROUPS / controller if version == 1 else GROUPS, Path(path.lstrip("/"))
        # Inside a container the path may be the host's, whose own group is then mounted at the root.
        yield from ((version, mounted / group) for group in (own, *own.parents))


def read_or_empty(path: Path) -> str:
    """Return the text of a file; empty where there is none, as on other systems."""
    try:
        return path.read_text()
    except OSError:
        return ""
