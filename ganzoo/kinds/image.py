"""Images: networks see numbers in [-1, 1], users numbers in [0, 1]; files have 8 bits, or 16 like the data."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor

from ganzoo.dataset import NOTHING, Spec
from ganzoo.errors import Error
from ganzoo.kind import Array, Kind
from ganzoo.pictures.decode import SIXTEEN_BITS, Range, Rendering, to_pixels
from ganzoo.pictures.formats import open_picture
from ganzoo.pictures.grid import draw_tiles, eight_bits, enlarge, save_png, to_bytes, to_picture
from ganzoo.pictures.layout import why_not_shown

PIXEL_VALUES = "pixel_values"
"""The fact of data with more than 8 bits: which of their values are 0 and 1, in this order."""
WHITE = {torch.uint8: 255, torch.uint16: 65535}
"""The value of white in whole numbers."""


class Pixels(Kind):
    """What is made of pixels, in [0, 1] in the public form; uint8 and uint16 are taken as well."""

    range, public_range = (-1.0, 1.0), (0.0, 1.0)
    scale: int | None = 0

    def check(self, values: Tensor) -> None:
        """Raise `ValueError` unless samples (n, channels, ..., height, width) fit the spec."""
        if not values.is_floating_point() and values.dtype not in WHITE:
            raise ValueError(f"must hold uint8 or numbers in [0, 1], got {str(values.dtype).removeprefix('torch.')}")
        super().check(values.float() / WHITE[values.dtype] if values.dtype in WHITE else values)

    def to_network(self, values: Tensor) -> Tensor:
        """Return samples in [-1, 1]."""
        if values.dtype == torch.uint8:
            # A product, because a quotient rounds differently on the CPU and on CUDA.
            return values.float().mul_(1 / 127.5).sub_(1)
        return super().to_network(values.float() / WHITE[values.dtype] if values.dtype in WHITE else values)


class Image(Pixels):
    """Images (channels, height, width)."""

    plural, suffix = "images", ".png"
    card_files = 0

    def __init__(self, spec: Spec, facts: Mapping[str, Any] = NOTHING) -> None:
        super().__init__(spec, facts)
        if len(spec.shape) not in (0, 3):  # the shape of images that a program once gave is not known
            raise ValueError(f"images have the shape (channels, height, width), not {spec.shape}")
        if self.not_drawn:
            self.suffix, self.card_files, self.scale = Kind.suffix, Kind.card_files, None

    @property
    def values(self) -> Range | None:
        """The values that are 0 and 1 here, of data with more than 8 bits: their samples are not rounded to 8."""
        with suppress(TypeError, ValueError):  # a stranger's config may say anything
            low, high = map(float, self.facts[PIXEL_VALUES]) if PIXEL_VALUES in self.facts else (0.0, 0.0)
            return (low, high) if low < high else None
        return None

    @property
    def not_drawn(self) -> str:
        """Why a picture cannot show the channels of these images; "" where it can."""
        return why_not_shown("image", self.spec.shape) if self.spec.shape else ""

    def to_array(self, values: Tensor) -> Array:
        """Return images (n, height, width, channels), uint8 or, where the data have more than 8 bits, in [0, 1]."""
        found: Array = (values.permute(0, 2, 3, 1).contiguous() if self.values else to_bytes(values)).numpy()
        return found

    def from_array(self, values: Array) -> Array:
        """Return images with the channels first; grey ones may have no axis for them."""
        if not self.spec.shape:
            return values
        channels, *sides = self.spec.shape
        ends = values.shape[-3:]
        if ends == (*sides, channels) and ends != self.spec.shape:
            return np.moveaxis(values, -1, -3)
        if channels == 1 and values.ndim in (2, 3) and values.shape[-2:] == (*sides,) and ends != self.spec.shape:
            return values[..., None, :, :]
        return values

    def write(self, path: Path, sample: Array, mark: Mapping[str, str]) -> None:
        """Write one image as a PNG, with the mark in its text fields; as an array where it has other channels."""
        if self.not_drawn:
            return super().write(path, sample, mark)
        limits = dict(zip(("Black", "White"), map(str, self.values), strict=True)) if self.values else {}
        save_png(path, enlarge(to_picture(torch.from_numpy(sample)), self.scale or 1), {**mark, **limits})

    def read(self, path: Path) -> Array:
        """Read one image from a file of any format that training data may have, cut and resized to fit."""
        channels, height, width = self.spec.shape
        try:
            with open_picture(path) as picture:
                values = self.values or (SIXTEEN_BITS if picture.mode.startswith("I;16") else None)
                pixels = to_pixels(picture, Rendering((channels, height, width), values))
        except (Error, MemoryError):
            raise
        except Exception as error:  # a broken file can make Pillow raise any exception
            raise ValueError(f"is not a picture that can be read ({error})") from error
        found: Array = (pixels if pixels.is_floating_point() else pixels.float() / 255).numpy()
        return found

    def draw(
        self, samples: Array, columns: int = 0, row_names: Sequence[str] = (), title: str = ""
    ) -> Pillow.Image | None:
        """Draw images as a grid; small ones are enlarged."""
        if self.not_drawn:
            return None
        return draw_tiles(eight_bits(torch.from_numpy(samples)), columns, row_names, self.scale or 0)

    def describe(self) -> str:
        """Return the size of the images in words."""
        if not self.spec.shape:
            return self.plural
        _, height, width = self.spec.shape
        return f"{height} x {width} images" + " (height x width)" * (height != width)
