"""Open a folder of images: few are decoded at once, many during the training."""

from collections.abc import Sequence
from pathlib import Path

from ganzoo.data.base import Data
from ganzoo.data.decode import Range, Rendering
from ganzoo.data.images import ImageFiles, decode_all, describe_broken
from ganzoo.data.listing import Listing, list_folder
from ganzoo.data.memory import InMemory
from ganzoo.data.options import DEFAULT_SIZE, ImageOptions
from ganzoo.data.survey import Survey, examine

MAX_IMAGES_IN_MEMORY = 5000
"""Folders of at most this many images are decoded before the training, if they fit in `MAX_BYTES_IN_MEMORY`."""
MAX_BYTES_IN_MEMORY = 2**31
MAX_FILES_EXAMINED = 1000
"""Files of a large folder that are looked at before the training."""


def open_folder(path: Path, options: ImageOptions) -> Data:
    """Open the images below a folder: few are decoded now, many during the training. Raises `BadInput`."""
    listing = list_folder(path)
    files, size = ImageFiles(listing.top, listing.names), options.size or DEFAULT_SIZE
    few = len(files) <= MAX_IMAGES_IN_MEMORY and 3 * size * size * len(files) <= MAX_BYTES_IN_MEMORY
    survey = examine(files, len(files) if few else MAX_FILES_EXAMINED)
    values, told = choose_range(survey, options)
    rendering = options.rendering(survey.channels, values)
    notes = [*listing.notes, *told, *survey.describe(rendering)]
    name = path.resolve().name
    data: Data
    if few:
        data = hold(name, files, rendering, listing, notes, options)
    else:
        if options.broken == "refuse":
            describe_broken(files, survey.broken, options.broken)
        data = options.stream(name, files, rendering, listing.labels, listing.classes, notes)
    data.range, data.fingerprint, data.unlabelled = values, listing.fingerprint, listing.unlabelled
    return data


def choose_range(survey: Survey, options: ImageOptions) -> tuple[Range | None, list[str]]:
    """Return the values of deep images that become black and white, None without such images, and notes on them."""
    survey.check_deep_colour()
    if options.range is None:
        return survey.find_range()
    low, high = options.range
    return (float(low), float(high)), []


def hold(
    name: str,
    files: ImageFiles,
    rendering: Rendering,
    listing: Listing,
    notes: Sequence[str],
    options: ImageOptions,
) -> InMemory:
    """Decode all images; where one cannot be read, its label is that of the image in its place."""
    images, sources, unread = decode_all(files, rendering, options.broken)
    labels = None if listing.labels is None else listing.labels[sources]
    return InMemory(name, images, labels, listing.classes, [*notes, *unread])
