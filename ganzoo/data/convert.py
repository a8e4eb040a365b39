"""From what a data set gives to what networks see: types, specs, checks, and the range of each kind."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganzoo.data.base import quote_some
from ganzoo.data.options import is_range
from ganzoo.dataset import LABEL, Dataset, Spec
from ganzoo.kind import Kind
from ganzoo.kinds.image import WHITE
from ganzoo.kinds.lookup import find_kind

Arrays = Mapping[str, Any]
"""One sample, or many of them: an array for each key."""
RESERVED = ("n", "seed")
"""Names of parameters of `Model.sample`, which no key may have."""
SHAPES = {"image": "channels, height, width", "point": "dimensions"}
"""The shape of a sample of kinds that ganzoo's own networks know."""


def find_kinds(specs: Mapping[str, Spec], facts: Mapping[str, Any]) -> dict[str, Kind]:
    """Return the kind of each key that holds no class. Raises `BadInput` where no plugin brings it."""
    return {key: find_kind(spec, facts) for key, spec in specs.items() if not spec.classes}


def to_network(kinds: Mapping[str, Kind], values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a batch as networks see it; whole numbers that are no pixels, such as labels, stay what they are."""
    seen = {key: kinds[key].to_network(each) for key, each in values.items() if is_scaled(key, each, kinds)}
    return {**values, **seen}


def is_scaled(key: str, values: Tensor, kinds: Mapping[str, Kind]) -> bool:
    """Return whether values have a public form that networks see otherwise."""
    return key in kinds and (values.is_floating_point() or values.dtype == torch.uint8)


def find_specs(dataset: Dataset, sample: Mapping[str, Tensor]) -> dict[str, Spec]:
    """Return the specs of a data set, whose keys and shapes are those of one sample.

    Raises `ValueError` for keys that the sample should have and has not, and for a name that no key can have.
    """
    for word, named in (("kinds", dataset.kinds), ("classes", dataset.classes), ("ranges", dataset.ranges)):
        if missing := [key for key in named if key not in sample]:
            raise ValueError(f"`{word}` names {quote_some(missing)}, and a sample has {quote_some(list(sample))}")
    if reserved := [key for key in sample if key in RESERVED or not key.isidentifier()]:
        raise ValueError(f"no key of a sample can be called {quote_some(reserved)}")
    keys = [*dataset.kinds, *(key for key in sample if key not in dataset.kinds)]
    return {key: make_spec(dataset, key, tuple(sample[key].shape)) for key in keys}


def make_spec(dataset: Dataset, key: str, shape: tuple[int, ...]) -> Spec:
    """Return the spec of one key. Raises `BadInput` where its kind is unknown."""
    if key in dataset.classes:
        classes = tuple(map(str, dataset.classes[key]))
        if len(set(classes)) < len(classes):
            raise ValueError(f"the classes of '{key}' have one name twice")
        if not classes:
            raise ValueError(f"the classes of '{key}' have no names; leave out the key where there are none")
        return Spec(LABEL, (), None, classes)
    spec = Spec(dataset.kinds.get(key, "other"), shape)
    if (expected := SHAPES.get(spec.kind)) and len(shape) != expected.count(",") + 1:
        raise ValueError(f"'{key}' must have the shape ({expected}), got {shape}")
    return Spec(spec.kind, shape, find_range(dataset, key) or find_kind(spec, dataset.facts).range)


def find_range(dataset: Dataset, key: str) -> tuple[float, float] | None:
    """Return the least and the greatest value that a data set states of a key. Raises `ValueError` for other things."""
    if (stated := dataset.ranges.get(key)) is None:
        return None
    if not is_range(stated):
        raise ValueError(f"`ranges` must have two finite numbers for '{key}', the lower one first, got {stated!r}")
    low, high = map(float, stated)
    return low, high


def as_tensors(sample: Any, kinds: Mapping[str, str]) -> dict[str, Tensor]:
    """Return what `Dataset.sample` or `Dataset.arrays` gives as tensors. Raises `ValueError` for anything else."""
    if not isinstance(sample, Mapping) or not sample:
        raise ValueError(f"a sample is a dict of arrays such as {{'image': ...}}, got {type(sample).__name__}")
    return {key: as_tensor(key, value, kinds.get(key, "other")) for key, value in sample.items()}


def as_tensor(key: str, value: Any, kind: str) -> Tensor:
    """Return an array as a tensor: uint8 images as they are, other numbers float32 or int64.

    Raises `ValueError` for what holds no numbers, and for numbers that are not finite.
    """
    array: NDArray[Any] = np.asarray(value)
    if array.dtype.kind not in "buif" or not array.size:
        raise ValueError(f"'{key}' must be an array of numbers, got {describe_array(value, array)}")
    if array.dtype.kind in "bf" and not np.isfinite(array).all():
        raise ValueError(f"'{key}' has numbers that are not finite")
    if kind == "image" and array.dtype.kind in "ui":
        return as_pixels(key, array)
    return own(array, np.float32 if array.dtype.kind in "bf" else np.int64)


def own(array: NDArray[Any], dtype: type[np.generic]) -> Tensor:
    """Return an array as a tensor, without a copy where there is no need of one."""
    fit = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)  # a single number would become a row
    return torch.from_numpy(fit if fit.flags.writeable else fit.copy())


def as_pixels(key: str, array: NDArray[Any]) -> Tensor:
    """Return images of whole numbers: those of 8 bits as they are, those of 16 bits as float32 in [0, 1]."""
    if array.dtype == np.uint8:
        return own(array, np.uint8)
    if array.dtype == np.uint16:
        return torch.from_numpy(array.astype(np.float32) / WHITE[torch.uint16])
    raise ValueError(f"'{key}' must be uint8, uint16 or floating point in [0, 1], got {array.dtype}")


def describe_array(value: Any, array: NDArray[Any]) -> str:
    """Return what was given in place of an array of numbers."""
    if not isinstance(value, np.ndarray):
        return type(value).__name__
    return "an empty array" if not array.size else str(array.dtype)


def check_values(specs: Mapping[str, Spec], values: Mapping[str, Tensor], kinds: Mapping[str, Kind]) -> None:
    """Raise `ValueError` if samples (n, ...) are not what their specs say."""
    for word, keys in (
        ("lack", specs.keys() - values.keys()),
        ("have, unlike the first,", values.keys() - specs.keys()),
    ):
        if keys:
            raise ValueError(f"samples {word} {quote_some(sorted(keys))}")
    for key, spec in specs.items():
        if (shape := tuple(values[key].shape[1:])) != spec.shape:
            expected = "is one whole number" if spec.classes else f"has the shape {spec.shape} in the first sample"
            raise ValueError(f"'{key}' {expected}, got the shape {shape}")
        if spec.classes:
            check_classes(key, spec, values[key])
        else:
            check_kind(key, kinds[key], values[key])


def check_kind(key: str, kind: Kind, values: Tensor) -> None:
    """Raise `ValueError` if the values (n, ...) of one key are not what their kind allows."""
    try:
        kind.check(values)
    except ValueError as error:
        raise ValueError(f"'{key}' {error}") from error


def check_classes(key: str, spec: Spec, values: Tensor) -> None:
    """Raise `ValueError` if the values (n,) of one key are not the numbers of its classes."""
    if values.is_floating_point():
        raise ValueError(f"'{key}' must be the number of a class, a whole number, got {values.dtype}")
    low, high = (int(value) for value in values.aminmax())
    if low < 0 or high >= len(spec.classes):
        count = len(spec.classes)
        got = f"{low}" if low == high else f"{low} to {high}"
        raise ValueError(f"'{key}' has {count} classes, numbered from 0 to {count - 1}, got {got}")
