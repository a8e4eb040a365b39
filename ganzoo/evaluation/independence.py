"""Pretrained networks that a training has seen: scores by the same network would say too much."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from ganzoo.errors import BadInput
from ganzoo.evaluation.suites import Suite


def find_pretrained(modules: Iterable[nn.Module]) -> set[str]:
    """Return the pretrained networks that modules, or modules inside of them, name in `uses_pretrained`."""
    named = (getattr(each, "uses_pretrained", ()) for module in modules for each in module.modules())
    return {name for names in named for name in ([names] if isinstance(names, str) else names)}


def read_pretrained(config: Mapping[str, Any]) -> set[str]:
    """Return the pretrained networks that the training of a model has seen, as its config says."""
    return {*(config.get("training", {}).get("uses_pretrained") or ())}


def is_independent(suite: Suite[Any], seen: Iterable[str]) -> bool:
    """Return whether a suite uses no pretrained network of these."""
    return not {*suite.uses_pretrained} & {*seen}


def explain_left_out(suite: Suite[Any], seen: Iterable[str]) -> str:
    """Say in a sentence why a suite is left out where these networks were seen."""
    shared = ", ".join(sorted({*suite.uses_pretrained} & {*seen}))
    return f"{suite.name} is left out: the training saw its network ({shared}), so its scores would be too good"


def explain_shared(suite: Suite[Any], seen: Iterable[str]) -> str:
    """Say in a sentence what is wrong with the scores of a suite where these networks were seen."""
    shared = ", ".join(sorted({*suite.uses_pretrained} & {*seen}))
    return f"the training saw {shared}, the network of {suite.name}: its scores are too good and fit no table"


def choose_independent(suites: Iterable[Suite[Any]], seen: Iterable[str]) -> tuple[list[Suite[Any]], list[str]]:
    """Return the suites that use none of these networks, and a sentence for each of the others."""
    suites, seen = list(suites), set(seen)
    kept = [suite for suite in suites if is_independent(suite, seen)]
    return kept, [explain_left_out(suite, seen) for suite in suites if suite not in kept]


def check_some_left(suites: Iterable[Suite[Any]], left_out: Iterable[str]) -> None:
    """Raise `BadInput` if suites were left out and none is there any more."""
    if not list(suites) and (told := "; ".join(left_out)):
        raise BadInput(f"{told}; name metrics of another network with --metrics")
