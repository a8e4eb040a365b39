"""Attributes of pictures as labels."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ganzoo._names import composed, natural_key
from ganzoo.dataset import LABEL
from ganzoo.errors import BadInput, suggest

Numbered = tuple[dict[str, "np.ndarray[Any, Any]"], dict[str, list[str]]]
"""Numbers of classes, int64 (n,), and the names of the classes, by key."""


def number_attributes(
    name: str, attributes: "Mapping[str, np.ndarray[Any, Any]]", label: str | Sequence[str]
) -> Numbered:
    """Return one attribute as the label, or each of several under its own name; their classes are the values there are.

    Raises `BadInput` for an attribute that these pictures do not have.
    """
    keys = {LABEL: label} if isinstance(label, str) else {to_key(each): each for each in label}
    found = {key: number_values(name, attributes, attribute) for key, attribute in keys.items()}
    return {key: numbers for key, (numbers, _) in found.items()}, {key: names for key, (_, names) in found.items()}


def to_key(name: str) -> str:
    """Return the key of a batch that an attribute becomes: "5_o_Clock Shadow" is `_5_o_Clock_Shadow`."""
    key = re.sub(r"\W", "_", composed(name))
    return key if key.isidentifier() else f"_{key}"


def number_values(
    name: str, attributes: "Mapping[str, np.ndarray[Any, Any]]", label: str
) -> "tuple[np.ndarray[Any, Any], list[str]]":
    """Return the number of each picture's class, int64, and the names of the classes: the values that there are.

    Raises `BadInput` for an attribute that these pictures do not have.
    """
    if label not in attributes:
        raise BadInput(f"{name} has no attribute '{label}' for data.label; {suggest(str(label), attributes)}")
    return number_words(attributes[label].tolist())


def number_words(words: Sequence[str]) -> "tuple[np.ndarray[Any, Any], list[str]]":
    """Return the number of each word's class, int64 (n,), and the names of the classes: all words in natural order."""
    names = sorted(set(words), key=natural_key)
    places = {name: place for place, name in enumerate(names)}
    return np.array([places[word] for word in words], dtype=np.int64), names
