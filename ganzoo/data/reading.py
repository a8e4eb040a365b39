"""Read samples of a data set one by one, in worker processes or in the training itself."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import get_worker_info

from ganzoo._faults import is_out_of_memory
from ganzoo._seeds import preserve_global_generators, preserve_other_generators, seed_of
from ganzoo.data.convert import as_tensors, check_values
from ganzoo.dataset import Dataset, Spec
from ganzoo.errors import BadInput
from ganzoo.kind import Kind

MAX_UNREADABLE_IN_A_ROW = 1000
"""Samples in a row that cannot be read, after which a stream gives up."""
EXPECTED = (ValueError, OSError, BadInput)
"""What is raised for a sample that cannot be read; the name of any other error helps whoever wrote the data set."""


class ReadSample(NamedTuple):
    """One sample, None if too many in a row cannot be read, its index; `skipped` are those before it, and why."""

    values: dict[str, Tensor] | None
    sample_index: int
    skipped: dict[int, str]


class ReadBatch(NamedTuple):
    """A batch from a worker, None if a sample is missing; arrays where the worker found no shared memory for them."""

    values: dict[str, Tensor | NDArray[Any]] | None
    skipped: dict[int, str]


@dataclass
class Reader(TorchDataset[ReadSample]):
    """The samples of a data set by index and place in the stream; the next readable one takes a broken one's place."""

    dataset: Dataset
    specs: Mapping[str, Spec] = field(default_factory=dict)
    """What samples must be; empty while that is not known."""
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    seed: int = 0

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, at: tuple[int, int]) -> ReadSample:
        """Read the sample with that index for that place, or the next readable one."""
        index, place = at
        skipped: dict[int, str] = {}
        while len(skipped) < min(MAX_UNREADABLE_IN_A_ROW, len(self)):
            found = self.read(index, place)
            if not isinstance(found, str):
                return ReadSample(found, index, skipped)
            skipped[index] = found
            index = (index + 1) % len(self)
        return ReadSample(None, index, skipped)

    def read(self, index: int, place: int) -> dict[str, Tensor] | str:
        """Return one sample, or why it cannot be read."""
        try:
            with seeded(self.seed, place):
                rng = np.random.Generator(np.random.PCG64([self.seed, place]))
                sample = as_tensors(self.dataset.sample(index, rng), self.dataset.kinds)
            if self.specs:
                check_values(self.specs, {key: value[None] for key, value in sample.items()}, self.kinds)
            return sample
        except (Exception, SystemExit) as error:  # a plugin's code, or a broken file, can raise any
            if is_out_of_memory(error):
                raise
            return explain(error)


def explain(error: BaseException) -> str:
    """Return in one line why a sample cannot be read."""
    said = " ".join(str(error).split())
    return said if said and isinstance(error, EXPECTED) else f"{type(error).__name__}: {said}".removesuffix(": ")


def name_sample(dataset: Dataset, index: int, origin: str) -> str:
    """Return what messages call a sample: what it is read from, and of a plugin's data set its index there."""
    default = f"sample {index}"
    try:
        source = str(dataset.source(index))
    except Exception:  # a plugin's code; the message is about another fault
        source = default
    named = "" if source == default else f"'{source}'"
    return ", ".join(filter(None, [named, f"{default} of {origin}" if origin else ""])) or default


@contextmanager
def seeded(seed: int, place: int) -> Iterator[None]:
    """Seed all global random generators for one sample, since code that it calls may draw from them.

    The training, other than a worker process, gets them back as they were.
    """
    number = seed_of("sample", seed, place)
    with ExitStack() as stack:
        if get_worker_info() is None:
            stack.enter_context(preserve_global_generators())
            stack.enter_context(preserve_other_generators())
        random.seed(number)
        np.random.seed(number)
        torch.default_generator.manual_seed(number)
        yield


def collate(samples: Sequence[ReadSample]) -> ReadBatch:
    """Put samples together into a batch."""
    skipped = {index: reason for sample in samples for index, reason in sample.skipped.items()}
    whole = [sample.values for sample in samples if sample.values is not None]
    if len(whole) < len(samples):
        return ReadBatch(None, skipped)
    return ReadBatch({key: share(torch.stack([each[key] for each in whole])) for key in whole[0]}, skipped)


def share(values: Tensor) -> Tensor | NDArray[Any]:
    """Move what a worker has read into shared memory; if that is full return an array, which goes through a pipe.

    Torch would move it later, in a thread whose errors reach nobody, so that the training would wait for ever.
    """
    if get_worker_info() is None:
        return values
    try:
        values.share_memory_()  # type: ignore[no-untyped-call]
    except (RuntimeError, OSError):
        array: NDArray[Any] = values.numpy()
        return array
    return values
