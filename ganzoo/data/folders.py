"""Open a folder of images: few are decoded at once, many during the training."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo._io import check_utf8, exists
from ganzoo.data.archive import ZippedImages
from ganzoo.data.decoded import Decoded
from ganzoo.data.images import Broken, ImageFiles, check_none_broken
from ganzoo.data.listing import Listing, list_folder
from ganzoo.data.options import ImageOptions
from ganzoo.data.survey import Survey, examine
from ganzoo.errors import BadInput
from ganzoo.pictures.decode import Background, Fit, Range, Rendering

MAX_IMAGES_IN_MEMORY = 5000
"""Folders of at most this many images are decoded before the training, if they fit in `MAX_BYTES_IN_MEMORY`."""
MAX_BYTES_IN_MEMORY = 2**31
MAX_FILES_EXAMINED = 1000
"""Files of a large folder that are looked at before the training."""


class Folder(Decoded):
    """The images below a folder, or in a ZIP file. Raises `BadInput`.

    Their classes are its sub-folders, or columns of a file: `labels`, a CSV or StyleGAN's dataset.json, relative to the
    folder. `label` is the column that is the label; a list of columns become keys of their own.
    """

    def __init__(
        self,
        path: Path,
        size: int | tuple[int, int] | None = None,
        channels: int | None = None,
        range: tuple[float, float] | None = None,
        background: Background = "white",
        fit: Fit = "crop",
        broken: Broken = "skip",
        labels: str | None = None,
        label: str | list[str] | None = None,
    ) -> None:
        options = ImageOptions(size, channels, range, background, fit, broken)
        check_folder(path)
        listing = list_folder(path, labels, label)
        files = open_files(path, listing)
        few = len(files) <= MAX_IMAGES_IN_MEMORY and fits_in_memory(len(files), options.rendering(3))
        survey = examine(files, len(files) if few else MAX_FILES_EXAMINED)
        survey.check_deep_colour()
        values, told = choose_range(survey, options)
        rendering = options.rendering(survey.channels, values)
        self.few = few and fits_in_memory(len(files), rendering)
        if broken == "refuse" and not self.few:
            check_none_broken(files, survey.broken)
        self.decode_from(files, rendering, listing.labels, listing.classes)
        self.broken, self.range = broken, values
        self.notes = [*listing.notes, *told, *survey.describe(rendering)]
        self.fingerprint, self.unlabelled = listing.fingerprint, listing.unlabelled

    def arrays(self) -> dict[str, np.ndarray[Any, Any]] | None:
        """Decode all images now if they are few."""
        return self.decode_all() if self.few else None


def open_files(path: Path, listing: Listing) -> ImageFiles:
    """Return the files of a folder or of a ZIP file."""
    if path.is_dir():
        return ImageFiles(listing.top, listing.names)
    return ZippedImages(path, listing.inner, listing.names)


def check_folder(path: Path) -> None:
    """Raise `BadInput` for the folder of a run, and for a name that is not text."""
    check_utf8("the folder", path.resolve())
    if path.is_dir() and exists(path / "recipe.toml"):
        raise BadInput(
            f"'{path}' is a run, whose pictures are of its training; 'ganzoo sample {path} --out FOLDER' draws"
        )


def fits_in_memory(count: int, rendering: Rendering) -> bool:
    """Return whether so many images take no more than `MAX_BYTES_IN_MEMORY`."""
    return count * math.prod(rendering.shape) * rendering.dtype.itemsize <= MAX_BYTES_IN_MEMORY


def choose_range(survey: Survey, options: ImageOptions) -> tuple[Range | None, list[str]]:
    """Return the values of deep images shown as black and white, None where there are no such images, and notes."""
    if options.range is None:
        return survey.find_range()
    low, high = map(float, options.range)
    return None if survey.shallow else (low, high), survey.describe_range((low, high))
