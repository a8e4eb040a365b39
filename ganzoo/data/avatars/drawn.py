"""Avatars of any style, number and size, drawn once."""

from collections.abc import Collection
from typing import Any, Literal

import numpy as np

from ganzoo._io import find_data_root
from ganzoo._numbers import check_seed, whole_number
from ganzoo.data.attributes import number_attributes
from ganzoo.data.avatars.album import Album
from ganzoo.data.avatars.styles import check_style
from ganzoo.data.avatars.workers import draw_missing
from ganzoo.data.decoded import Decoded
from ganzoo.errors import BadInput

DEFAULT_LABELS = ("body", "plant", "hair", "head", "surface", "top", "shape", "eyes")
"""The attribute that is the label by default: the first of these that varies in a style, else the style's first."""
MAX_COUNT, MAX_SIDE = 10**7, 2048


class Avatars(Decoded):
    """Pictures of one `style`, drawn once and kept in the folder of data sets: the first `count` of a `seed`.

    `label` is one of their attributes, such as "hair"; each style has one by default. A list of attributes become keys
    of their own. Raises `BadInput`.
    """

    license = "CC0-1.0"

    def __init__(
        self,
        style: str = "critters",
        count: int = 10_000,
        seed: int = 0,
        label: str | list[str] | None = None,
        size: int | tuple[int, int] | None = None,
        channels: int | None = None,
        root: str | None = None,
        background: Literal["white", "black"] = "white",
        fit: Literal["crop", "pad", "stretch"] = "crop",
        broken: Literal["skip", "refuse"] = "skip",
    ) -> None:
        import torch

        from ganzoo.data.images import ImageFiles
        from ganzoo.data.options import ImageOptions

        rendering = ImageOptions(size, channels, None, background, fit, broken).rendering(3)
        whole_number("count", count, 1, MAX_COUNT)
        check_seed(seed)
        check_style(style)
        album = Album(find_data_root(root), style, seed, find_side(rendering.shape[1:], fit))
        draw_missing(album, count)
        attributes = {key: np.array(values) for key, values in album.attributes(count).items()}
        varied = {key: values for key, values in attributes.items() if len(set(values.tolist())) > 1}
        varied = varied or attributes
        numbers, names = number_attributes(f"avatars:{style}", varied, label or choose_label(varied))
        self.broken = broken
        labels = {key: torch.from_numpy(each) for key, each in numbers.items()}
        self.decode_from(ImageFiles(album.folder, album.names(count)), rendering, labels, names)

    def arrays(self) -> dict[str, Any] | None:
        """Decode all pictures now if they fit in memory."""
        from ganzoo.data.folders import fits_in_memory

        return self.decode_all() if fits_in_memory(len(self), self.rendering) else None


def find_side(size: tuple[int, int], fit: str) -> int:
    """Return the side of the square that is drawn for pictures of a size, so that none is enlarged."""
    side = min(size) if fit == "pad" else max(size)
    if side > MAX_SIDE:
        raise BadInput(f"size is at most {MAX_SIDE} pixels, got {side}")
    return side


def choose_label(attributes: Collection[str]) -> str:
    """Return the attribute that is the label by default."""
    return next(iter([*(name for name in DEFAULT_LABELS if name in attributes), *attributes]))
