"""Image files by index: open any of them, and decode them all or one after the other."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ganzoo._cores import usable_cores
from ganzoo.data.base import count_of
from ganzoo.errors import BadInput
from ganzoo.pictures.decode import Rendering, to_pixels
from ganzoo.pictures.formats import open_picture

Broken = Literal["skip", "refuse"]
"""What is done about an image that cannot be read."""

T = TypeVar("T")

MAX_DECODERS = 4
"""Threads that decode a small folder, and processes that read a stream, if there are as many cores."""
MAX_NAMED = 20
"""Unreadable images that a message names."""


def count_decoders() -> int:
    """Return the number of threads or processes that decode images."""
    return min(MAX_DECODERS, usable_cores())


class ImageSource(Protocol):
    """Images by index, such as `ImageFiles`; worker processes receive a copy."""

    def __len__(self) -> int: ...

    def path(self, index: int) -> str:
        """Return the name of an image for messages."""

    def open(self, index: int) -> Image.Image:
        """Open an image."""


class ImageFiles:
    """Image files below the folder `top`, by index.

    The names are one tensor, which all worker processes share: a million Python strings would be copied into each.
    """

    def __init__(self, top: Path, names: Sequence[str]) -> None:
        encoded = [os.fsencode(name) for name in names]
        self.top = str(top)
        self._names = torch.frombuffer(bytearray(b"".join(encoded) + b"/"), dtype=torch.uint8)
        self._ends = torch.tensor([0, *map(len, encoded)]).cumsum(0)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def name(self, index: int) -> str:
        """Return the path of a file relative to the folder."""
        start, end = self._ends[index : index + 2].tolist()
        return os.fsdecode(self._names[start:end].numpy().tobytes())

    def path(self, index: int) -> str:
        """Return the path of a file."""
        return str(Path(self.top, self.name(index)))

    def open(self, index: int) -> Image.Image:
        """Open a file without reading its pixels."""
        return open_picture(self.path(index))

    def choose(self, indices: Iterable[int]) -> "ImageFiles":
        """Return some of the files."""
        return ImageFiles(Path(self.top), [self.name(int(index)) for index in indices])


class ChosenImages:
    """Some images of a source, by their indices there."""

    def __init__(self, source: ImageSource, indices: Iterable[int]) -> None:
        self.source, self.indices = source, torch.as_tensor(list(map(int, indices)))

    def __len__(self) -> int:
        return len(self.indices)

    def path(self, index: int) -> str:
        """Return the name of an image for messages."""
        return self.source.path(int(self.indices[index]))

    def open(self, index: int) -> Image.Image:
        """Open an image."""
        return self.source.open(int(self.indices[index]))


def decode_all(files: ImageFiles, rendering: Rendering, broken: Broken) -> tuple[Tensor, Tensor, list[str]]:
    """Decode all files to pixels, (n, channels, height, width), of the type of the rendering.

    Returns them with the index of the file that each comes from, int64 (n,), and a note on those that cannot be read:
    the next one takes their place, as in a stream. Raises `BadInput` naming them if they are to be refused.
    """
    images = torch.empty(len(files), *rendering.shape, dtype=rendering.dtype)
    reasons: dict[int, str] = {}
    with ThreadPoolExecutor(count_decoders()) as pool:
        for index, found in enumerate(pool.map(partial(read_image, files, rendering), range(len(files)))):
            if isinstance(found, str):
                reasons[index] = found
            else:
                images[index] = found
    check_some_readable(files, reasons, len(files))
    if broken == "refuse":
        check_none_broken(files, reasons)
    sources = torch.tensor(list(find_replacements(len(files), reasons)))
    for index in reasons:
        images[index] = images[sources[index]]
    return images, sources, describe_broken(files, reasons)


def read_image(files: ImageSource, rendering: Rendering, index: int) -> Tensor | str:
    """Return the pixels of a file, or why it cannot be read."""
    return try_reading(files, index, partial(to_pixels, rendering=rendering))


def try_reading(files: ImageSource, index: int, read: Callable[[Image.Image], T]) -> T | str:
    """Return what a function finds in an image file, or why it cannot be read."""
    try:
        with files.open(index) as picture:
            return read(picture)
    except UnidentifiedImageError:
        return "it is not in a format that is read"
    except Exception as error:  # a broken file can make Pillow raise any exception
        return " ".join(str(error).split()) or type(error).__name__


def check_some_readable(files: ImageFiles, reasons: Mapping[int, str], tried: int) -> None:
    """Raise `BadInput` if none of the images that were tried can be read."""
    if len(reasons) == tried:
        some = f" (of {tried:,} examined)" if tried < len(files) else ""
        raise BadInput(f"no file below '{files.top}' can be read as an image{some}: {list_reasons(files, reasons)}")


def check_none_broken(files: ImageFiles, reasons: Mapping[int, str]) -> None:
    """Raise `BadInput` if there are images that cannot be read."""
    if reasons:
        named = f"{count_broken(files, reasons)}: {list_reasons(files, reasons)}"
        raise BadInput(f"cannot read {named}; data.broken='skip' leaves them out")


def describe_broken(files: ImageFiles, reasons: Mapping[int, str]) -> list[str]:
    """Return a note on images that cannot be read, none without such images."""
    if not reasons:
        return []
    what = f"{count_broken(files, reasons)} that cannot be read, the next one takes the place of each"
    return [f"skipped {what}: {list_reasons(files, reasons)}"]


def count_broken(files: ImageFiles, reasons: Mapping[int, str]) -> str:
    """Return how many images of all cannot be read."""
    return f"{len(reasons):,} of {count_of(len(files), 'image')}"


def list_reasons(files: ImageFiles, reasons: Mapping[int, str]) -> str:
    """Name the first images that cannot be read, each with the reason."""
    named = "; ".join(f"'{files.name(index)}': {reasons[index]}" for index in list(reasons)[:MAX_NAMED])
    return named + f"; and {len(reasons) - MAX_NAMED:,} more" * (len(reasons) > MAX_NAMED)


def find_replacements(count: int, broken: Mapping[int, str]) -> Iterator[int]:
    """Yield for each image itself, or the next readable one."""
    for index in range(count):
        while index in broken:
            index = (index + 1) % count
        yield index
