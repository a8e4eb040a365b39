"""Installing and uninstalling plugins, and what became available or went by it."""

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import entry_points
from typing import Any

from ganzoo._names import normalize_name
from ganzoo.errors import BadInput, Failed, Unavailable, suggest
from ganzoo.plugins.catalog import GROUP, plugin_rows
from ganzoo.plugins.install import guarded
from ganzoo.plugins.install.subprocess import run_afresh
from ganzoo.plugins.install.targets import InstallTarget, parse_target

Rows = list[dict[str, Any]]


def install(words: Sequence[str], editable: bool, upgrade: bool, say: Callable[[str], None]) -> Iterator[str]:
    """Install what the words stand for, and give a line for each thing that came or went; `say` tells the rest.

    Raises `BadInput` for a word that stands for nothing and, at the end, for a plugin that is installed and does not
    work; `Unavailable` where the installer fails; `Failed` for a plugin that ends the process that loads it.
    """
    things = [parse_target(word) for word in words]
    if editable and (other := [thing.place for thing in things if not thing.is_folder]):
        raise BadInput(f"--editable is for folders with a pyproject.toml, and '{other[0]}' is none")
    before = rows_afresh()
    after = rows_with(guarded.install(things, editable, upgrade))
    changed = [row for row in after if row not in before]
    names = {thing.name for thing in things if thing.name} | {normalize_name(row["distribution"]) for row in changed}
    yield from [line for line in provided_lines(after).values() if line not in provided_lines(before).values()]
    yield from removed_lines(before, after)
    for thing in things:
        say_nothing_new(thing, changed, after, say)
    check_broken([row for row in after if normalize_name(row["distribution"]) in names], say)


def uninstall(words: Sequence[str]) -> Iterator[str]:
    """Uninstall plugins by the names of their distributions, and give a line for each thing that went.

    No plugin needs to work for that. Raises `BadInput` for what is no installed plugin and `Unavailable` where the
    installer fails.
    """
    known = {normalize_name(entry.dist.name): entry.dist.name for entry in entry_points(group=GROUP)}
    for word in words:
        if normalize_name(word) not in known:
            raise BadInput(f"'{word}' is no installed plugin; {suggest(normalize_name(word), known)}")
    names = {normalize_name(word): known[normalize_name(word)] for word in words}
    before = rows_if_any()
    left = names.keys() - set(guarded.uninstall(list(names.values())))
    after = rows_if_any()
    told = removed_lines(before, after) if before and after else []
    yield from told or [f"gone: {names[name]}" for name in names if name not in left]
    if left:
        raise Unavailable(f"{', '.join(sorted(left))} cannot be uninstalled here: the installer's message is above")


def rows_afresh() -> Rows:
    """What 'ganzoo plugins' says in a fresh process, which alone sees what was just installed."""
    return [comparable(row) for row in run_afresh(plugin_rows)]


def rows_if_any() -> Rows:
    """What plugins there are, and nothing where one of them ends the process that loads it."""
    try:
        return rows_afresh()
    except Failed:
        return []


def rows_with(names: Sequence[str]) -> Rows:
    """What plugins there are, now that these are installed. Raises `Failed` where one ends the process."""
    try:
        return rows_afresh()
    except Failed as error:
        raise Failed(f"{', '.join(names)} is installed, and now {error}; 'ganzoo uninstall' removes it") from error


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    """What of a row tells whether a plugin is another one now: neither how long it took to load, nor where it lies."""
    things = [{key: thing[key] for key in ("kind", "name")} for thing in row["provides"]]
    return {key: row[key] for key in ("distribution", "version", "status", "reason")} | {"provides": things}


def removed_lines(before: Rows, after: Rows) -> list[str]:
    """A line for each thing that was provided before and no longer is, in whatever version."""
    return [f"gone: {line}" for thing, line in provided_lines(before).items() if thing not in provided_lines(after)]


def provided_lines(rows: Rows) -> dict[tuple[str, str, str], str]:
    """A line for everything that plugins provide, with what brought it."""
    return {
        (thing["kind"], thing["name"], row["distribution"]): (
            f"{thing['kind']} {thing['name']} ({row['distribution']} {row['version']})"
        )
        for row in rows
        for thing in row["provides"]
    }


def say_nothing_new(thing: InstallTarget, changed: Rows, after: Rows, say: Callable[[str], None]) -> None:
    """Tell of what was installed and brought nothing: it was there before, or is no plugin at all."""
    if not thing.name:
        if not changed:
            say(f"{thing.place} is installed, and brings no new plugin")
        return
    rows = [row for row in after if normalize_name(row["distribution"]) == thing.name]
    if not rows:
        say(f"{thing.name} is installed, and is no plugin: it has no entry point in group '{GROUP}'")
    elif not any(row in changed for row in rows):
        say(f"{thing.name} is installed, and brings what it brought before")


def check_broken(rows: Rows, say: Callable[[str], None]) -> None:
    """Raise `BadInput` for a plugin that is installed and does not work; tell of names that others have too."""
    for row in rows:
        if row["status"] == "conflict":
            say(f"{row['distribution']}: {row['reason']}")
        elif row["status"] != "ok":
            about = f"{row['distribution']} {row['version']}"
            raise BadInput(f"{about} is installed, and does not work: {row['status']}: {row['reason']}")
