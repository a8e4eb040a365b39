"""The image formats that are read, told by the content of a file and never by its name."""

import warnings
from pathlib import Path
from typing import IO

from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "PPM")
"""The formats, by Pillow's names; JPEG includes MPO. It knows others, some of which start programs."""
ENDINGS = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".pgm", ".ppm", ".pbm",
)  # fmt: skip
"""Endings of files that are listed without a look inside."""
CAMERA_ENDINGS = (
    ".3fr", ".arw", ".cr2", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mos", ".nef", ".nrw", ".pef", ".rw2", ".srw",
)  # fmt: skip
"""Endings of cameras' raw files: they look like TIFF, which then holds a small preview."""

# Pillow warns of large pictures and of broken EXIF data: ganzoo has limits of its own, and says what is broken.
warnings.filterwarnings("ignore", module=r"PIL\.")


def open_picture(path: str | Path | IO[bytes]) -> Image.Image:
    """Open an image file without reading its pixels. Raises what Pillow raises, of any kind, if it cannot be read."""
    return Image.open(path, formats=FORMATS)


def holds_picture(path: str | Path) -> bool:
    """Return whether a file holds an image in one of the formats."""
    if str(path).lower().endswith(CAMERA_ENDINGS):
        return False
    try:
        with open_picture(path):
            return True
    except Exception:  # a broken file can make Pillow raise any exception
        return False
