"""How many samples a picture shows, in which rows, and which samples it can show."""

from typing import Any

import torch
from torch import Tensor

from ganzoo.contract import Generator

SAMPLES_SHOWN, SAMPLES_PER_ROW, MAX_ROWS = 64, 8, 20
"""Samples in a picture; samples of each class in one with a row for each, and classes in it at most."""


POINTS_SHOWN = 2500
"""Points in a picture."""


def choose_layout(generator: Generator) -> tuple[int, dict[str, Tensor], int]:
    """How many samples a picture shows, what to fix for them, and its columns: a row for each class, if there are any.

    Without classes the columns are 0, as `write_grid` takes them for a picture that is nearly square.
    """
    if generator.makes == "point":
        return POINTS_SHOWN, {}, 0
    for key, count in generator.categorical.items():
        rows = torch.arange(min(count, MAX_ROWS)).repeat_interleave(SAMPLES_PER_ROW)
        return len(rows), {key: rows}, SAMPLES_PER_ROW
    return SAMPLES_SHOWN, {}, 0


def select_showable(samples: Any, kind: str = "image") -> Tensor | None:
    """Those of the samples that a picture can show, as they are, or None.

    Of the kind "image" that is (n, 1 or 3, height, width), of the kind "point" (n, 2), of any other nothing.
    """
    shown = samples.get(kind) if isinstance(samples, dict) else samples
    shape = () if shown is None else tuple(shown.shape[1:])
    fits = {"image": len(shape) == 3 and shape[0] in (1, 3), "point": shape == (2,)}
    return shown if fits.get(kind) else None
