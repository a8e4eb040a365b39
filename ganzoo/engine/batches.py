"""Batches on their way to the engine: gone through again and again, looked at, cut into parts."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from torch import Tensor

from ganzoo.contract import batch_length
from ganzoo.errors import BadInput


def cycle(batches: Iterable[dict[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
    """The batches, again from the start when they end. Raises `BadInput` where they cannot be gone through again."""
    for time in itertools.count():
        empty = True
        for batch in batches:
            empty = False
            yield batch
        if empty and not time:
            raise BadInput("the data gave no batch at all")
        if empty:
            raise BadInput("the data gave no more batches; a generator function ends, a list or a DataLoader does not")


def split_batch(batch: dict[str, Tensor], part: int, parts: int) -> dict[str, Tensor]:
    """The part-th of `parts` equal pieces of a batch. Raises `BadInput` where it cannot be cut so."""
    if parts == 1:
        return batch
    if batch and batch_length(batch) % parts:
        raise BadInput(f"a batch of {batch_length(batch)} cannot be split into {parts} equal parts (accumulate)")
    return {key: value.chunk(parts)[part] for key, value in batch.items()}


def check_batch(batch: Any) -> dict[str, Tensor]:
    """The batch itself, or `BadInput` where it is no dict of tensors, or None: where there is no more."""
    if batch is None:
        raise BadInput("the data gave no more batches")
    if not isinstance(batch, dict) or not batch:
        raise BadInput(f"a batch is a dict of tensors such as {{'image': ...}}, got {type(batch).__name__}")
    return batch
