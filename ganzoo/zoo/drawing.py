"""Samples of a model as one picture."""

import itertools
import reprlib
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from PIL import Image

from ganzoo._numbers import check_count
from ganzoo.errors import BadInput
from ganzoo.kind import Array, Kind
from ganzoo.kinds.files import draw_beside
from ganzoo.pictures.layout import SAMPLES_PER_ROW
from ganzoo.zoo.model import Model
from ganzoo.zoo.rows import fixed_rows, row_names
from ganzoo.zoo.sampling import Blocks, collect

MAX_IN_PICTURE = 10_000
"""The most samples that one picture shows."""


def draw_grid(model: Model, n: int | None, seed: int, rows: str, fixed: Mapping[str, Any]) -> Image.Image:
    """Draw the picture of `Model.sample_grid`. Raises `BadInput` where a picture cannot show the samples."""
    if not isinstance(rows, str):
        raise BadInput(f"rows is the name of a latent, such as 'label', or 'c1=-1,0,1', got {reprlib.repr(rows)}")
    each_fixed = fixed_rows(model, rows, fixed)
    n = default_count(model, rows) if n is None else check_count(n)
    check_few(n * len(each_fixed), f"{n * len(each_fixed):,} are too many")
    return draw_samples(model, model.title, n, seed, rows, each_fixed)


def default_count(model: Model, rows: str) -> int:
    """Return how many samples are drawn: as many as the kind shows, such as 64 images or 2,500 points; 8 in a row."""
    return SAMPLES_PER_ROW if rows else model.inputs.limit(model.outputs.kind.shown)


def check_few(count: int, advice: str) -> None:
    """Raise `BadInput` for more samples than a picture shows."""
    if count > MAX_IN_PICTURE:
        raise BadInput(f"one picture shows at most {MAX_IN_PICTURE:,} samples; {advice}")


def draw_samples(
    model: Model, name: str, n: int, seed: int, rows: str, each_fixed: Sequence[Mapping[str, Any]], scale: int = 0
) -> Image.Image:
    """Draw `n` samples with each of these fixed values as their kind does, such as a grid of images.

    `scale` is that of `Kind`. Raises `BadInput` where a picture can show none of them.
    """
    kind, kinds = model.outputs.kind, {key: scaled(kind, scale) for key, kind in model.outputs.shown.items()}
    found = collect_arrays(model, all_blocks(model, n, seed, each_fixed), n * len(each_fixed))
    names = row_names(model, rows, each_fixed) if rows else []
    picture = draw_beside(kinds, found, n if rows else 0, names, name)
    if picture is None:
        reason = kind.not_drawn or f"no picture shows these {kind.plural}"
        raise BadInput(f"{reason}; sample() gives them as tensors")
    return picture


def scaled(kind: Kind, scale: int) -> Kind:
    """Return a kind whose pixels are drawn `scale` times as large; itself where it has none, or scale is 0."""
    if kind.scale is None or not scale:
        return kind
    larger = copy(kind)
    larger.scale = scale
    return larger


def collect_arrays(model: Model, blocks: Blocks, n: int) -> dict[str, Array]:
    """Return the shown outputs of `n` samples, each as one array. Raises `BadInput` where memory is too short."""
    # As arrays, because the bytes of an image take a quarter of its numbers.
    parts = collect((model.outputs.to_arrays(samples) for samples, _ in blocks), n)
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def all_blocks(model: Model, n: int, seed: int, each_fixed: Sequence[Mapping[str, Any]]) -> Blocks:
    """Yield the blocks of `n` samples with each of these fixed values."""
    return itertools.chain.from_iterable(model.blocks_with(each, n, seed) for each in each_fixed)
