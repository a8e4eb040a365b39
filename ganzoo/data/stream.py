"""Samples that worker processes read during a training."""

import logging
import os
import signal
import threading
import traceback
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from multiprocessing import get_start_method
from typing import Unpack

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ganzoo._faults import worker_died
from ganzoo._seeds import make_rng
from ganzoo._signals import SIGNALS
from ganzoo.data.base import About, Data, Shard, count_of, keep_whole, to_device
from ganzoo.data.convert import find_kinds, to_network
from ganzoo.data.images import Broken, count_decoders
from ganzoo.data.memory import batch_indices
from ganzoo.data.reading import ReadBatch, Reader, ReadSample, collate, name_sample
from ganzoo.dataset import Dataset, Spec
from ganzoo.errors import BadInput, Error, Failed

logger = logging.getLogger(__name__)

MORE_SHARED = "a container gets more shared memory (/dev/shm) with docker run --shm-size=1g, data.workers=0 needs none"
MAIN_GUARD = "a script must begin its work below: if __name__ == '__main__':, or set data.workers=0"
SIGTERM_GRACE_SECONDS = 10
"""How long a worker lives on after a SIGTERM."""


class Streamed(Data):
    """Samples of a data set that worker processes read during a training.

    One that cannot be read is replaced by the next one; `skipped` and the last of `notes` count them. With
    `broken="refuse"` it ends the training. Without `workers` the training itself reads. `origin` is who brings the data
    set, for messages; empty for ganzoo itself.
    """

    def __init__(
        self,
        name: str,
        dataset: Dataset,
        specs: Mapping[str, Spec],
        *,
        origin: str = "",
        broken: Broken = "skip",
        workers: int | None = None,
        **about: Unpack[About],
    ) -> None:
        self.dataset, self._origin, self._broken, self._read_specs = dataset, origin, broken, specs
        self.workers = count_decoders() if workers is None else workers
        self._warned = False
        self._reasons: dict[int, str] = {}
        self._places: dict[str, Tensor] = {}
        super().__init__(name, specs, **about)
        self.count, self._kinds = len(dataset), find_kinds(specs, self.own_facts)
        self.noun = "image" if next(iter(specs.values())).kind == "image" else "sample"
        by = f", by {self.workers} worker processes" if self.workers else ""
        self.notes.append(f"{len(dataset):,} {self.noun}s are read while training{by}")
        self._first_notes = list(self.notes)

    def __len__(self) -> int:
        return len(self.dataset)

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """Yield batches as `Data.batches` does. Raises `BadInput` if too many samples in a row cannot be read."""
        loader = DataLoader[ReadSample](
            Reader(self.dataset, self._read_specs, self._kinds, seed),
            batch_sampler=choose(len(self), batch, seed, used, shard),
            num_workers=self.workers,
            collate_fn=collate,
            worker_init_fn=ignore_signals,
            generator=make_rng("workers", seed),  # without it the loader draws from torch's global generator
        )
        # Closed also where an error ends this loop: its traceback would keep the workers alive.
        with closing(guard_workers(loader)) as batches:
            for values, broken in batches:
                self._note_broken(broken)
                if values is None:
                    last = self._name_last(broken)
                    raise BadInput(f"{self.name}: too many {self.noun}s in a row cannot be read, the last is {last}")
                self._warn_of_pipes(any(isinstance(each, np.ndarray) for each in values.values()))
                yield self._finish({key: torch.as_tensor(each) for key, each in values.items()})

    def _finish(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return a batch as networks see it, on the device; the order of its keys is that of the specs."""
        moved = {key: to_device(values[key], self.device) for key in self.specs}
        for key in self._places.keys() & moved.keys():
            moved[key] = self._places[key].to(self.device)[moved[key]]
        return to_network(self._kinds, moved)

    def _note_broken(self, broken: Mapping[int, str]) -> None:
        self._reasons |= broken
        self.skip(broken)
        if broken and self._broken == "refuse":
            last = self._name_last(broken)
            what = last if self._origin else f"the {self.noun} {last}"
            raise BadInput(f"cannot read {what}; data.broken='skip' leaves it out")

    def renumber(self, names: Sequence[str], key: str) -> None:
        """Give each class of a key its place in `names`; no names drop the key."""
        if names:
            places = torch.tensor([names.index(name) for name in self.classes_of(key)])
            self._places[key] = places[self._places[key]] if key in self._places else places

    def skip(self, broken: Iterable[int]) -> None:
        """Record that the samples with these indices cannot be read."""
        if new := [index for index in broken if index not in self.skipped]:
            self.skipped.update(new)
            count = count_of(len(self.skipped), self.noun)
            note = f"skipped {count} that cannot be read, the last is {self._name_last(new)}"
            self.notes = [*self._first_notes, note]

    def _warn_of_pipes(self, used: bool) -> None:
        if used and not self._warned:
            logger.warning(
                "shared memory is full, so %ss come from the worker processes more slowly; %s", self.noun, MORE_SHARED
            )
        self._warned |= used

    def _name_last(self, broken: Iterable[int]) -> str:
        *_, last = broken
        reason = self._reasons.get(last)  # not known of those that another process has met
        return name_sample(self.dataset, last, self._origin) + (f" ({reason})" if reason else "")


def choose(count: int, batch: int, seed: int, used: int, shard: Shard) -> Iterator[list[tuple[int, int]]]:
    """Yield for each batch the indices of its samples, each with its place in the stream."""
    for indices in batch_indices(count, batch, seed, used):
        places = torch.arange(used, used + batch)
        used += batch
        yield list(zip(shard(indices).tolist(), shard(places).tolist(), strict=True))


def guard_workers(loader: DataLoader[ReadSample]) -> Generator[ReadBatch, None, None]:
    """Yield the loader's batches.

    Raises `BadInput` if no worker can be started here, and `Failed` if one died before it could answer.
    """
    started = answered = False
    batches: Iterator[ReadBatch] = iter(())
    try:
        with keep_child_handler():
            batches = iter(loader)
        started = True
        for batch in batches:
            answered = True
            yield batch
    except Exception as error:
        # The frames, this one too, keep the other workers alive.
        traceback.clear_frames(error.__traceback__)
        batches = iter(())
        if plainer := explain_death(error, started, answered):
            raise plainer from error
        raise


@contextmanager
def keep_child_handler() -> Iterator[None]:
    """Remove the handler of SIGCHLD that torch sets meanwhile.

    It raises an error wherever the main thread happens to be, also where that has just taken a lock, which then nobody
    gives back. Without it torch notices that a worker has died when it waits for the next batch.
    """
    before = signal.getsignal(signal.SIGCHLD) if hasattr(signal, "SIGCHLD") else None
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGCHLD, before)


def explain_death(error: Exception, started: bool, answered: bool) -> Error | None:
    """Return the error of a loader in words that help; None if it has them.

    `started` says that all workers were started, `answered` that one has sent a batch.
    """
    lost = isinstance(error, ConnectionError | EOFError)
    # Processes that are not forked import the main script, which then starts a training, too.
    imported = get_start_method() != "fork" and not answered and (lost or worker_died(error))
    if imported or "bootstrapping phase" in str(error):
        return BadInput(f"a process that reads the data ended at once; {MAIN_GUARD}")
    if lost:
        return Failed(f"a process that reads the data died: {error}")
    if not started and isinstance(error, OSError | RuntimeError):
        return BadInput(f"no process can be started that reads the data ({error}); {MORE_SHARED}")
    return None


def ignore_signals(_: int) -> None:
    """Make a worker ignore Ctrl-C and the like, which reach it too: the training decides when it ends.

    A SIGTERM ends it after `SIGTERM_GRACE_SECONDS`, because multiprocessing ends its remaining workers that way.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGTERM, lambda *_: signal.setitimer(signal.ITIMER_REAL, SIGTERM_GRACE_SECONDS))
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
