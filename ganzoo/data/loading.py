"""The one loader of data sets, ganzoo's own and those of plugins: in memory, or read during the training."""

import reprlib
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo.data.base import About, Data
from ganzoo.data.convert import as_tensors, check_values, find_kinds, find_specs
from ganzoo.data.decoded import Decoded
from ganzoo.data.holdout import split
from ganzoo.data.images import Broken
from ganzoo.data.memory import InMemory
from ganzoo.data.reading import Reader, name_sample
from ganzoo.data.stream import Streamed
from ganzoo.dataset import Dataset, Spec
from ganzoo.errors import BadInput


def load_dataset(
    dataset: Dataset,
    name: str,
    origin: str = "",
    broken: Broken = "skip",
    workers: int | None = None,
    holdout: float | None = None,
) -> Data:
    """Return the training data of a data set. `origin` is who brings it, for messages; empty for ganzoo itself.

    With `holdout`, that share of the samples is left out, and `Data.held_out` has them. Raises `BadInput` for a data
    set without samples, or whose samples are not what it says of them, and `Failed` where its code fails.
    """
    label = origin or name
    call_plugin(label, check_tables, dataset)
    if not call_plugin(label, len, dataset):
        raise BadInput(f"{label}: the data set has no samples")
    if holdout is None:
        return load_part(dataset, name, origin, broken, workers)
    learned, held = call_plugin(label, split, dataset, holdout, label)
    data = load_part(learned, name, origin, broken, workers)
    data.hold_out(holdout, partial(load_part, held, name, origin, broken, workers))
    return data


def load_part(dataset: Dataset, name: str, origin: str, broken: Broken, workers: int | None) -> Data:
    """Return the data of a data set, or of a part of it."""
    label = origin or name
    arrays = call_plugin(label, dataset.arrays)
    if arrays is not None:
        return call_plugin(label, hold, dataset, name, arrays, len(dataset))
    specs = find_known(dataset) or find_readable(dataset, label, broken)
    return Streamed(
        name, dataset, specs, origin=origin, broken=broken, workers=workers, **call_plugin(label, find_about, dataset)
    )


def check_tables(dataset: Dataset) -> None:
    """Raise `ValueError` where what a data set says of itself and its keys has another form."""
    for name in ("kinds", "classes", "ranges", "facts"):
        if not isinstance(found := getattr(dataset, name), Mapping):
            raise ValueError(f"`{name}` must be a dict by key, got {reprlib.repr(found)}")
    for key, kind in dataset.kinds.items():
        if not isinstance(kind, str):
            raise ValueError(f"the kind of '{key}' must be a name, got {reprlib.repr(kind)}")
    for key, classes in dataset.classes.items():
        if not isinstance(classes, Collection):
            raise ValueError(f"the classes of '{key}' must be their names, got {reprlib.repr(classes)}")
    if isinstance(dataset.notes, str) or not isinstance(dataset.notes, Iterable):
        raise ValueError(f"`notes` must be a list of messages, got {reprlib.repr(dataset.notes)}")
    if not isinstance(dataset.license or "", str):
        raise ValueError(f"`license` must be an SPDX identifier, got {reprlib.repr(dataset.license)}")


def hold(dataset: Dataset, name: str, arrays: Any, count: int) -> Data:
    """Return data that are held in memory. Raises `ValueError` if they are not what their data set says of them."""
    tensors = as_tensors(arrays, dataset.kinds)
    if wrong := [key for key, tensor in tensors.items() if not tensor.dim() or len(tensor) != count]:
        raise ValueError(f"'{wrong[0]}' of `arrays` must have {count} samples, as len() says, along its first axis")
    specs = find_specs(dataset, {key: tensor[0] for key, tensor in tensors.items()})
    check_values(specs, tensors, find_kinds(specs, dataset.facts))
    return InMemory(name, {key: tensors[key] for key in specs}, specs, **find_about(dataset))


def find_known(dataset: Dataset) -> dict[str, Spec]:
    """Return the specs of images that need not be read for that; empty for other data."""
    return find_specs(dataset, as_tensors(dataset.example(), dataset.kinds)) if isinstance(dataset, Decoded) else {}


def find_readable(dataset: Dataset, label: str, broken: Broken) -> dict[str, Spec]:
    """Return the specs of the first sample that can be read. Raises `BadInput` if there is none."""
    reader = Reader(dataset)
    found = reader[0, 0]
    if found.skipped and (broken == "refuse" or found.values is None):
        index, reason = next(iter(found.skipped.items()))
        several = f"none of the first {len(found.skipped)} samples can be read: " * (found.values is None)
        what = name_sample(dataset, index, label)
        hint = "; data.broken='skip' leaves it out" if found.values is not None else ""
        raise BadInput(f"{several or 'cannot read '}{what} ({reason}){hint}")
    values: Mapping[str, Tensor] = found.values or {}

    def examine() -> dict[str, Spec]:
        specs = find_specs(dataset, values)
        check_values(specs, {key: value[None] for key, value in values.items()}, find_kinds(specs, dataset.facts))
        return specs

    return call_plugin(f"{label}: {name_sample(dataset, found.sample_index, '')}", examine)


def find_about(dataset: Dataset) -> About:
    """Return what a data set says of itself; of a folder of images also how it is recognised later."""
    about = About(facts=dataset.facts, notes=list(dataset.notes), license=dataset.license or "", count=len(dataset))
    if isinstance(dataset, Decoded):
        about |= About(fingerprint=dataset.fingerprint, unlabelled=dataset.unlabelled, range=dataset.range)
    return about
