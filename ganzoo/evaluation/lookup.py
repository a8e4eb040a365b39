"""Which suite measures samples of which data set. Each is made once, when first needed."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from ganzoo.evaluation.suites import Suite

SUITES = {
    "mnist": "mnist:DigitSuite",
    "mnist-10k": "mnist:DigitSuite",
    "ring8": "mixtures:ring8",
    "grid25": "mixtures:grid25",
}
"""The suite of each data set that has one, as a module of this package and what makes it there."""


def find_suite(data: Mapping[str, Any]) -> Suite | None:
    """What measures samples of data that a config describes so; None where nothing does."""
    target = SUITES.get(data.get("name", "unknown"))
    return suite(target) if target else None


@cache
def suite(target: str) -> Suite:
    """The suite that a module makes under that name."""
    module, _, name = target.partition(":")
    return getattr(import_module(f"{__package__}.{module}"), name)()
