"""Samples of a model as one picture."""

import itertools
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ganzoo._numbers import check_count
from ganzoo.contract import Images
from ganzoo.errors import BadInput
from ganzoo.pictures.grid import draw_tiles, to_bytes
from ganzoo.pictures.layout import POINTS_SHOWN, SAMPLES_PER_ROW, SAMPLES_SHOWN, select_showable
from ganzoo.pictures.points import draw_scatter
from ganzoo.zoo.model import Model
from ganzoo.zoo.rows import fixed_rows, row_names
from ganzoo.zoo.sampling import Blocks, collect, concatenate

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
    """Return how many samples a picture shows: 64 images or 2,500 points, or 8 in each row."""
    return SAMPLES_PER_ROW if rows else POINTS_SHOWN if model.kind == "point" else SAMPLES_SHOWN


def check_few(count: int, advice: str) -> None:
    """Raise `BadInput` for more samples than a picture shows."""
    if count > MAX_IN_PICTURE:
        raise BadInput(f"one picture shows at most {MAX_IN_PICTURE:,} samples; {advice}")


def draw_samples(
    model: Model, name: str, n: int, seed: int, rows: str, each_fixed: Sequence[Mapping[str, Any]], scale: int = 0
) -> Image.Image:
    """Draw `n` samples with each of these fixed values: a grid of images, or a plot of points with the model's name.

    `scale` is that of `draw_tiles`.
    """
    blocks = all_blocks(model, n, seed, each_fixed)
    if model.kind == "point":
        points = concatenate([samples for samples, _ in blocks])
        return draw_scatter(require_showable(points, "point").numpy(), name)
    names = row_names(model, rows, each_fixed) if rows else []
    return draw_tiles(torch.cat(collect(pixels(blocks), n * len(each_fixed))), n if rows else 0, names, scale)


def all_blocks(model: Model, n: int, seed: int, each_fixed: Sequence[Mapping[str, Any]]) -> Blocks:
    """Yield the blocks of `n` samples with each of these fixed values."""
    return itertools.chain.from_iterable(model.blocks_with(each, n, seed) for each in each_fixed)


def pixels(blocks: Blocks) -> Iterator[Tensor]:
    """Yield the images of each block as uint8, which takes a quarter of the memory."""
    return (to_bytes(require_showable(samples)) for samples, _ in blocks)


def require_showable(samples: Images, kind: str = "image") -> Tensor:
    """Return what a picture shows of samples. Raises `BadInput` if it can show none of them."""
    shown = select_showable(samples, kind)
    if shown is None:
        what = "images of 1 or 3 channels and points in the plane"
        raise BadInput(f"a picture shows {what}, and this model makes other samples; sample() gives them as tensors")
    return shown
