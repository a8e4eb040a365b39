"""What the header of a picture says, without its pixels."""

from contextlib import suppress
from typing import NamedTuple

from PIL import ExifTags, Image

from ganzoo.pictures.decode import is_deep

TRANSPARENT = "with transparency"
MODE_NAMES = {"L": "grey", "RGB": "colour", "P": "palette", "1": "black and white", "F": "floating-point"}
SIDEWAYS = (5, 6, 7, 8)
"""EXIF's orientations of pictures that are stored lying on their side."""


class Header(NamedTuple):
    """What the header of a file says: width and height when upright, kind, and properties of its pixels."""

    size: tuple[int, int]
    kind: str
    grey: bool
    deep: bool
    deep_colour: bool
    transparent: bool
    several: bool


def make_header(picture: Image.Image) -> Header:
    """Return what the header of a picture says."""
    deep = is_deep(picture)
    return Header(
        size=upright_size(picture),
        kind=describe_mode(picture),
        grey=deep or picture.mode in ("1", "L", "LA"),
        deep=deep,
        deep_colour=not deep and has_sixteen_bits(picture),
        transparent=picture.has_transparency_data,
        several=picture.format != "MPO" and getattr(picture, "is_animated", False),
    )


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Return width and height of a picture when it is rotated as its EXIF data say."""
    width, height = picture.size
    with suppress(Exception):  # data that cannot be read say nothing
        if "exif" in picture.info or picture.format == "TIFF":
            orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
            return (height, width) if orientation in SIDEWAYS else (width, height)
    return width, height


def describe_mode(picture: Image.Image) -> str:
    """Describe how a picture stores its pixels: "colour", "grey", "palette", "with transparency"."""
    if picture.has_transparency_data:
        return TRANSPARENT
    if picture.mode.startswith("I"):
        return "32-bit" if picture.format == "TIFF" and not has_sixteen_bits(picture) else "16-bit"
    return MODE_NAMES.get(picture.mode, picture.mode)


def has_sixteen_bits(picture: Image.Image) -> bool:
    """Return whether the file has 16 bits for each value, though Pillow may read 8."""
    return ";16" in f"{picture.mode} {[tile[3] for tile in getattr(picture, 'tile', [])]}"
