"""The catalog of this environment's plugins: all that they provide, found by name. No torch here.

Every plugin is loaded in isolation: a broken one is a row with its reason, and everything else works.
"""

from collections.abc import Collection, Iterable
from functools import cache, cached_property
from typing import TypedDict

from ganzoo._names import NAME_PATTERN, normalize_name
from ganzoo.errors import BadInput, allow, suggest
from ganzoo.plugins.builtin import builtin
from ganzoo.plugins.distributions import plugin_entry_points
from ganzoo.plugins.firstparty import describe_absent, how_to_install
from ganzoo.plugins.loading import load_plugin, refuse
from ganzoo.plugins.marker import LoadingMarker, take_culprits
from ganzoo.plugins.registration import KINDS, PLUGIN_LOCK, Plugin, Registration
from ganzoo.plugins.verdicts import SAFE, Groups, Verdict, forget, group, read_verdicts

MAX_TOLD_CONFLICTS = 20
"""Names of one plugin that are told to come from other plugins too."""


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
    """All plugins of this environment and all that they and ganzoo itself provide."""

    def __init__(self, plugins: list[Plugin]) -> None:
        self.plugins, self.own = plugins, builtin()
        self._mark_conflicts()

    @cached_property
    def provided(self) -> list[Registration]:
        """All that working plugins provide, sorted by kind and name."""
        found = [thing for plugin in (self.own, *self.plugins) for thing in plugin.provides]
        return sorted(found, key=lambda thing: (KINDS.index(thing.kind), thing.name, thing.distribution))

    def find(self, kind: str, name: str) -> Registration:
        """Return the registration of that kind with that bare or full name.

        Raises `BadInput` for an unknown name, with the nearest ones and the plugins that failed to load, and for a
        bare name that several plugins provide.
        """
        found = self.named(kind, name)
        if len(found) > 1:
            full_names = " or ".join(f"'{thing.full_name}'" for thing in found)
            raise BadInput(f"more than one plugin brings the {kind} '{name}'; use {full_names}")
        if not found:
            raise BadInput(self._explain_missing(kind, name) + self.unavailable())
        return found[0]

    def kinds_of(self, name: str) -> list[str]:
        """Return the kinds of everything that plugins provide under a bare or full name."""
        return [kind for kind in KINDS if self.named(kind, name)]

    def also(self, name: str, kind: str) -> str:
        """Return ", which is a loss" for a name that is no `kind` but something else here; "" for any other name."""
        found = [f"{'an' if each[0] in 'aeiou' else 'a'} {each}" for each in self.kinds_of(name) if each != kind]
        return f", which is {' and '.join(found)}" if found else ""

    def full_name(self, kind: str, name: str, distributions: Iterable[str], ranked: bool = True) -> str:
        """Return the full name of what the first of `distributions` provides, for a name that several plugins provide.

        Any other name is returned as it is; so is one that several of `distributions` provide that are not `ranked`.
        """
        found = {normalize_name(thing.distribution): thing.full_name for thing in self.named(kind, name)}
        preferred = [found[each] for each in map(normalize_name, distributions) if each in found]
        is_clear = len(preferred) == 1 or (ranked and preferred)
        return preferred[0] if is_clear and len(found) > 1 else name

    def named(self, kind: str, name: str) -> list[Registration]:
        """Return all registrations of that kind with that bare or full name."""
        distribution, _, bare = name.rpartition(":")
        return [
            thing
            for thing in self.provided
            if (thing.kind, thing.name) == (kind, bare)
            and (not distribution or normalize_name(thing.distribution) == normalize_name(distribution))
        ]

    def _explain_missing(self, kind: str, name: str) -> str:
        distribution = name.rpartition(":")[0]
        if how := self.how_to_get(distribution):
            return f"the {kind} '{name}' is missing, as {how}"
        names = [thing.full_name if distribution else thing.name for thing in self.provided if thing.kind == kind]
        if other := self.also(name, kind):
            return f"unknown {kind} '{name}'{other}; {allow(names)}"
        if name.isidentifier() and name[0].isupper() and name.lower() not in names:  # the name of a class
            return f"unknown {kind} '{name}'; a class of a file is written ./FILE.py:{name}"
        unknown = f"no installed plugin brings the {kind}" if self.absent else f"unknown {kind}"
        return f"{unknown} '{name}'; {self.suggest(name, names)}"

    def how_to_get(self, distribution: str) -> str:
        """Say how to install a distribution that is not there; return nothing for one that is, or is not a plugin."""
        name = normalize_name(distribution)
        if not NAME_PATTERN.fullmatch(name) or name in {"ganzoo", *self._installed}:
            return ""
        return f"{distribution} is not installed: {how_to_install(distribution)}"

    def suggest(self, name: str, allowed: Collection[str]) -> str:
        """Return the second half of a message about an unknown name: the nearest allowed ones, and what is absent."""
        parts = [self.absent] if self.absent else []
        return "; ".join([*parts, suggest(name, allowed)] if allowed or not parts else parts)

    @property
    def absent(self) -> str:
        """A sentence on those of ganzoo's own plugins that are not installed; empty where all are."""
        return describe_absent(self._installed)

    @property
    def _installed(self) -> set[str]:
        return {normalize_name(plugin.distribution) for plugin in self.plugins}

    def of(self, distribution: str) -> list[Plugin]:
        """Return the plugins of a distribution. Raises `BadInput` with the nearest name where there is none."""
        name = normalize_name(distribution)
        found = [plugin for plugin in self.plugins if normalize_name(plugin.distribution) == name]
        if not found:
            owners = {thing.distribution for thing in self.provided if thing.name == distribution}
            near = suggest(distribution, (plugin.distribution for plugin in self.plugins))
            if owners:
                what = self.also(distribution, "").removeprefix(", which is ")
                near = f"{what} of that name: {' and '.join(sorted(owners))}"
            raise BadInput(f"no plugin '{distribution}' is installed; {near}")
        return found

    def unavailable(self) -> str:
        """Return a remark on plugins that failed to load, which may have brought what is missing; "" without such."""
        names = dict.fromkeys(plugin.distribution for plugin in self.plugins if not plugin.works)
        return f" (not available: {', '.join(names)}; see 'ganzoo plugins')" if names else ""

    def _mark_conflicts(self) -> None:
        owners: dict[tuple[str, str], list[Plugin]] = {}
        for plugin in (self.own, *self.plugins):
            for thing in plugin.provides:
                owners.setdefault((thing.kind, thing.name), []).append(plugin)
        for plugin in self.plugins:
            shared = [thing for thing in plugin.provides if len(owners[thing.kind, thing.name]) > 1]
            for thing in shared[:MAX_TOLD_CONFLICTS]:
                plugin.status = "conflict"
                others = [other for other in owners[thing.kind, thing.name] if other is not plugin]
                also = f"{thing.kind} '{thing.name}' also comes from {', '.join(each.distribution for each in others)}"
                plugin.note(f"{also}: use '{thing.full_name}'")
            if (more := len(shared) - MAX_TOLD_CONFLICTS) > 0:
                plugin.note(f"and so do {more:,} more of its names")


