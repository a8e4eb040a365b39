"""Open a folder of images: few are decoded at once, many during the training."""

from pathlib import Path

from ganzoo._io import check_utf8, exists
from ganzoo.data.base import Data, FolderFacts
from ganzoo.data.images import ImageFiles, check_none_broken, decode_all
from ganzoo.data.listing import list_folder
from ganzoo.data.memory import InMemory
from ganzoo.data.options import DEFAULT_SIZE, ImageOptions
from ganzoo.data.survey import Survey, examine
from ganzoo.errors import BadInput
from ganzoo.pictures.decode import Range

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
    files, size = ImageFiles(listing.top, listing.names), options.size or DEFAULT_SIZE
    few = len(files) <= MAX_IMAGES_IN_MEMORY and 3 * size * size * len(files) <= MAX_BYTES_IN_MEMORY
    survey = examine(files, len(files) if few else MAX_FILES_EXAMINED)
    survey.check_deep_colour()
    values, told = choose_range(survey, options)
    rendering = options.rendering(survey.channels, values)
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


def choose_range(survey: Survey, options: ImageOptions) -> tuple[Range | None, list[str]]:
    """Return the values of deep images shown as black and white, None where none is known, and notes on them."""
    if options.range is None:
        return survey.find_range()
    low, high = options.range
    return (float(low), float(high)), survey.describe_range((low, high))
