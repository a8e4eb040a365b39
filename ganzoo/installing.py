"""Installing and uninstalling plugins, and what became available or went by it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ganzoo import installer
from ganzoo.errors import BadInput, Failed, Unavailable, choices
from ganzoo.plugins import GROUP, normal
from ganzoo.wanted import Wanted, wanted

Rows = list[dict[str, Any]]


def install(words: Sequence[str], editable: bool, upgrade: bool, say: Callable[[str], None]) -> Iterator[str]:
    """Install what the words stand for, and give a line for each thing that became available; `say` tells the rest.

    Raises `BadInput` for a word that stands for nothing and, at the end, for a plugin that is installed and does not
    work; `Unavailable` where the installer fails.
    """
    things = [wanted(word) for word in words]
    if editable and (other := [thing.place for thing in things if not thing.is_folder]):
        raise BadInput(f"--editable is for folders with a pyproject.toml, and '{other[0]}' is none")
    before = plugin_rows()
    installer.install(things, editable, upgrade)
    after = plugin_rows()
    changed = [row for row in after if row not in before]
    names = {thing.name for thing in things if thing.name} | {normal(row["distribution"]) for row in changed}
    yield from lines(after, before)
    for thing in things:
        say_nothing_new(thing, changed, after, say)
    refuse_broken([row for row in after if normal(row["distribution"]) in names], say)


def uninstall(words: Sequence[str]) -> Iterator[str]:
    """Uninstall plugins by the names of their distributions, and give a line for each thing that went.

    Raises `BadInput` for what is no installed plugin and `Unavailable` where the installer fails.
    """
    before = plugin_rows()
    known = {normal(row["distribution"]): row["distribution"] for row in before}
    for word in words:
        if normal(word) not in known:
            raise BadInput(f"'{word}' is no installed plugin; {choices(normal(word), known)}")
    installer.uninstall(list(dict.fromkeys(known[normal(word)] for word in words)))
    after = plugin_rows()
    yield from lines(before, after)
    left = {normal(row["distribution"]) for row in after} & {normal(word) for word in words}
    if left:
        raise Unavailable(f"{', '.join(sorted(left))} cannot be uninstalled here: the installer's message is above")


def plugin_rows() -> Rows:
    """What 'ganzoo plugins' says in a fresh process, which alone sees what was just installed."""
    # Without -P, what lies in the current folder would count as installed.
    command = [sys.executable, "-P", "-m", "ganzoo", "plugins", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failed(f"'ganzoo plugins' fails in {sys.executable}; its message is above")
    return [facts(row) for row in json.loads(done.stdout)]


def facts(row: dict[str, Any]) -> dict[str, Any]:
    """What of a row tells whether a plugin is another one now: neither how long it took to load, nor where it lies."""
    things = [{key: thing[key] for key in ("kind", "name")} for thing in row["provides"]]
    return {key: row[key] for key in ("distribution", "version", "status", "reason")} | {"provides": things}


def lines(rows: Rows, others: Rows) -> list[str]:
    """A line for each thing that these rows provide and the others do not."""
    return [line for line in provided(rows) if line not in provided(others)]


def provided(rows: Rows) -> list[str]:
    """Everything that plugins provide, with what brought it."""
    return [
        f"{thing['kind']} {thing['name']} ({row['distribution']} {row['version']})"
        for row in rows
        for thing in row["provides"]
    ]


def say_nothing_new(thing: Wanted, changed: Rows, after: Rows, say: Callable[[str], None]) -> None:
    """Tell of what was installed and brought nothing: it was there before, or is no plugin at all."""
    if not thing.name:
        if not changed:
            say(f"{thing.place} is installed, and brings no new plugin")
        return
    rows = [row for row in after if normal(row["distribution"]) == thing.name]
    if not rows:
        say(f"{thing.name} is installed, and is no plugin: it has no entry point in group '{GROUP}'")
    elif not any(row in changed for row in rows):
        say(f"{thing.name} is installed, and brings what it brought before")


def refuse_broken(rows: Rows, say: Callable[[str], None]) -> None:
    """Raise `BadInput` for a plugin that is installed and does not work; tell of names that others have too."""
    for row in rows:
        if row["status"] == "conflict":
            say(f"{row['distribution']}: {row['reason']}")
        elif row["status"] != "ok":
            about = f"{row['distribution']} {row['version']}"
            raise BadInput(f"{about} is installed, and does not work: {row['status']}: {row['reason']}")
