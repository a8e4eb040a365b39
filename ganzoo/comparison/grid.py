"""The grid of a sweep: every combination of the values that its keys take, each with a name. No torch here."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ganzoo.comparison.titles import shorten, write_value
from ganzoo.errors import BadInput
from ganzoo.recipe.overrides import flatten

NOT_UNDER_TORCHRUN = "several runs are trained in one process; under torchrun train one run at a time"
SEED = "train.seed"
"""The key whose values are tries of the same setting."""
MAX_FOLDER_NAME = 80
"""Characters in the name of a run's folder."""

Values = Mapping[str, Any]
"""One value for each key that a sweep varies."""


def check_grid(vary: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the list of values of each dotted key. Raises `BadInput` if there is nothing to vary, or twice the same.

    `vary` may be nested as a recipe is: {"optimizer": {"lr": [1e-3, 2e-4]}}.
    """
    grid = flatten(vary)
    for key, values in grid.items():
        if not isinstance(values, list | tuple):
            raise BadInput(f"vary gives each key a list of values, but '{key}' has {values!r}")
        doubled = [value for place, value in enumerate(values) if value in values[:place]]
        if doubled:
            raise BadInput(f"'{key}' has the value {write_value(doubled[0])} twice")
    if not any(len(values) > 1 for values in grid.values()):
        raise BadInput(
            "there is nothing to vary: give a key several values, as in -o optimizer.lr=1e-3,2e-4, or --seeds 0,1,2"
        )
    return {key: list(values) for key, values in grid.items()}


def combine(grid: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return every combination of the values, the last key changing fastest."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def name_folders(combinations: Sequence[Values]) -> list[str]:
    """Return a name for the folder of each run that says what it varies: "lr-0.001-seed-0"; numbered where needed."""
    names = ["-".join(map(clean, write_short(values))) for values in combinations]
    if len({name.casefold() for name in names}) < len(names) or any(len(name) > MAX_FOLDER_NAME for name in names):
        return [f"{number:03d}-{name}"[:MAX_FOLDER_NAME] for number, name in enumerate(names, 1)]
    return names


def write_short(values: Values) -> Iterable[str]:
    """Return "key value" for each key, with its short name."""
    for key, value in zip(shorten(list(values)), values.values(), strict=True):
        yield f"{key} {write_value(value)}"


def clean(text: str) -> str:
    """Return text with nothing but letters, digits and the characters that file names have everywhere."""
    return re.sub(r"[^\w.+-]+", "-", text).strip("-.")


def split_seeds(values: Values) -> tuple[Values, Any]:
    """Return the setting, which is everything but the seed, and the seed; None where it is not varied."""
    return {key: value for key, value in values.items() if key != SEED}, values.get(SEED)
