"""Which suites measure which data. A suite and its libraries are loaded when it is first needed."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ganzoo._faults import call_plugin
from ganzoo.errors import BadInput
from ganzoo.evaluation.real import RealSamples
from ganzoo.evaluation.suites import Better, Suite
from ganzoo.evaluation.swd import SlicedWasserstein
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.registration import Registration

_made: dict[tuple[str, str], Suite[Any]] = {}
"""Suites that need no real samples from outside, by registration and arguments: what they have computed is kept."""


@dataclass(frozen=True)
class FoundSuites:
    """The suites for some data: of the data set by its name, and of the kind of its samples."""

    by_name: list[Suite[Any]]
    by_kind: list[Suite[Any]]

    @property
    def all(self) -> list[Suite[Any]]:
        """All of them; where two have a metric of one name, the first counts."""
        return [*self.by_name, *self.by_kind]

    @property
    def default(self) -> list[Suite[Any]]:
        """Those that are measured unless the user names metrics: the data set's own, else those of the kind."""
        of_set, of_kind = ([each for each in some if not each.on_request] for some in (self.by_name, self.by_kind))
        return of_set or of_kind


def find_suites(
    data: Mapping[str, Any], real: RealSamples | None = None, options: Mapping[str, Any] | None = None
) -> FoundSuites:
    """Return the suites for data that a config describes.

    Suites that compare with real samples are left out without `real`. `options` are further arguments for the
    constructors that name them.
    """
    given = {"real": real, **(options or {})} if real else dict(options or {})

    def make(things: Iterable[Registration]) -> list[Suite[Any]]:
        made = (make_suite(thing, str(data.get("name", "unknown")), given) for thing in things)
        return [suite for suite in made if suite is not None and is_for(suite, data)]

    return FoundSuites(make(registered_by_name(data)), make(registered_by_kind(data)))


def find_default(data: Mapping[str, Any], real: RealSamples | None = None) -> list[Suite[Any]]:
    """Return the suites that measure data unless the user names metrics."""
    return find_suites(data, real).default


def registered_by_name(data: Mapping[str, Any]) -> list[Registration]:
    """Return the registrations of suites for a data set by its name.

    Only data that were opened by their name are the data set: a folder may have the same name.
    """
    if data.get("opened_as", "data set") != "data set":
        return []
    return [thing for thing in registered() if data.get("name", "unknown") in thing.about["data"]]


def registered_by_kind(data: Mapping[str, Any]) -> list[Registration]:
    """Return the registrations of suites for the kind of samples."""
    kind = str(data.get("kind", "")).rpartition(":")[2]
    return [thing for thing in registered() if kind and thing.about["kind"].rpartition(":")[2] == kind]


def registered() -> list[Registration]:
    """Return the registrations of all suites."""
    return [thing for thing in catalog().provided if thing.kind == "metrics"]


def make_suite(thing: Registration, name: str, given: Mapping[str, Any]) -> Suite[Any] | None:
    """Make the suite of a registration for the data of a name; None where it needs more than is given."""
    cls = thing.resolve("suite")
    where = f"the metrics '{thing.name}' of {thing.distribution}"
    if not (isinstance(cls, type) and issubclass(cls, Suite)):
        raise BadInput(f"{where} are not a ganzoo.Suite, but {cls!r}")
    parameters = inspect.signature(cls).parameters
    known = {**given, "name": name}
    if any(each.default is each.empty and key not in known for key, each in parameters.items()):
        return None
    arguments = {key: known[key] for key in parameters if key in known}
    if "real" in arguments:
        return call_plugin(where, cls, **arguments)
    place = thing.full_name, repr(arguments)
    if place not in _made:
        _made[place] = call_plugin(where, cls, **arguments)
    return _made[place]


def is_for(suite: Suite[Any], data: Mapping[str, Any]) -> bool:
    """Return whether a suite's classes are those of the data: earlier configs do not say how data were opened."""
    return "opened_as" in data or not suite.classes or list(suite.classes) == list(data.get("classes", suite.classes))


def list_measured() -> list[str]:
    """Return the names of the data sets that have metrics of their own."""
    return list(dict.fromkeys(name for thing in registered() for name in thing.about["data"]))


def better_values(name: str, data: Mapping[str, Any]) -> Better | None:
    """Return which values of a metric, or of a measure in the log of a training on these data, are better.

    None where that is not known: of a loss term, or of diversity, which is best at 1.
    """
    if name == SlicedWasserstein.key:
        return SlicedWasserstein.better
    for suite in list_unread(data):
        for known in (name, name.removesuffix("_ratio").replace("_", "-")):
            if known in suite.metrics:
                return suite.metrics[known].better
    return None


def list_unread(data: Mapping[str, Any]) -> Iterable[Suite[Any]]:
    """Yield the suites that may have measured data, for the names of their metrics; of any kind where none is known."""
    unread = RealSamples({"name": "unknown", "kind": "other", **data}, refuse_reading)
    kinds = [data["kind"]] if "kind" in data else dict.fromkeys(thing.about["kind"] for thing in registered())
    for kind in kinds or [""]:
        yield from find_suites({**data, "kind": kind}, unread).all


def refuse_reading() -> Any:
    """Raise `BadInput`: the names of metrics must be known without real samples."""
    raise BadInput("a suite reads real samples before it measures; read them in 'control'")
