"""From a name, a folder or an iterable to `Data`."""

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
"""Folders of at most this many images are decoded before training, where the pixels fit in `MAX_BYTES_IN_MEMORY`."""


MAX_BYTES_IN_MEMORY = 2**31


DEFAULT_SIZE = 64
"""Side in pixels of images that have no size in common: folders, celeba and lsun."""


def open_data(
    source: str | Path | Iterable[Mapping[str, Any]],
    *,
    size: int | None = None,
    channels: int | None = None,
    root: str | Path | None = None,
    classes: Sequence[str] | int | None = None,
    seed: int = 0,
) -> Data:
    """Data by name (see `NAMES`), from an image folder, or from any iterable of dict batches.

    Images become squares of `size` pixels with 1 or 3 `channels`; by default a data set keeps its own, and folders,
    celeba and lsun get 64 pixels and colour unless every image is grey. `root` is where downloaded sets are (see
    `find_data_root`). `classes`, names or a number, is for batches, which cannot say; elsewhere it must agree.
    `seed` is for iterables that draw from torch's global random generator, such as a shuffling DataLoader.
    A name goes before a folder of the same name, which is reached as "./mnist".
    Raises `BadInput` for an unknown name, a folder without images and options that do not fit, `Unavailable` where
    a data set is neither there nor can be downloaded.
    """
    if size is not None and (not isinstance(size, int) or size < 1):
        raise BadInput(f"size is the side of the images in pixels, at least 1, got {size!r}")
    if channels not in (None, 1, 3):
        raise BadInput(f"channels is 1 (grey) or 3 (colour), got {channels!r}")
    if isinstance(source, str | os.PathLike):
        return check_classes(open_by_name(os.fspath(source), size, channels, find_data_root(root)), classes)
    if size or channels:
        raise BadInput("size and channels go with a named data set or a folder; batches are taken as they are")
    return check_classes(source, classes) if isinstance(source, Data) else Batches(source, classes, seed)


def open_by_name(name: str, size: int | None, channels: int | None, root: Path) -> Data:
    """The data set of that name, or the folder."""
    if name in ("mnist-10k", *TORCHVISION_CLASSES):
        images, labels, classes = load_small(name, root)
        if len(images) * (channels or images.shape[1]) * (size or images.shape[2]) ** 2 > MAX_BYTES_IN_MEMORY:
            raise BadInput(f"{name} at {size} x {size} pixels does not fit in memory; choose a smaller data.size")
        images, notes = resize_images(images, size or images.shape[2], channels or images.shape[1])
        return InMemory(name, images, labels, classes, notes)
    if name in MIXTURES:
        if size or channels:
            raise BadInput(f"{name} has points and no images: data.size and data.channels do not go with it")
        return Points(name, MIXTURES[name].draw(TRAINING_POINTS, "train"))
    size = size or DEFAULT_SIZE
    if name == "celeba" or name.partition(":")[0] == "lsun":
        return Streamed(
            name, open_celeba(root) if name == "celeba" else open_lsun(name, root), (channels or 3, size, size)
        )
    path, there = Path(name), False
    with suppress(OSError, RuntimeError):  # a name too long for a path, or the home of an unknown user
        path = path.expanduser()
        there = path.exists()
    if not there:
        raise BadInput(f"there is no data set or folder '{name}'; {suggest(name, list_names())}")
    return open_folder(path, size, channels)


def open_folder(path: Path, size: int, channels: int | None) -> Data:
    """The images below a folder: decoded now if they are few, else while training. Raises `BadInput`."""
    names = list_images(path)
    files, (classes, labels, notes) = ImageFiles(path, names), infer_classes(names)
    few = len(files) <= MAX_IMAGES_IN_MEMORY and 3 * size * size * len(files) <= MAX_BYTES_IN_MEMORY
    shape = (channels or infer_channels(files, len(files) if few else MAX_FILES_EXAMINED), size, size)
    name = path.resolve().name
    if not few:
        return Streamed(name, files, shape, labels, classes, notes)
    images, converted = decode_all(files, shape)
    return InMemory(name, images, labels, classes, notes + converted)


def check_classes(data: Data, classes: Sequence[str] | int | None) -> Data:
    """The data itself, or `BadInput` where it has another number of classes than was asked for."""
    if classes is not None and len(to_class_names(classes)) != len(data.classes):
        has = f"{len(data.classes)} classes" if data.classes else "no labels"
        raise BadInput(f"{data.name} has {has}, so classes cannot be {classes}")
    return data
