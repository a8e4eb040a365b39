"""Which suite measures which data set. A suite and its libraries are loaded when it is first needed."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from ganzoo.evaluation.suites import Better, Suite
from ganzoo.evaluation.swd import SlicedWasserstein


@cache
def make_digit_suite() -> Suite[Any]:
    """Return the suite for MNIST's digits, the same one at every call."""
    from ganzoo.evaluation.mnist import DigitSuite

    return DigitSuite()


@cache
def make_mixture_suite(name: str) -> Suite[Any]:
    """Return the suite for the mixture of that name, the same one at every call."""
    from ganzoo.evaluation.mixtures import MixtureSuite

    return MixtureSuite(name)


SUITES: Mapping[str, Callable[[], Suite[Any]]] = {
    "mnist": make_digit_suite,
    "mnist-10k": make_digit_suite,
    "ring8": partial(make_mixture_suite, "ring8"),
    "grid25": partial(make_mixture_suite, "grid25"),
}
"""Makes the suite of each data set that has one."""


def find_suite(data: Mapping[str, Any]) -> Suite[Any] | None:
    """Return the suite for data that a config describes; None where there is none.

    Only a data set that was opened by its name has one: a folder may have the same name. Earlier configs do not say how
    it was opened, so its classes must be those of the data set.
    """
    make = SUITES.get(data.get("name", "unknown"))
    if make is None or data.get("opened_as", "data set") != "data set":
        return None
    suite = make()
    return suite if "opened_as" in data or list(suite.classes) == list(data.get("classes", suite.classes)) else None


def better_values(name: str, data: Mapping[str, Any]) -> Better | None:
    """Return which values of a metric, or of a measure in the log of a training on these data, are better.

    None where that is not known: of a loss term, or of diversity, which is best at 1.
    """
    if name == SlicedWasserstein.key:
        return SlicedWasserstein.better
    suite = find_suite(data)
    metrics = suite.metrics if suite else {}
    found = metrics.get(name) or metrics.get(name.removesuffix("_ratio").replace("_", "-"))
    return found.better if found else None
