"""Turn a picture of any kind into pixels of one shape."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

Background = Literal["white", "black"]
Fit = Literal["crop", "pad", "stretch"]
"""How pictures of other proportions fit: their middle, all of them with a margin, or all of them out of proportion."""
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

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""Pillow's mode for each number of channels: grey or colour, alone or with transparency."""
CHANNEL_NAMES = {1: "grey", 2: "grey with opacity", 3: "colour", 4: "colour with opacity"}
WITH_ALPHA = (2, 4)

large = threading.Lock()


class Rendering(NamedTuple):
    """How pictures become pixels: the shape (channels, height, width), the range of deep ones, background and fit.

    With 2 or 4 channels the last one is the opacity, and no background is needed. Without a range deep pictures cannot
    be read.
    """

    shape: tuple[int, int, int]
    range: Range | None = None
    background: Background = "white"
    fit: Fit = "crop"

    @property
    def dtype(self) -> torch.dtype:
        """The type of the pixels: uint8, or float32 in [0, 1] where some pictures have more than 8 bits."""
        return torch.uint8 if self.range is None else torch.float32

    @property
    def alpha(self) -> bool:
        """Whether the last channel is the opacity."""
        return self.shape[0] in WITH_ALPHA


def to_pixels(picture: Image.Image, rendering: Rendering) -> Tensor:
    """Turn a picture into (channels, height, width): uint8, or float32 in [0, 1] where the rendering has a range.

    It is rotated as its EXIF data say, put on a background if it is transparent and the pixels have no channel for
    that, and resized with antialiasing: cut to the largest centred part of the right proportions, padded or stretched.
    Of an animation the first frame is taken. Raises `ValueError` for more than `MAX_PIXELS`, and what Pillow raises for
    a broken picture.
    """
    _, height, width = rendering.shape
    # JPEG decodes large photographs much faster at a fraction of their size; from twice the size nothing is lost.
    whole = picture.width * picture.height
    check_size(picture, MAX_PIXELS_OF_JPEG if picture.format in ("JPEG", "MPO") else MAX_PIXELS)
    check_scans(picture)
    picture.draft(picture.mode, (2 * width, 2 * height))
    check_size(picture)
    with one_at_a_time(whole):
        load_upright(picture)
        return render_deep(picture, rendering) if is_deep(picture) else render(picture, rendering)


def render(picture: Image.Image, rendering: Rendering) -> Tensor:
    """Return the pixels of a loaded picture of 8 bits, as `to_pixels` does."""
    pixels = to_tensor(fit(to_mode(picture, rendering), rendering))
    return pixels if rendering.range is None else pixels.float().div_(255)


def render_deep(picture: Image.Image, rendering: Rendering) -> Tensor:
    """Return the pixels of a loaded deep picture, as `to_pixels` does: grey, and opaque inside the margin of a pad."""
    grey = to_tensor(fit(to_unit(picture, rendering.range), rendering))
    if not rendering.alpha:
        return grey.repeat(rendering.shape[0], 1, 1)
    opacity = to_tensor(fit(Image.new("L", picture.size, 255), rendering)).float().div_(255)
    return torch.cat([grey.repeat(rendering.shape[0] - 1, 1, 1), opacity])


def fit(picture: Image.Image, rendering: Rendering) -> Image.Image:
    """Return a picture in the size of the pixels."""
    _, height, width = rendering.shape
    if rendering.fit == "stretch":
        return picture.resize((width, height), Image.Resampling.BILINEAR)
    if rendering.fit == "pad":
        return ImageOps.pad(picture, (width, height), Image.Resampling.BILINEAR, color=margin(picture, rendering))
    return ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)


def margin(picture: Image.Image, rendering: Rendering) -> Any:
    """Return the colour of the margin around a padded picture: the background, or nothing but transparency."""
    if rendering.alpha:
        return (0,) * len(picture.getbands()) if len(picture.getbands()) > 1 else 0
    return 1.0 * (rendering.background == "white") if picture.mode == "F" else rendering.background


def to_mode(picture: Image.Image, rendering: Rendering) -> Image.Image:
    """Return a picture of 8 bits with the channels of the pixels, transparent parts on the background without one."""
    mode = MODES[rendering.shape[0]]
    if rendering.alpha:  # Pillow turns some kinds of transparency into colour with opacity only
        return convert(picture if picture.mode == mode else convert(picture, "RGBA"), mode)
    return convert(flatten(picture, rendering.background), mode)


def to_tensor(picture: Image.Image) -> Tensor:
    """Return the values of a picture, (channels, height, width)."""
    pixels = torch.from_numpy(np.array(picture))
    return pixels.view(picture.height, picture.width, -1).permute(2, 0, 1)


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


def to_unit(picture: Image.Image, values: Range | None) -> Image.Image:
    """Scale a deep picture from that range to [0, 1], as one of mode "F". Raises `ValueError` without a range."""
    if values is None:
        raise ValueError("it has more than 8 bits: give data.range, the values shown as black and white")
    low, high = values
    scaled = Image.new("F", picture.size)
    for top, rows in read_rows(picture):
        unit = (rows.astype(np.float64).clip(low, high) - low) / (high - low)
        scaled.paste(Image.fromarray((1 - unit if is_negative(picture) else unit).astype(np.float32)), (0, top))
    return scaled


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
