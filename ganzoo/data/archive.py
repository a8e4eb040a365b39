"""Images inside of a ZIP file, which is read in place and never unpacked."""

import io
import os
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ganzoo.data.images import ImageFiles
from ganzoo.errors import BadInput
from ganzoo.pictures.formats import open_picture

LARGEST_FILE = 2**30
"""Bytes of one image file; an archive can claim that it unpacks to any size."""


class ZippedImages(ImageFiles):
    """Image files of a ZIP file, by index; `inner` is the folder in it that holds them, "" or with "/" at its end."""

    def __init__(self, archive: Path, inner: str, names: Sequence[str]) -> None:
        super().__init__(archive / inner, names)
        self.archive, self.inner = archive, inner
        self._opened: dict[int, zipfile.ZipFile] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_opened": {}}

    def open(self, index: int) -> Image.Image:
        """Open a file without reading its pixels. Raises `ValueError` for one that is too large."""
        archive, name = self._open_archive(), self.inner + self.name(index)
        if (size := archive.getinfo(name).file_size) > LARGEST_FILE:
            raise ValueError(f"it has {size:,} bytes, and images of up to {LARGEST_FILE:,} are read")
        return open_picture(io.BytesIO(archive.read(name)))

    def choose(self, indices: Iterable[int]) -> "ZippedImages":
        """Return some of the files."""
        return ZippedImages(self.archive, self.inner, [self.name(int(index)) for index in indices])

    def _open_archive(self) -> zipfile.ZipFile:
        # A process that was forked shares the place in an open file with its parent, so each opens its own.
        if (process := os.getpid()) not in self._opened:
            self._opened[process] = zipfile.ZipFile(self.archive)
        return self._opened[process]


def is_archive(path: Path) -> bool:
    """Return whether a path is a ZIP file, told by its content."""
    try:
        return path.is_file() and zipfile.is_zipfile(path)
    except OSError:
        return False


def list_names(path: Path) -> list[str]:
    """Return the paths of all files in a ZIP file. Raises `BadInput` for a damaged one."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [info.filename for info in archive.infolist() if not info.is_dir()]
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise BadInput(f"cannot read the ZIP file '{path}': {error}") from error
