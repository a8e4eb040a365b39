"""Layout of a picture of samples: how many, in which rows, and which samples can be shown."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ganzoo.contract import Generator
from ganzoo.pictures.decode import CHANNEL_NAMES

SAMPLES_SHOWN = 64
"""Samples in a picture without classes."""
SAMPLES_PER_ROW = 8
"""Samples of each class, in a row of its own."""
MAX_ROWS = 20
"""Classes in a picture."""
POINTS_SHOWN = 2500
"""Points in a picture."""


def choose_layout(
    generator: Generator, shown: int = SAMPLES_SHOWN, by_class: bool = True
) -> tuple[int, dict[str, Tensor], int]:
    """Return the number of samples in a picture, the values to fix for them, and the number of columns.

    A categorical generator gets a row for each class, of several keys of the first, unless its kind is not drawn
    `by_class`. Without rows there are `shown` samples, and the columns are 0, which pictures take as nearly square.
    """
    for key, count in generator.categorical.items() if by_class else ():
        rows = torch.arange(min(count, MAX_ROWS)).repeat_interleave(SAMPLES_PER_ROW)
        return len(rows), {key: rows}, SAMPLES_PER_ROW
    return shown, {}, 0


def name_rows(generator: Generator, classes_of: Callable[[str], Sequence[str]], by_class: bool = True) -> list[str]:
    """Return a name for each row of the picture of `choose_layout`; none if it has no rows by category."""
    _, fixed, columns = choose_layout(generator, by_class=by_class)
    rows = [(key, number) for key, values in fixed.items() for number in values[::columns].tolist()]
    return [name_row(key, number, classes_of(key)) for key, number in rows]


def name_row(key: str, number: float, classes: Sequence[str]) -> str:
    """Return the name of a row in which a latent is fixed: that of its class, or the latent and its value."""
    by_class: dict[float, str] = dict(enumerate(classes))
    name = by_class.get(number, f"{number:g}")
    return f"{key} {name}" if name.replace(".", "").lstrip("-").isdecimal() or number not in by_class else name


def why_not_shown(kind: str, shape: Sequence[int]) -> str:
    """Say why no picture can show samples of that kind and shape; "" where one can."""
    if kind == "image" and shape[0] not in CHANNEL_NAMES:
        last = f"; if {shape[-1]} is their number of channels, give images.permute(0, 3, 1, 2)"
        seems_last = shape[-1] in CHANNEL_NAMES
        return f"a picture shows 1 to 4 channels, and these images have {shape[0]}" + last * seems_last
    if kind == "point" and tuple(shape) != (2,):
        return f"a picture shows points in the plane, and these have {shape[0]} dimensions"
    return "" if kind in ("image", "point") else "the data have neither images nor points"
