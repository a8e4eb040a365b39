"""Image files: list those of a folder, and decode any of them to pixels of one shape."""

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.v2 import functional

from ganzoo.errors import BadInput

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff")
MAX_FILES_EXAMINED = 1000
"""Files of a large folder whose modes decide whether all its images are grey."""
MAX_UNREADABLE_IN_A_ROW = 1000
"""Unreadable images in a row after which a stream gives up."""
DECODERS = min(4, os.cpu_count() or 1)
"""Threads that decode a small folder, and processes that decode a stream."""
MODE_NAMES = {"L": "grey", "RGB": "colour", "P": "palette", "1": "black and white", "I": "16-bit"}


class ImageSource(Protocol):
    """Images by index, such as `ImageFiles`; worker processes receive a copy."""

    def __len__(self) -> int: ...

    def path(self, index: int) -> str:
        """Return the name of an image for messages."""

    def open(self, index: int) -> Image.Image:
        """Open an image."""


class ImageFiles:
    """Image files below the folder `top`, by index.

    The names are one block of bytes: a million Python strings would be copied into each worker process.
    """

    def __init__(self, top: Path, names: Sequence[str]) -> None:
        encoded = [os.fsencode(name) for name in names]
        self.top, self._names = str(top), b"".join(encoded)
        self._ends = np.cumsum([0, *map(len, encoded)])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def path(self, index: int) -> str:
        """Return the path of a file."""
        name = os.fsdecode(self._names[self._ends[index] : self._ends[index + 1]])
        return str(Path(self.top, name))

    def open(self, index: int) -> Image.Image:
        """Open a file without reading its pixels."""
        return Image.open(self.path(index))


class DecodedImage(NamedTuple):
    """Pixels uint8 (channels, height, width), None if too many in a row are unreadable, and the index of their image.

    `skipped` are the indices of the unreadable images before it.
    """

    pixels: Tensor | None
    image_index: int
    skipped: list[int]


class DecodedImages(Dataset[DecodedImage]):
    """Images as pixels of `shape`; an unreadable image is replaced by the next readable one."""

    def __init__(self, source: ImageSource, shape: tuple[int, int, int]) -> None:
        self.source, self.shape = source, shape

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> DecodedImage:
        """Decode the image with that index, or the next readable one."""
        skipped: list[int] = []
        while len(skipped) < min(MAX_UNREADABLE_IN_A_ROW, len(self)):
            # A broken file can make Pillow raise any exception.
            with suppress(Exception), self.source.open(index) as picture:
                return DecodedImage(to_pixels(picture, self.shape), index, skipped)
            skipped.append(index)
            index = (index + 1) % len(self)
        return DecodedImage(None, index, skipped)


def list_images(top: Path) -> list[str]:
    """List all image files below a folder: paths relative to it, with "/", sorted, without hidden ones.

    Raises `BadInput` if `top` is not a folder, cannot be read or holds no image.
    """
    if not top.is_dir():
        raise BadInput(f"'{top}' is a file; data is a folder of images or the name of a data set")
    try:
        names = sorted(walk_images(top))
    except OSError as error:
        raise BadInput(f"cannot read the folder '{top}': {error}") from error
    if not names:
        raise BadInput(f"there is no image below '{top}'; images end in {', '.join(EXTENSIONS)}")
    return names


