"""Picture files: which ones a folder holds, in which order, and how any picture becomes pixels of one shape."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.v2 import functional

from ganzoo.errors import BadInput

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff")
MAX_FILES_EXAMINED = 1000
"""Files of a large folder that decide whether all its images are grey."""
MAX_UNREADABLE_IN_A_ROW = 1000
"""Unreadable images in a row after which a stream gives up."""
DECODERS = min(4, os.cpu_count() or 1)
"""Threads that decode a small folder, and processes that decode a stream."""
MODE_NAMES = {"L": "grey", "RGB": "colour", "P": "palette", "1": "black and white", "I": "16-bit"}


class ImageSource(Protocol):
    """Pictures by number, such as `ImageFiles`; sent to worker processes."""

    def __len__(self) -> int: ...

    def path(self, index: int) -> str:
        """How a sentence names that picture."""

    def open(self, index: int) -> Image.Image:
        """That picture."""


class ImageFiles:
    """Image files below the folder `top`, by number.

    The names are one block of bytes: a million Python strings would be copied into each worker process.
    """

    def __init__(self, top: Path, names: Sequence[str]) -> None:
        encoded = [os.fsencode(name) for name in names]
        self.top, self._names = str(top), b"".join(encoded)
        self._ends = np.cumsum([0, *map(len, encoded)])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def path(self, index: int) -> str:
        """Where that file is."""
        name = os.fsdecode(self._names[self._ends[index] : self._ends[index + 1]])
        return str(Path(self.top, name))

    def open(self, index: int) -> Image.Image:
        """That file as a picture whose pixels are not read yet."""
        return Image.open(self.path(index))


class DecodedImages(Dataset):
    """Pictures as pixels of `shape`; an unreadable one is replaced by the next one that can be read."""

    def __init__(self, pictures: ImageSource, shape: tuple[int, int, int]) -> None:
        self.pictures, self.shape = pictures, shape

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor | None, int, list[int]]:
        """The pixels (None where patience ran out), the number of the picture they are of, and the numbers skipped."""
        skipped: list[int] = []
        while len(skipped) < min(MAX_UNREADABLE_IN_A_ROW, len(self)):
            # What a broken file makes Pillow raise is not limited to any list of exceptions.
            with suppress(Exception), self.pictures.open(index) as picture:
                return to_pixels(picture, self.shape), index, skipped
            skipped.append(index)
            index = (index + 1) % len(self)
        return None, index, skipped


def list_images(top: Path) -> list[str]:
    """Paths of all image files below a folder, relative to it, with "/", sorted; hidden ones are left out.

    Raises `BadInput` where `top` is no folder, cannot be read or holds no image.
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
    """The image files below a folder; links are followed, but not back into a folder above."""
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


def infer_classes(names: Sequence[str]) -> tuple[list[str], Tensor | None, list[str]]:
    """Class names, labels (int64) and what to say of them.

    The classes are the top-level sub-folders, where there are two or more and every image lies in one of them.
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
    """1 where all images are grey, else 3, judged by the modes of at most `most` evenly spaced files.

    A palette image counts as colour. Raises `BadInput` where none of these files can be read.
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
    """The pixels of all files, uint8 (n, channels, height, width), and what was converted.

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
    """The pixels of one file, its width and height before, and its `kind`; `BadInput` where it cannot be read."""
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
    """The sentence about what became grey or RGB from something else, and what was resized; none if nothing was."""
    channels, height, width = shape
    plain, wanted = ("grey", "grey") if channels == 1 else ("colour", "RGB")
    others = Counter(kind for kind in kinds if kind != plain)
    resized = sum(size != (width, height) for size in sizes)
    of_each = ", ".join(f"{count} {kind}" for kind, count in others.most_common())
    parts = [f"converted {others.total()} images to {wanted} ({of_each})"] * bool(others)
    parts += [f"resized {resized} to {width} x {height} (data.size says to what)"] * bool(resized)
    return [" and ".join(parts)] if parts else []


def describe_mode(picture: Image.Image) -> str:
    """In a word, how the picture stores its pixels: "colour", "grey", "palette", "with transparency"."""
    mode = picture.mode.partition(";")[0]
    return "with transparency" if picture.has_transparency_data else MODE_NAMES.get(mode, mode)


def to_pixels(picture: Image.Image, shape: tuple[int, int, int]) -> Tensor:
    """A picture as uint8 of `shape` (channels, height, width).

    Turned upright as its EXIF says, 16 bits cut to 8, transparency on white, cut to the largest centred part of the
    right proportions and resized with antialiasing. Of an animation it is the first frame.
    """
    channels, height, width = shape
    # JPEG decodes large photographs much faster at a fraction of their size; twice the wanted size loses nothing.
    picture.draft(picture.mode, (2 * width, 2 * height))
    ImageOps.exif_transpose(picture, in_place=True)
    plain = flatten_on_white(to_eight_bit(picture)).convert("L" if channels == 1 else "RGB")
    return functional.pil_to_tensor(ImageOps.fit(plain, (width, height), Image.Resampling.BILINEAR))


def to_eight_bit(picture: Image.Image) -> Image.Image:
    """16-bit grey, which Pillow would clip, scaled to 8 bits; anything else as it is."""
    if picture.mode == "F":
        raise ValueError("pixels in floating point have no known range")
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture).astype(np.int64).clip(0, 65535)
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def flatten_on_white(picture: Image.Image) -> Image.Image:
    """What is transparent, on white."""
    if not picture.has_transparency_data:
        return picture
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA"))
