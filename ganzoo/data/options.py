"""How images of folders and data sets are read, as a recipe's `[data]` says."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from ganzoo._numbers import parse_size
from ganzoo.data.images import Broken
from ganzoo.errors import BadInput
from ganzoo.pictures.decode import CHANNEL_NAMES, MAX_PIXELS, Background, Fit, Range, Rendering

READING_OPTIONS = ("fit", "range", "background", "broken", "workers", "labels", "label")
"""Keys of a run's `[data]` that say how the images of a folder are read, wherever it lies."""
DEFAULT_SIZE = 64
"""Side in pixels of images that have no common size: folders, celeba and lsun."""


@dataclass(frozen=True)
class ImageOptions:
    """How images are read; None stands for what suits the data. Raises `BadInput` for values that make no sense."""

    size: int | Sequence[int] | None = None
    channels: int | None = None
    range: Sequence[float] | None = None
    background: Background = "white"
    fit: Fit = "crop"
    broken: Broken = "skip"

    def __post_init__(self) -> None:
        try:
            height, width = parse_size(1 if self.size is None else self.size)
        except ValueError as error:
            raise BadInput(f"size is {error}") from error
        if height * width > MAX_PIXELS:
            raise BadInput(f"size is at most {MAX_PIXELS / 1e6:.0f} million pixels, got {height} x {width}")
        if self.channels not in (None, *CHANNEL_NAMES):
            named = " or ".join(f"{number} ({name})" for number, name in CHANNEL_NAMES.items())
            raise BadInput(f"channels is {named}, got {self.channels!r}; more come from batches or a plugin's data")
        if self.range is not None and not is_range(self.range):
            raise BadInput(f"range is the values that become black and white, low and high, got {self.range!r}")
        for name, words in {"background": Background, "fit": Fit, "broken": Broken}.items():
            if getattr(self, name) not in (allowed := get_args(words)):
                raise BadInput(f"{name} is {' or '.join(allowed)}, got {getattr(self, name)!r}")

    @property
    def sides(self) -> tuple[int, int] | None:
        """Height and width in pixels; None for those that suit the data."""
        return None if self.size is None else parse_size(self.size)

    def rendering(self, channels: int, values: Range | None = None) -> Rendering:
        """Return how images with that many channels become pixels; `values` is the range of deep ones, if any is."""
        height, width = self.sides or (DEFAULT_SIZE, DEFAULT_SIZE)
        return Rendering((self.channels or channels, height, width), values, self.background, self.fit)


def is_range(values: Sequence[float]) -> bool:
    """Return whether these are two finite numbers, the lower one first."""
    try:
        low, high = map(float, values)
    except (TypeError, ValueError, OverflowError):
        return False
    return math.isfinite(low) and math.isfinite(high) and low < high
