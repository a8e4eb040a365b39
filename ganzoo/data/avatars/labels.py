"""Attributes of avatars as labels."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ganzoo._names import natural_key
from ganzoo.errors import BadInput, suggest


def number_values(
    name: str, attributes: "Mapping[str, np.ndarray[Any, Any]]", label: str
) -> "tuple[np.ndarray[Any, Any], list[str]]":
    """Return the number of each picture's class, int64, and the names of the classes: the values that there are.

    Raises `BadInput` for an attribute that these pictures do not have.
    """
    if label not in attributes:
        raise BadInput(f"{name} has no attribute '{label}' for data.label; {suggest(str(label), attributes)}")
    values = attributes[label].tolist()
    names = sorted(set(values), key=natural_key)
    places = {each: place for place, each in enumerate(names)}
    return np.array([places[each] for each in values], dtype=np.int64), names
