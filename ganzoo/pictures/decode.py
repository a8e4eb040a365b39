"""Turn a picture of any kind into pixels of one shape."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

Background = Literal["white", "black"]
Range = tuple[float, float]
"""The values that become black and white."""

MAX_PIXELS = 2**26
"""Largest picture that is decoded, in pixels: some hundred megabytes while it is."""
MAX_PIXELS_OF_JPEG = 2**27
"""Largest JPEG, which is decoded at a fraction of its size, but may need the whole of it for that."""
MAX_SCANNED, START_OF_SCAN = 2**32, b"\xff\xda"
"""Pixels in all scans of a progressive JPEG, some seconds' work, and the bytes before each scan."""
LARGE_PIXELS = 2**23
"""Of pictures with more pixels than this, threads decode one at a time."""
ROWS = 256
"""Rows of a picture that are converted at once."""
SIXTEEN_BITS: Range = (0, 65535)
WHITE_IS_ZERO = 0
PHOTOMETRIC = 262
"""TIFF's tag that says what 0 stands for."""
BITS, SAMPLE_FORMAT = 258, 339
UNSIGNED = (1,)
"""TIFF's sample format of numbers from 0, which is that of a file that states none."""

large = threading.Lock()


class Rendering(NamedTuple):
    """How pictures become pixels: the shape (channels, height, width), the range of deep ones, the background.

    Without a range deep pictures cannot be read.
    """

    shape: tuple[int, int, int]
    range: Range | None = None
    background: Background = "white"


def to_pixels(picture: Image.Image, rendering: Rendering) -> Tensor:
    """Turn a picture into uint8 (channels, height, width).

    It is rotated as its EXIF data say, reduced to 8 bits, put on a background if transparent, cut to the largest
    centred part of the right proportions and resized with antialiasing. Of an animation the first frame is taken.
    Raises `ValueError` for more than `MAX_PIXELS`, and what Pillow raises for a broken picture.
    """
    channels, height, width = rendering.shape
    # JPEG decodes large photographs much faster at a fraction of their size; from twice the size nothing is lost.
    whole = picture.width * picture.height
    check_size(picture, MAX_PIXELS_OF_JPEG if picture.format in ("JPEG", "MPO") else MAX_PIXELS)
    check_scans(picture)
    picture.draft(picture.mode, (2 * width, 2 * height))
    check_size(picture)
    with one_at_a_time(whole):
        load_upright(picture)
        plain = flatten(to_eight_bit(picture, rendering.range), rendering.background)
        plain = convert(plain, "L" if channels == 1 else "RGB")
        fitted = ImageOps.fit(plain, (width, height), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(fitted)).view(height, width, channels).permute(2, 0, 1)


def check_size(picture: Image.Image, most: int = MAX_PIXELS) -> None:
    """Raise `ValueError` if a picture is too large to be decoded."""
    if picture.width * picture.height > most:
        millions = f"{picture.width * picture.height / 1e6:,.0f} million pixels"
        raise ValueError(f"{picture.width} x {picture.height} are {millions}, up to {most / 1e6:.0f} are read")


def check_scans(picture: Image.Image) -> None:
    """Raise `ValueError` for a progressive JPEG that goes over its pixels so often that it takes minutes.

    About ten scans are usual; some bytes are enough for a further one.
    """
    file = getattr(picture, "fp", None)
    if not picture.info.get("progressive") or file is None:
        return
    place = file.tell()
    file.seek(0)
    scans = file.read().count(START_OF_SCAN)
    file.seek(place)
    if scans * picture.width * picture.height > MAX_SCANNED:
        raise ValueError(f"it goes over its {picture.width} x {picture.height} pixels {scans:,} times")


def one_at_a_time(pixels: int) -> AbstractContextManager[object]:
    """Return a context that only one thread at a time enters with a large picture."""
    return large if pixels > LARGE_PIXELS else nullcontext()


def load_upright(picture: Image.Image) -> None:
    """Read the pixels, rotated as the EXIF data say; data that cannot be read say nothing."""
    picture.load()
    try:
        ImageOps.exif_transpose(picture, in_place=True)
    except MemoryError:
        raise
    except Exception:
        pass


def is_deep(picture: Image.Image) -> bool:
    """Return whether a picture is grey with more than 8 bits, so that its values need a range."""
    return picture.mode.startswith("I") or picture.mode == "F"


def to_eight_bit(picture: Image.Image, values: Range | None) -> Image.Image:
    """Scale the range of a deep picture, which Pillow would clip, to 8 bits; return any other picture unchanged.

    Raises `ValueError` for a deep picture without a range.
    """
    if not is_deep(picture):
        return picture
    pixels = np.empty((picture.height, picture.width), dtype=np.uint8)
    for top, rows in read_rows(picture):
        if values is None:
            raise ValueError("it has more than 8 bits: give data.range, the values shown as black and white")
        low, high = values
        scaled = (rows.astype(np.float64).clip(low, high) - low) * (255 / (high - low))
        pixels[top : top + ROWS] = np.rint(scaled)
    return Image.fromarray(255 - pixels if is_negative(picture) else pixels)


def read_rows(picture: Image.Image) -> Iterator[tuple[int, NDArray[np.generic]]]:
    """Yield the values of a deep picture, some rows at a time. Raises `ValueError` if one is not finite."""
    for top in range(0, picture.height, ROWS):
        rows = np.asarray(picture.crop((0, top, picture.width, min(top + ROWS, picture.height))))
        if is_unsigned(picture):
            rows = rows.view(np.uint32)
        if not np.isfinite(rows).all():
            raise ValueError("some pixels are not finite numbers")
        yield top, rows


def is_unsigned(picture: Image.Image) -> bool:
    """Return whether 32 bits stand for numbers from 0; Pillow reads those from 2**31 as negative."""
    tags = getattr(picture, "tag_v2", {})
    return picture.mode == "I" and tags.get(BITS) == (32,) and tags.get(SAMPLE_FORMAT, UNSIGNED) == UNSIGNED


def is_negative(picture: Image.Image) -> bool:
    """Return whether the lowest value of a deep picture is white; Pillow inverts only those of 8 bits."""
    return bool(getattr(picture, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO)


def flatten(picture: Image.Image, background: Background) -> Image.Image:
    """Put transparent parts of a picture on a background."""
    if not picture.has_transparency_data:
        return picture
    flat = Image.new("RGB", picture.size)
    for top in range(0, picture.height, ROWS):
        part = picture.crop((0, top, picture.width, min(top + ROWS, picture.height))).convert("RGBA")
        below = Image.new("RGBA", part.size, background)
        flat.paste(Image.alpha_composite(below, part).convert("RGB"), (0, top))
    return flat


def convert(picture: Image.Image, mode: str) -> Image.Image:
    """Return a picture in that mode, itself if it has it."""
    return picture if picture.mode == mode else picture.convert(mode)