@cache
def catalog() -> Catalog:
    """Return the catalog of this environment, made once per process."""
    plugins = [Plugin(entry) for entry in plugin_entry_points()]
    usable = [plugin for plugin in plugins if not refuse(plugin)]
    verdicts = verdicts_on(group(plugin.entry for plugin in usable))
    with PLUGIN_LOCK, LoadingMarker() as marker:
        for plugin in usable:
            verdict = verdicts.get(normalize_name(plugin.distribution), SAFE)
            if verdict.fault:
                plugin.fail("failed", verdict.fault)
                plugin.traceback = verdict.traceback
            else:
                marker.write(plugin.distribution, plugin.label)
                load_plugin(plugin, plugins)
    return Catalog(plugins)


def verdicts_on(groups: Groups) -> dict[str, Verdict]:
    """Return the verdicts on distributions; those that are new, changed or suspected are examined."""
    for culprit in take_culprits():
        if culprit in groups:
            forget(groups[culprit])
    known = read_verdicts(groups)
    if new := {name: own for name, own in groups.items() if name not in known}:
        # Imported late: it needs much, and is rarely needed.
        from ganzoo.plugins.examination import examine

        known |= examine(new)
    return known


def plugin_rows(name: str | None = None) -> list[PluginRow]:
    """Return a row for each entry point of every installed plugin, or of the distribution with that name.

    Raises `BadInput` for an unknown name, with the nearest.
    """
    if name:
        reconsider(name)
    return [plugin_row(plugin) for plugin in (catalog().of(name) if name else catalog().plugins)]


def reconsider(distribution: str) -> None:
    """Examine a plugin that is new or was found unsafe to load, patiently: it may be slow, or have lacked something."""
    name = normalize_name(distribution)
    usable = group(entry for entry in plugin_entry_points() if not refuse(Plugin(entry)))
    own = {name: usable[name]} if name in usable else {}
    if own and (verdict := read_verdicts(own).get(name)) != SAFE:
        from ganzoo.plugins.examination import PATIENCE, examine

        if verdict:
            forget(usable[name])
        examine(own, PATIENCE)


def plugin_row(plugin: Plugin) -> PluginRow:
    """Return the row of one plugin."""
    return {
        "distribution": plugin.distribution,
        "version": plugin.version,
        "entry_point": plugin.entry.name,
        "status": plugin.status,
        "reason": plugin.reason,
        "ms": plugin.milliseconds,
        "provides": [{"kind": thing.kind, "name": thing.name, "targets": thing.targets} for thing in plugin.provides],
        "traceback": plugin.traceback,
    }
