"""Open a folder of images: few are decoded at once, many during the training."""

import math
from pathlib import Path

from ganzoo._io import check_utf8, exists
from ganzoo.data.base import Data, FolderFacts
from ganzoo.data.images import ImageFiles, check_none_broken, decode_all
from ganzoo.data.listing import list_folder
from ganzoo.data.memory import InMemory
from ganzoo.data.options import ImageOptions
from ganzoo.data.survey import Survey, examine
from ganzoo.errors import BadInput
from ganzoo.pictures.decode import Range, Rendering

MAX_IMAGES_IN_MEMORY = 5000
"""Folders of at most this many images are decoded before the training, if they fit in `MAX_BYTES_IN_MEMORY`."""
MAX_BYTES_IN_MEMORY = 2**31
MAX_FILES_EXAMINED = 1000
"""Files of a large folder that are looked at before the training."""


def open_folder(path: Path, options: ImageOptions) -> Data:
    """Open the images below a folder: few are decoded now, many during the training. Raises `BadInput`."""
    check_utf8("the folder", path.resolve())
    if path.is_dir() and exists(path / "recipe.toml"):
        raise BadInput(
            f"'{path}' is a run, whose pictures are of its training; 'ganzoo sample {path} --out FOLDER' draws"
        )
    listing = list_folder(path)
    files = ImageFiles(listing.top, listing.names)
    few = len(files) <= MAX_IMAGES_IN_MEMORY and fits_in_memory(len(files), options.rendering(3))
    survey = examine(files, len(files) if few else MAX_FILES_EXAMINED)
    survey.check_deep_colour()
    values, told = choose_range(survey, options)
    rendering = options.rendering(survey.channels, values)
    few = few and fits_in_memory(len(files), rendering)
    notes = [*listing.notes, *told, *survey.describe(rendering)]
    name = path.resolve().name
    facts = FolderFacts(fingerprint=listing.fingerprint, unlabelled=listing.unlabelled, range=values)
    if few:
        images, sources, unread = decode_all(files, rendering, options.broken)
        labels = None if listing.labels is None else listing.labels[sources]  # of the image in a broken one's place
        return InMemory(name, images, labels, listing.classes, [*notes, *unread], **facts)
    if options.broken == "refuse":
        check_none_broken(files, survey.broken)
    return options.stream(name, files, rendering, listing.labels, listing.classes, notes, **facts)


def fits_in_memory(count: int, rendering: Rendering) -> bool:
    """Return whether so many images take no more than `MAX_BYTES_IN_MEMORY`."""
    return count * math.prod(rendering.shape) * rendering.dtype.itemsize <= MAX_BYTES_IN_MEMORY


def choose_range(survey: Survey, options: ImageOptions) -> tuple[Range | None, list[str]]:
    """Return the values of deep images shown as black and white, None where there are no such images, and notes."""
    if options.range is None:
        return survey.find_range()
    low, high = map(float, options.range)
    return None if survey.shallow else (low, high), survey.describe_range((low, high))
