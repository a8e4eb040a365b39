"""Installing and uninstalling plugins, with a report of what they bring or take away."""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ganzoo._names import normalize_name
from ganzoo.errors import BadInput, Failed, Unavailable, suggest
from ganzoo.plugins.catalog import PluginRow, plugin_rows
from ganzoo.plugins.distributions import GROUP, came_with_ganzoo, installed_names
from ganzoo.plugins.install import guarded
from ganzoo.plugins.install.new_process import run_in_new_process
from ganzoo.plugins.install.targets import InstallTarget, parse_target

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PluginState:
    """The facts that make a plugin the same or another one than before: not its place, nor how long it took to load.

    `provides` holds the kind and the name of each thing.
    """

    distribution: str
    version: str
    status: str
    reason: str
    provides: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, row: PluginRow) -> "PluginState":
        """Return the state that a row of `ganzoo plugins` shows."""
        provides = tuple((thing["kind"], thing["name"]) for thing in row["provides"])
        return cls(row["distribution"], row["version"], row["status"], row["reason"], provides)


def install(words: Sequence[str], editable: bool, upgrade: bool) -> Iterator[str]:
    """Install what the words stand for, and yield a line for each thing that came or went; the rest is logged.

    Raises `BadInput` for a word that stands for nothing and, at the end, for a plugin that is installed and does not
    work; `Unavailable` where the installer fails; `Failed` for a plugin that ends the process that loads it.
    """
    targets = [parse_target(word) for word in words]
    if editable and (other := [target.place for target in targets if not target.is_folder]):
        raise BadInput(f"--editable needs a folder with a pyproject.toml, which '{other[0]}' is not")
    before = installed_plugins()
    after = plugins_after_install(guarded.install(targets, editable, upgrade))
    changed = [plugin for plugin in after if plugin not in before]
    names = {target.name for target in targets if target.name}
    names |= {normalize_name(plugin.distribution) for plugin in changed}
    yield from [line for line in provided_lines(after).values() if line not in provided_lines(before).values()]
    yield from removed_lines(before, after)
    for target in targets:
        log_if_nothing_new(target, changed, after)
    check_working([plugin for plugin in after if normalize_name(plugin.distribution) in names])


def uninstall(words: Sequence[str]) -> Iterator[str]:
    """Uninstall plugins by the names of their distributions, and yield a line for each thing that went.

    The plugins need not work. Raises `BadInput` for a name that is not an installed plugin's, or that of one that came
    inside ganzoo, and `Unavailable` where the installer fails.
    """
    known = installed_names()
    for word in words:
        check_known(word, known)
    for word in words:
        check_removable(word)
    names = {normalize_name(word): known[normalize_name(word)] for word in words}
    before = installed_plugins_if_listed()
    left = names.keys() - set(guarded.uninstall(list(names.values())))
    after = installed_plugins_if_listed()
    lines = removed_lines(before, after) if before and after else []
    yield from lines or [f"gone: {names[name]}" for name in names if name not in left]
    for plugin in {plugin.distribution: plugin for plugin in after}.values():
        if normalize_name(plugin.distribution) in names.keys() - left:
            yield f"used instead: {plugin.distribution} {plugin.version}, which comes with ganzoo"
    if left:
        raise Unavailable(f"{', '.join(sorted(left))} cannot be uninstalled here: the installer's message is above")


def check_known(word: str, known: Collection[str]) -> None:
    """Raise `BadInput` for a word that is none of the `known` names of plugins."""
    if normalize_name(word) == "ganzoo":
        raise BadInput("ganzoo itself is not a plugin; it goes with: pip uninstall ganzoo")
    if normalize_name(word) not in known:
        raise BadInput(f"'{word}' is not an installed plugin; {suggest(normalize_name(word), known)}")


def check_removable(word: str) -> None:
    """Raise `BadInput` for a plugin that came with ganzoo, which no installer sees."""
    if came_with_ganzoo(name := normalize_name(word)):
        raise BadInput(f"'{word}' comes with ganzoo and stays with it; GANZOO_DISABLE_PLUGINS={name} hides it")


def installed_plugins() -> list[PluginState]:
    """Return the plugins that a new process sees, which alone knows what was just installed."""
    return [PluginState.of(row) for row in run_in_new_process(plugin_rows)]


def installed_plugins_if_listed() -> list[PluginState]:
    """Return the installed plugins; none where one of them ends the process that loads it."""
    try:
        return installed_plugins()
    except Failed:
        return []


def plugins_after_install(names: Sequence[str]) -> list[PluginState]:
    """Return the plugins, now that `names` are installed. Raises `Failed` where one ends the process that loads it."""
    try:
        return installed_plugins()
    except Failed as error:
        raise Failed(f"{', '.join(names)} is installed, but now {error}; 'ganzoo uninstall' removes it") from error


def removed_lines(before: Sequence[PluginState], after: Sequence[PluginState]) -> list[str]:
    """Return a line for each thing that was provided before and no longer is, in whatever version."""
    return [f"gone: {line}" for thing, line in provided_lines(before).items() if thing not in provided_lines(after)]


def provided_lines(plugins: Sequence[PluginState]) -> dict[tuple[str, str, str], str]:
    """Return a line for everything that plugins provide, by its kind, name and distribution."""
    return {
        (kind, name, plugin.distribution): f"{kind} {name} ({plugin.distribution} {plugin.version})"
        for plugin in plugins
        for kind, name in plugin.provides
    }


def log_if_nothing_new(target: InstallTarget, changed: Sequence[PluginState], after: Sequence[PluginState]) -> None:
    """Log that an installed target brings nothing new, or that it is not a plugin."""
    if not target.name:
        if not changed:
            logger.info("%s is installed; it brings no new plugin", target.place)
        return
    plugins = [plugin for plugin in after if normalize_name(plugin.distribution) == target.name]
    if not plugins:
        logger.info("%s is installed, but is not a plugin: it has no entry point in group '%s'", target.name, GROUP)
    elif not any(plugin in changed for plugin in plugins):
        logger.info("%s is installed; it brings the same as before", target.name)


def check_working(plugins: Sequence[PluginState]) -> None:
    """Raise `BadInput` for an installed plugin that does not work; log names that other plugins bring too."""
    for plugin in plugins:
        if plugin.status == "conflict":
            logger.warning("%s: %s", plugin.distribution, plugin.reason)
        elif plugin.status != "ok":
            label = f"{plugin.distribution} {plugin.version}"
            raise BadInput(f"{label} is installed, but does not work: {plugin.status}: {plugin.reason}")
