"""Open training data by name, from a folder of images, or from an iterable of batches."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganzoo._io import expand_user
from ganzoo.data.base import Data, image_shape
from ganzoo.data.batches import Batches, to_class_names
from ganzoo.data.folders import MAX_BYTES_IN_MEMORY, open_folder
from ganzoo.data.memory import InMemory, Points
from ganzoo.data.mixtures import MIXTURES, TRAINING_POINTS
from ganzoo.data.named import (
    DATA_SETS,
    TORCHVISION_CLASSES,
    find_data_root,
    list_names,
    load_small,
    open_celeba,
    open_lsun,
)
from ganzoo.data.options import ImageOptions
from ganzoo.data.resizing import resize_images
from ganzoo.errors import BadInput, suggest
from ganzoo.plugins.catalog import catalog


def open_data(
    source: str | Path | Data | Iterable[Mapping[str, Any]],
    *,
    root: str | Path | None = None,
    classes: Sequence[str] | int | None = None,
    seed: int = 0,
    **images: Any,
) -> Data:
    """Open data by name (see `DATA_SETS`), from a folder of images, or from any iterable of dict batches.

    `images` are the fields of `ImageOptions`. Images get `size` pixels, one number or [height, width], and 1 to 4
    `channels`; by default a data set keeps its own, and folders, celeba and lsun get 64 pixels and colour unless every
    image is grey. `root` is the folder of downloaded sets (see `find_data_root`). `classes`, names or a number, is for
    batches, which have no
    names for their labels; for other data it must agree with theirs. `seed` is for iterables that draw from torch's
    global random generator, such as a shuffling DataLoader. A name takes precedence over a folder of the same name,
    which is written as "./mnist" or as a `Path`, which is always a folder.
    Raises `BadInput` for an unknown name, a folder without images and options that do not fit, `Unavailable` if a data
    set is neither there nor can be downloaded.
    """
    options = ImageOptions(**images)
    if isinstance(source, str | os.PathLike):
        data = open_by_name(to_name(source), options, find_data_root(root))
        data.opened_as = "folder" if data.fingerprint else "data set"
        data.notes += note_same_name(str(source)) if data.opened_as == "data set" else []
        check_classes(data, classes)
        return data
    if options.size or options.channels or options.range:
        raise BadInput("size, channels and range go with a named data set or a folder; batches are taken as they are")
    if not isinstance(source, Data):
        return Batches(source, classes, seed)
    check_classes(source, classes)
    return source


def to_name(source: str | os.PathLike[str]) -> str:
    """Return text as it is, and a path as the absolute one, which is the name of no data set."""
    return source if isinstance(source, str) else str(expand_user(Path(source)).absolute())


def note_same_name(name: str) -> list[str]:
    """Return a note if a folder here has the name of the data set that was opened."""
    there = Path(name).is_dir()
    return [f"'{name}' is the data set of that name; the folder here is written ./{name}"] * there


def open_by_name(name: str, options: ImageOptions, root: Path) -> Data:
    """Open the data set of that name, or the folder."""
    if options.range and name.partition(":")[0] in {known.partition(":")[0] for known in DATA_SETS}:
        raise BadInput(f"range goes with a folder of images; {name} has values of 8 bits or points")
    if name in ("mnist-10k", *TORCHVISION_CLASSES):
        return open_small(name, options, root)
    if name in MIXTURES:
        if options.size or options.channels:
            raise BadInput(f"{name} has points and no images: data.size and data.channels do not go with it")
        return Points(name, MIXTURES[name].draw(TRAINING_POINTS, "train"))
    if name == "celeba" or name.partition(":")[0] == "lsun":
        images = open_celeba(root) if name == "celeba" else open_lsun(name, root)
        return options.stream(name, images, options.rendering(3))
    return open_folder(find_folder(name), options)


def open_small(name: str, options: ImageOptions, root: Path) -> Data:
    """Open a data set that fits in memory. Raises `BadInput` if it does not fit at that size."""
    images, labels, classes = load_small(name, root)
    channels, height, width = image_shape(images)
    (height, width), channels = options.sides or (height, width), options.channels or channels
    if len(images) * channels * height * width > MAX_BYTES_IN_MEMORY:
        raise BadInput(f"{name} at {height} x {width} pixels does not fit in memory; choose a smaller data.size")
    images, notes = resize_images(images, (height, width), channels, options.fit, options.background)
    return InMemory(name, images, labels, classes, notes)


def find_folder(name: str) -> Path:
    """Return the folder of that name. Raises `BadInput` if there is none."""
    with suppress(OSError, RuntimeError):  # a name too long for a path, or the home of an unknown user
        path = Path(name).expanduser()
        if path.exists():
            return path
    also = catalog().also(name, "data")
    raise BadInput(f"there is no data set or folder '{name}'{also}; {suggest(name, list_names())}")


def check_classes(data: Data, classes: Sequence[str] | int | None) -> None:
    """Raise `BadInput` if the data have another number of classes than the caller asks for."""
    if classes is not None and len(to_class_names(classes)) != len(data.classes):
        has = f"{len(data.classes)} classes" if data.classes else "no labels"
        raise BadInput(f"{data.name} has {has}, so classes cannot be {classes}")
