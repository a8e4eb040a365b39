"""The catalog of this environment's plugins: all that they provide, found by name. No torch here.

Every plugin is loaded in isolation: a broken one is a row with its reason, and everything else works.
"""

from functools import cache, cached_property
from typing import TypedDict

from ganzoo._names import normalize_name
from ganzoo.errors import BadInput, suggest
from ganzoo.plugins.distributions import plugin_entry_points
from ganzoo.plugins.loading import load_plugin
from ganzoo.plugins.registration import KINDS, Plugin, Registration


class ProvidedRow(TypedDict):
    """One thing that a plugin provides, as `ganzoo plugins --json` prints it."""

    kind: str
    name: str
    targets: dict[str, str]


class PluginRow(TypedDict):
    """One plugin as `ganzoo plugins --json` prints it; `ms` is what loading it cost in milliseconds."""

    distribution: str
    version: str
    entry_point: str
    status: str
    reason: str
    ms: float
    provides: list[ProvidedRow]
    traceback: str


class Catalog:
    """All plugins of this environment and all that they provide."""

    def __init__(self, plugins: list[Plugin]) -> None:
        self.plugins = plugins
        for plugin in plugins:
            self._mark_conflict(plugin)

    @cached_property
    def provided(self) -> list[Registration]:
        """All that working plugins provide, sorted by kind and name."""
        found = [thing for plugin in self.plugins for thing in plugin.provides]
        return sorted(found, key=lambda thing: (KINDS.index(thing.kind), thing.name, thing.distribution))

    def find(self, kind: str, name: str) -> Registration:
        """Return the registration of that kind with that bare or full name.

        Raises `BadInput` for an unknown name, with the nearest ones and the plugins that failed to load, and for a
        bare name that several plugins provide.
        """
        of_kind = [thing for thing in self.provided if thing.kind == kind]
        found = [thing for thing in of_kind if name in (thing.name, thing.full_name)]
        if len(found) > 1:
            full_names = " or ".join(f"'{thing.full_name}'" for thing in found)
            raise BadInput(f"more than one plugin brings the {kind} '{name}'; use {full_names}")
        if not found:
            near = suggest(name, (thing.name for thing in of_kind))
            raise BadInput(f"unknown {kind} '{name}'; {near}{self._unavailable()}")
        return found[0]

    def of(self, distribution: str) -> list[Plugin]:
        """Return the plugins of a distribution. Raises `BadInput` with the nearest name where there is none."""
        name = normalize_name(distribution)
        found = [plugin for plugin in self.plugins if normalize_name(plugin.distribution) == name]
        if not found:
            near = suggest(distribution, (plugin.distribution for plugin in self.plugins))
            raise BadInput(f"no plugin '{distribution}' is installed; {near}")
        return found

    def _unavailable(self) -> str:
        names = dict.fromkeys(plugin.distribution for plugin in self.plugins if not plugin.works)
        return f" (not available: {', '.join(names)}; see 'ganzoo plugins')" if names else ""

    def _mark_conflict(self, plugin: Plugin) -> None:
        mine = {(thing.kind, thing.name): thing for thing in plugin.provides}
        for other in self.plugins:
            for theirs in other.provides if other is not plugin else []:
                thing = mine.get((theirs.kind, theirs.name))
                if thing:
                    plugin.status = "conflict"
                    also = f"{thing.kind} '{thing.name}' also comes from {theirs.distribution}"
                    plugin.note(f"{also}: use '{thing.full_name}'")


@cache
def catalog() -> Catalog:
    """Return the catalog of this environment, made once per process."""
    plugins: list[Plugin] = []
    for entry in plugin_entry_points():
        plugins.append(load_plugin(entry, plugins))
    return Catalog(plugins)


def plugin_rows(name: str | None = None) -> list[PluginRow]:
    """Return a row for each entry point of every installed plugin, or of the distribution with that name.

    Raises `BadInput` for an unknown name, with the nearest.
    """
    return [plugin_row(plugin) for plugin in (catalog().of(name) if name else catalog().plugins)]


def plugin_row(plugin: Plugin) -> PluginRow:
    """Return the row of one plugin."""
    return {
        "distribution": plugin.distribution,
        "version": plugin.version,
        "entry_point": plugin.entry_point,
        "status": plugin.status,
        "reason": plugin.reason,
        "ms": plugin.milliseconds,
        "provides": [{"kind": thing.kind, "name": thing.name, "targets": thing.targets} for thing in plugin.provides],
        "traceback": plugin.traceback,
    }
