"""Batches on their way into the engine: repeated, checked, split into parts."""

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo.contract import batch_length
from ganzoo.errors import BadInput, Failed


def cycle(batches: Iterable[dict[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
    """Yield the batches again and again. Raises `BadInput` if there is none, or if they cannot be iterated twice."""
    for time in itertools.count():
        empty = True
        for batch in batches:
            empty = False
            yield batch
        if empty and not time:
            raise BadInput("the data gave no batch at all")
        if empty:
            raise BadInput("the data gave no more batches; a generator function ends, a list or a DataLoader does not")


def next_batch(batches: Iterator[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the next batch, checked. Raises `BadInput` if there is none."""
    return check_batch(call_plugin("the data", lambda: next(batches, None)))


def check_batch(batch: Any) -> dict[str, Tensor]:
    """Return the batch itself. Raises `BadInput` if it is not a dict with tensors, or None, which is the end."""
    if batch is None:
        raise BadInput("the data gave no more batches")
    if not isinstance(batch, dict) or not batch:
        raise BadInput(f"a batch is a dict of tensors such as {{'image': ...}}, got {type(batch).__name__}")
    return batch


def split_batch(batch: dict[str, Tensor], part: int, parts: int) -> dict[str, Tensor]:
    """Return part number `part`, from 0, of `parts` equal parts of a batch. Raises `BadInput` if it does not divide."""
    if parts == 1:
        return batch
    if batch and batch_length(batch) % parts:
        raise BadInput(f"a batch of {batch_length(batch)} cannot be split into {parts} equal parts (accumulate)")
    return {key: value.chunk(parts)[part] for key, value in batch.items()}


@contextmanager
def small_batch_errors(length: int, usual: int, parts: int = 1) -> Iterator[None]:
    """Add to an error inside that the batch is small, which networks do not say; `usual` is the first one's length.

    Most often it is the last batch of an epoch. `parts` is `train.accumulate`.
    """
    try:
        yield
    except (BadInput, Failed) as error:
        advice = "a DataLoader leaves out a smaller last batch with drop_last=True"
        if length <= parts:
            each = f" in each of {parts} parts (train.accumulate)" * (parts > 1)
            few = f"this batch has 1 sample{each}, and batch norm needs 2 or more"
            raise error.append(f"{few}; {advice}") from error
        if length != usual:
            raise error.append(f"this batch has {length} samples, the first one had {usual}; {advice}") from error
        raise
