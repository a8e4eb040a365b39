"""Hold a part of the samples out of the training: which these are depends on their names alone."""

import copy
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ganzoo._names import composed
from ganzoo.data.decoded import Decoded
from ganzoo.data.images import ChosenImages, ImageFiles
from ganzoo.dataset import LABEL, Dataset
from ganzoo.errors import BadInput

HASH_BYTES = 8
"""Bytes of a name's hash that decide on which side its sample lies."""


class Part(Dataset):
    """Some samples of a data set, by their indices there."""

    def __init__(self, whole: Dataset, indices: Sequence[int]) -> None:
        self.whole, self.indices = whole, np.asarray(indices, dtype=np.int64)
        self.kinds, self.classes, self.ranges, self.facts = whole.kinds, whole.classes, whole.ranges, whole.facts
        self.notes, self.license = whole.notes, whole.license

    def __len__(self) -> int:
        return len(self.indices)

    def sample(self, index: int, rng: np.random.Generator) -> Mapping[str, np.ndarray[Any, Any]]:
        """Return one sample."""
        return self.whole.sample(int(self.indices[index]), rng)

    def arrays(self) -> Mapping[str, np.ndarray[Any, Any]] | None:
        """Return these samples at once, where the whole has them."""
        arrays = self.whole.arrays()
        return None if arrays is None else {key: np.asarray(each)[self.indices] for key, each in arrays.items()}

    def source(self, index: int) -> str:
        """Return what messages call a sample."""
        return self.whole.source(int(self.indices[index]))


def split(dataset: Dataset, share: float, label: str) -> tuple[Dataset, Dataset]:
    """Return the part of a data set to learn from, and the part that is held out, about this share of it.

    A sample is held out if the hash of its name is below the share: the path of a file relative to its folder, the
    index of any other sample. So files that are added or removed, or another machine, move no other one from one part
    to the other. Raises `BadInput` where either part, or what is left of a class, would be empty.
    """
    held = np.array([place_of(name) < share for name in list_names(dataset)])
    count = int(held.sum())
    if not 0 < count < len(held):
        what = "all" if count else "none"
        raise BadInput(f"data.holdout of {share:g} holds out {what} of the {len(held):,} samples of {label}")
    check_classes_left(dataset, held, label)
    learned, kept = choose(dataset, np.flatnonzero(~held)), choose(dataset, np.flatnonzero(held))
    learned.notes = [*dataset.notes, f"{count:,} of {len(held):,} samples are held out of the training (data.holdout)"]
    return learned, kept


def list_names(dataset: Dataset) -> Iterator[str]:
    """Yield the name of each sample, whatever form of Unicode the file system gives it."""
    if isinstance(dataset, Decoded) and isinstance(dataset.images, ImageFiles):
        yield from (composed(dataset.images.name(index)) for index in range(len(dataset)))
    else:
        yield from map(str, range(len(dataset)))


def place_of(name: str) -> float:
    """Return a number in [0, 1) for a name, evenly spread and always the same."""
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:HASH_BYTES]) / 256.0**HASH_BYTES


def choose(dataset: Dataset, indices: np.ndarray[Any, Any]) -> Dataset:
    """Return a data set of some samples of another one."""
    if not isinstance(dataset, Decoded):
        return Part(dataset, indices.tolist())
    part = copy.copy(dataset)
    images = dataset.images
    part.images = images.choose(indices) if isinstance(images, ImageFiles) else ChosenImages(images, indices)
    part.labels = {key: each[indices] for key, each in dataset.labels.items()}
    return part


def check_classes_left(dataset: Dataset, held: np.ndarray[Any, Any], label: str) -> None:
    """Raise `BadInput` if a class of images by index would have none left to learn from."""
    if not isinstance(dataset, Decoded):
        return
    for key, classes in dataset.classes.items():
        labels = dataset.labels[key].numpy()
        if lost := sorted(set(labels.tolist()) - set(labels[~held].tolist())):
            what = f"every sample of {'class' if key == LABEL else key} '{classes[lost[0]]}'"
            raise BadInput(f"data.holdout would hold out {what} of {label}; choose a smaller share")
