"""Paths of the machine that a model comes from, and users and passwords in URLs: they are nobody else's business."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganzoo._faults import USER_IN_URL

BEFORE = r"^|[\s=,;'\"\[\](){}<>]|:(?!//)"
"""What comes before a path in a longer string; what comes before // is the address of a server."""
NUMBER = r"\d+(\.\d+)?(?![\w/-]|\.\w)"
"""What comes after the / of a fraction, as in "1 /2"."""
ROOTED = re.compile(rf"(?:{BEFORE})(?:/+(?!{NUMBER})[^/\s]|~[\w.-]*[/\\]|\.{{1,2}}[/\\]|\\\\\w|[A-Za-z]:[\\/])|file:/")
"""The beginning of a path: from the root, a home folder or here, in a share, or on a drive; or of one as a URL."""
VARIABLE = re.compile(r"\$\{\w+\}|\$(env:)?[A-Za-z_]\w*([/\\]|$)|%\w{2,}%([/\\]|$)")
"""A variable of the environment of a shell or of Windows, where a path may begin with it."""


def drop_paths(table: Mapping[str, Any], within: str = "") -> tuple[dict[str, Any], list[str]]:
    """Return plain values without those that hold a path of this machine, and the dotted keys of what was left out.

    A key may be one, too. A list that holds one is left out as a whole, except a list of tables, such as the losses of
    a recipe.
    """
    kept: dict[str, Any] = {}
    dropped: list[str] = []
    for key, value in table.items():
        place = f"{within}.{key}" if within else str(key)
        if is_machine_path(str(key)):
            dropped.append(place)
        elif isinstance(value, Mapping):
            kept[key], more = drop_paths(value, place)
            dropped += more
        elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
            parts = [drop_paths(each, f"{place}.{each.get('name', number)}") for number, each in enumerate(value)]
            kept[key] = [part for part, _ in parts]
            dropped += [one for _, more in parts for one in more]
        elif any(map(is_machine_path, strings(value))):
            dropped.append(place)
        else:
            kept[key] = value
    return kept, dropped


def strings(value: Any) -> Iterator[str]:
    """Yield every string in a value, at any depth; of a table also the keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from (*strings(key), *strings(each))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings(each)


def is_machine_path(text: str) -> bool:
    """Say whether a string is, or has in it, a path of any system that only this machine has, or the user of a URL."""
    return any(pattern.search(text) for pattern in (ROOTED, VARIABLE, USER_IN_URL)) or is_here(text)


def is_here(text: str) -> bool:
    """Say whether a file or folder here is named by more than one word; a single word may just happen to be one."""
    with suppress(OSError, ValueError):
        return "/" in text.strip("/") and Path(text).exists()
    return False
