"""Open training data by name, from a folder of images, or from an iterable of batches."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from ganzoo._io import expand_user
from ganzoo.data.base import Data
from ganzoo.data.batches import Batches, to_class_names
from ganzoo.data.images import Broken
from ganzoo.data.loading import load_dataset
from ganzoo.dataset import Dataset
from ganzoo.errors import BadInput
from ganzoo.plugins.datasets import FOLDER
from ganzoo.recipe.datasets import resolve_data

MAX_WORKERS = 256
DEFAULTS = (("background", "white"), ("fit", "crop"))
Source = str | Path | Data | Dataset | Iterable[Mapping[str, Any]]


def open_data(
    source: Source,
    /,
    *,
    root: str | Path | None = None,
    classes: Sequence[str] | int | None = None,
    global_seed: int = 0,
    broken: Broken = "skip",
    workers: int | None = None,
    holdout: float | None = None,
    **options: Any,
) -> Data:
    """Open data by name (see `list_names`), from a folder of images, a `Dataset`, or any iterable of dict batches.

    `options` are those of the data set: images get `size` pixels, one number or [height, width], and 1 to 4 `channels`;
    by default a set keeps its own, and folders, celeba and lsun get 64 pixels and colour unless all are grey. `root` is
    the folder of downloaded sets (see `find_data_root`). `classes`, names or a number, is for batches, which have no
    names for their labels; for other data it must agree with theirs. `global_seed` is for iterables that draw from
    torch's global random generator, such as a shuffling DataLoader. `broken` is "skip" or "refuse", `workers` the
    number of processes that read, `holdout` the share of the samples that goes to `Data.held_out` instead. A name takes
    precedence over a folder of the same name, which is written as "./mnist" or as a `Path`, which is always a folder.
    Raises `BadInput` for an unknown name, a folder without images and options that do not fit, `Unavailable` if a data
    set is neither there nor can be downloaded.
    """
    check_reading(broken, workers)
    given = {key: value for key, value in options.items() if value is not None}
    if isinstance(source, str | os.PathLike):
        located = {"root": str(root)} if root is not None else {}
        data = open_by_name(to_name(source), {**given, **located}, broken, workers, holdout)
        check_classes(data, classes)
        return data
    if given := {key: value for key, value in given.items() if (key, value) not in DEFAULTS}:
        raise BadInput(
            f"{', '.join(given)} goes with a data set by name or a folder; what Python gives is taken as it is"
        )
    if isinstance(source, Dataset):
        source = load_dataset(source, type(source).__name__, type(source).__name__, broken, workers, holdout)
        holdout = None
    if holdout is not None:
        raise BadInput("holdout goes with a data set or a folder; keep a part of your batches out of them yourself")
    if not isinstance(source, Data):
        return Batches(source, classes, global_seed)
    check_classes(source, classes)
    return source


def check_reading(broken: object, workers: object) -> None:
    """Raise `BadInput` for values that say nothing about how samples are read."""
    if workers is not None and not (isinstance(workers, int) and 0 <= workers <= MAX_WORKERS):
        raise BadInput(f"workers is the number of processes that read, 0 to {MAX_WORKERS}, got {workers!r}")
    if broken not in get_args(Broken):
        raise BadInput(f"broken is {' or '.join(get_args(Broken))}, got {broken!r}")


def open_by_name(
    name: str, options: Mapping[str, Any], broken: Broken, workers: int | None, holdout: float | None
) -> Data:
    """Open the data set of that name, or the folder."""
    found = resolve_data(name, options, broken)
    dataset, is_folder = found.make(), found.registration is FOLDER
    title = Path(found.options["path"]).resolve().name if is_folder else found.title
    data = load_dataset(dataset, title, "" if found.is_own else found.label, broken, workers, holdout)
    data.opened_as = "folder" if is_folder else "data set"
    data.notes += [] if is_folder else note_same_name(name)
    return data


def to_name(source: str | os.PathLike[str]) -> str:
    """Return text as it is, and a path as the absolute one, which is the name of no data set."""
    return source if isinstance(source, str) else str(expand_user(Path(source)).absolute())


def note_same_name(name: str) -> list[str]:
    """Return a note if a folder here has the name of the data set that was opened."""
    there = Path(name).is_dir()
    return [f"'{name}' is the data set of that name; the folder here is written ./{name}"] * there


def check_classes(data: Data, classes: Sequence[str] | int | None) -> None:
    """Raise `BadInput` if the data have another number of classes than the caller asks for."""
    if classes is not None and len(to_class_names(classes)) != len(data.classes):
        has = f"{len(data.classes)} classes" if data.classes else "no labels"
        raise BadInput(f"{data.name} has {has}, so classes cannot be {classes}")