def walk_images(folder: str | Path, before: str = "", above: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the image files below a folder; follow links, but not back into a folder above."""
    here = os.path.realpath(folder)
    if here in above:
        return
    for entry in os.scandir(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from walk_images(entry.path, f"{before}{entry.name}/", above | {here})
        elif entry.name.lower().endswith(EXTENSIONS) and entry.is_file():
            yield before + entry.name


def hash_names(names: Sequence[str]) -> str:
    """Return the SHA-256 hash of the names of files, whatever form of Unicode and order the file system gives them."""
    normal = sorted(os.fsencode(unicodedata.normalize("NFC", name)) for name in names)
    return hashlib.sha256(b"\0".join(normal)).hexdigest()


def infer_classes(names: Sequence[str]) -> tuple[list[str], Tensor | None, list[str]]:
    """Return class names, labels (int64, None without classes) and notes.

    The classes are the top-level sub-folders if there are at least two and every image lies in one of them.
    """
    folders = [name.partition("/")[0] if "/" in name else "" for name in names]
    classes = sorted(set(folders))
    if len(classes) < 2:
        return [], None, []
    if not classes[0]:
        return [], None, [f"no labels, because {folders.count('')} of {len(names)} images lie beside the sub-folders"]
    number = {folder: label for label, folder in enumerate(classes)}
    some = ", ".join(classes[:5]) + ", ..." * (len(classes) > 5)
    return classes, torch.tensor([number[each] for each in folders]), [f"{len(classes)} classes by sub-folder: {some}"]


def infer_channels(files: ImageFiles, most: int) -> int:
    """Return 1 if all images are grey, else 3, judged by the modes of at most `most` evenly spaced files.

    A palette image counts as colour. Raises `BadInput` if none of these files can be read.
    """
    readable = False
    for index in np.linspace(0, len(files) - 1, min(len(files), most)).astype(int):
        with suppress(Exception), files.open(index) as picture:
            readable = True
            if not (picture.mode.startswith("I") or picture.mode in ("1", "L", "LA")):
                return 3
    if not readable:
        raise BadInput(f"no file below '{files.top}' can be read as an image")
    return 1


def decode_all(files: ImageFiles, shape: tuple[int, int, int]) -> tuple[Tensor, list[str]]:
    """Decode all files to pixels, uint8 (n, channels, height, width); return them and notes on conversions.

    Raises `BadInput` naming the first file that cannot be read.
    """
    images = torch.empty(len(files), *shape, dtype=torch.uint8)
    sizes, kinds = [], []
    with ThreadPoolExecutor(DECODERS) as pool:
        for index, (made, size, kind) in enumerate(pool.map(partial(read_image, files, shape), range(len(files)))):
            images[index] = made
            sizes.append(size)
            kinds.append(kind)
    return images, describe_conversions(sizes, kinds, shape)


def read_image(files: ImageFiles, shape: tuple[int, int, int], index: int) -> tuple[Tensor, tuple[int, int], str]:
    """Return the pixels of a file, its width and height, and its mode. Raises `BadInput` if it cannot be read."""
    try:
        with files.open(index) as picture:
            size, kind = picture.size, describe_mode(picture)
            return to_pixels(picture, shape), size, kind
    except Exception as error:
        reason = "it is not in a format that Pillow knows" if isinstance(error, UnidentifiedImageError) else error
        raise BadInput(f"cannot read the image '{files.path(index)}': {reason}") from error


def describe_conversions(
    sizes: Sequence[tuple[int, int]], kinds: Sequence[str], shape: tuple[int, int, int]
) -> list[str]:
    """Return a note on how many images were converted to grey or RGB, or resized; an empty list if none was."""
    channels, height, width = shape
    plain, wanted = ("grey", "grey") if channels == 1 else ("colour", "RGB")
    others = Counter(kind for kind in kinds if kind != plain)
    resized = sum(size != (width, height) for size in sizes)
    of_each = ", ".join(f"{count} {kind}" for kind, count in others.most_common())
    parts = [f"converted {others.total()} images to {wanted} ({of_each})"] * bool(others)
    parts += [f"resized {resized} to {width} x {height} (data.size says to what)"] * bool(resized)
    return [" and ".join(parts)] if parts else []


def describe_mode(picture: Image.Image) -> str:
    """Describe how a picture stores its pixels: "colour", "grey", "palette", "with transparency"."""
    mode = picture.mode.partition(";")[0]
    return "with transparency" if picture.has_transparency_data else MODE_NAMES.get(mode, mode)


def to_pixels(picture: Image.Image, shape: tuple[int, int, int]) -> Tensor:
    """Turn a picture into uint8 of `shape` (channels, height, width).

    It is rotated as its EXIF data say, reduced from 16 bits to 8, put on white if transparent, cut to the largest
    centred part of the right proportions and resized with antialiasing. Of an animation the first frame is taken.
    """
    channels, height, width = shape
    # JPEG decodes large photographs much faster at a fraction of their size; from twice the size nothing is lost.
    picture.draft(picture.mode, (2 * width, 2 * height))
    ImageOps.exif_transpose(picture, in_place=True)
    plain = flatten_on_white(to_eight_bit(picture)).convert("L" if channels == 1 else "RGB")
    fitted = ImageOps.fit(plain, (width, height), Image.Resampling.BILINEAR)
    decoded: Tensor = functional.pil_to_tensor(fitted)
    return decoded


def to_eight_bit(picture: Image.Image) -> Image.Image:
    """Scale 16-bit grey, which Pillow would clip, to 8 bits; return any other picture unchanged."""
    if picture.mode == "F":
        raise ValueError("pixels in floating point have no known range")
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture).astype(np.int64).clip(0, 65535)
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def flatten_on_white(picture: Image.Image) -> Image.Image:
    """Put transparent parts of a picture on white."""
    if not picture.has_transparency_data:
        return picture
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA"))
