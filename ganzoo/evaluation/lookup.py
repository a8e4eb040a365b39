"""Which suites measure which data. A suite and its libraries are loaded when it is first needed."""

import inspect
from collections.abc import Iterator, Mapping
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


def find_suites(
    data: Mapping[str, Any], real: RealSamples | None = None, options: Mapping[str, Any] | None = None
) -> list[Suite[Any]]:
    """Return the suites for data that a config describes: those for the data set by its name, then those of its kind.

    Suites that compare with real samples are left out without `real`. `options` are further arguments for the
    constructors that name them.
    """
    given = {"real": real, **(options or {})} if real else dict(options or {})
    found = (make_suite(thing, str(data.get("name", "unknown")), given) for thing in registered_for(data))
    return [suite for suite in found if suite is not None and is_for(suite, data)]


def find_suite(data: Mapping[str, Any], real: RealSamples | None = None) -> Suite[Any] | None:
    """Return the first suite that is measured by itself; None where there is none."""
    return next((suite for suite in find_suites(data, real) if not suite.on_request), None)


def registered_for(data: Mapping[str, Any]) -> Iterator[Registration]:
    """Yield the registrations of suites for a data set by its name, then those for the kind of its samples.

    Only data that were opened by their name are the data set: a folder may have the same name.
    """
    things = [thing for thing in catalog().provided if thing.kind == "metrics"]
    if data.get("opened_as", "data set") == "data set":
        yield from (thing for thing in things if data.get("name", "unknown") in thing.about["data"])
    kind = str(data.get("kind", "")).rpartition(":")[2]
    yield from (thing for thing in things if kind and thing.about["kind"].rpartition(":")[2] == kind)


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
    things = [thing for thing in catalog().provided if thing.kind == "metrics"]
    return list(dict.fromkeys(name for thing in things for name in thing.about["data"]))


def better_values(name: str, data: Mapping[str, Any]) -> Better | None:
    """Return which values of a metric, or of a measure in the log of a training on these data, are better.

    None where that is not known: of a loss term, or of diversity, which is best at 1.
    """
    if name == SlicedWasserstein.key:
        return SlicedWasserstein.better
    unread = RealSamples({"name": "unknown", "kind": "other", **data}, refuse_reading)
    for suite in find_suites(data, unread):
        for known in (name, name.removesuffix("_ratio").replace("_", "-")):
            if known in suite.metrics:
                return suite.metrics[known].better
    return None


def refuse_reading() -> Any:
    """Raise `BadInput`: the names of metrics must be known without real samples."""
    raise BadInput("a suite reads real samples before it measures; read them in 'control'")
