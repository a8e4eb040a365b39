"""Open training data by name, from a folder of images, or from an iterable of batches."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganzoo.data.base import Data
from ganzoo.data.batches import Batches, to_class_names
from ganzoo.data.images import (
    MAX_FILES_EXAMINED,
    ImageFiles,
    decode_all,
    hash_names,
    infer_channels,
    infer_classes,
    list_images,
)
from ganzoo.data.memory import InMemory, Points, resize_images
from ganzoo.data.mixtures import MIXTURES, TRAINING_POINTS
from ganzoo.data.named import TORCHVISION_CLASSES, find_data_root, list_names, load_small, open_celeba, open_lsun
from ganzoo.data.stream import Streamed
from ganzoo.errors import BadInput, suggest

MAX_IMAGES_IN_MEMORY = 5000
"""Folders of at most this many images are decoded before the training, if they fit in `MAX_BYTES_IN_MEMORY`."""
MAX_BYTES_IN_MEMORY = 2**31
DEFAULT_SIZE = 64
"""Side in pixels of images that have no common size: folders, celeba and lsun."""


def open_data(
    source: str | Path | Data | Iterable[Mapping[str, Any]],
    *,
    size: int | None = None,
    channels: int | None = None,
    root: str | Path | None = None,
    classes: Sequence[str] | int | None = None,
    seed: int = 0,
) -> Data:
    """Open data by name (see `DATA_SETS`), from a folder of images, or from any iterable of dict batches.

    Images become squares of `size` pixels with 1 or 3 `channels`; by default a data set keeps its own, and folders,
    celeba and lsun get 64 pixels and colour unless every image is grey. `root` is the folder of downloaded sets (see
    `find_data_root`). `classes`, names or a number, is for batches, which have no names for their labels; for other
    data it must agree with theirs. `seed` is for iterables that draw from torch's global random generator, such as a
    shuffling DataLoader. A name takes precedence over a folder of the same name, which is written as "./mnist".
    Raises `BadInput` for an unknown name, a folder without images and options that do not fit, `Unavailable` if a data
    set is neither there nor can be downloaded.
    """
    if size is not None and (not isinstance(size, int) or size < 1):
        raise BadInput(f"size is the side of the images in pixels, at least 1, got {size!r}")
    if channels not in (None, 1, 3):
        raise BadInput(f"channels is 1 (grey) or 3 (colour), got {channels!r}")
    if isinstance(source, str | os.PathLike):
        data = open_by_name(os.fspath(source), size, channels, find_data_root(root))
        check_classes(data, classes)
        return data
    if size or channels:
        raise BadInput("size and channels go with a named data set or a folder; batches are taken as they are")
    if not isinstance(source, Data):
        return Batches(source, classes, seed)
    check_classes(source, classes)
    return source


def open_by_name(name: str, size: int | None, channels: int | None, root: Path) -> Data:
    """Open the data set of that name, or the folder."""
    if name in ("mnist-10k", *TORCHVISION_CLASSES):
        return open_small(name, size, channels, root)
    if name in MIXTURES:
        if size or channels:
            raise BadInput(f"{name} has points and no images: data.size and data.channels do not go with it")
        return Points(name, MIXTURES[name].draw(TRAINING_POINTS, "train"))
    size = size or DEFAULT_SIZE
    if name == "celeba" or name.partition(":")[0] == "lsun":
        images = open_celeba(root) if name == "celeba" else open_lsun(name, root)
        return Streamed(name, images, (channels or 3, size, size))
    return open_folder(find_folder(name), size, channels)


def open_small(name: str, size: int | None, channels: int | None, root: Path) -> Data:
    """Open a data set that fits in memory. Raises `BadInput` if it does not fit at that size."""
    images, labels, classes = load_small(name, root)
    size, channels = size or images.shape[2], channels or images.shape[1]
    if len(images) * channels * size**2 > MAX_BYTES_IN_MEMORY:
        raise BadInput(f"{name} at {size} x {size} pixels does not fit in memory; choose a smaller data.size")
    images, notes = resize_images(images, size, channels)
    return InMemory(name, images, labels, classes, notes)


def find_folder(name: str) -> Path:
    """Return the folder of that name. Raises `BadInput` if there is none."""
    with suppress(OSError, RuntimeError):  # a name too long for a path, or the home of an unknown user
        path = Path(name).expanduser()
        if path.exists():
            return path
    raise BadInput(f"there is no data set or folder '{name}'; {suggest(name, list_names())}")


def open_folder(path: Path, size: int, channels: int | None) -> Data:
    """Open the images below a folder: few are decoded now, many during the training. Raises `BadInput`."""
    names = list_images(path)
    files, (classes, labels, notes) = ImageFiles(path, names), infer_classes(names)
    few = len(files) <= MAX_IMAGES_IN_MEMORY and 3 * size * size * len(files) <= MAX_BYTES_IN_MEMORY
    shape = (channels or infer_channels(files, len(files) if few else MAX_FILES_EXAMINED), size, size)
    name = path.resolve().name
    data: Data
    if few:
        images, converted = decode_all(files, shape)
        data = InMemory(name, images, labels, classes, notes + converted)
    else:
        data = Streamed(name, files, shape, labels, classes, notes)
    data.fingerprint = hash_names(names)
    return data


def check_classes(data: Data, classes: Sequence[str] | int | None) -> None:
    """Raise `BadInput` if the data have another number of classes than the caller asks for."""
    if classes is not None and len(to_class_names(classes)) != len(data.classes):
        has = f"{len(data.classes)} classes" if data.classes else "no labels"
        raise BadInput(f"{data.name} has {has}, so classes cannot be {classes}")
