"""Pictures that worker processes decode while a training goes on."""

import os
import signal
import traceback
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ganzoo._seeds import make_rng
from ganzoo._signals import SIGNALS
from ganzoo.data.base import Data, Shard, keep_whole
from ganzoo.data.images import (
    DECODERS,
    DecodedImages,
    ImageSource,
)
from ganzoo.data.memory import batch_indices
from ganzoo.errors import BadInput, Failed

SIGTERM_GRACE_SECONDS = 10
"""Seconds that a worker lives on after a SIGTERM."""


class Streamed(Data):
    """Pictures that worker processes decode while training.

    One that cannot be read is skipped, the next one taking its place; `skipped` and the last of `notes` count them.
    """

    def __init__(
        self,
        name: str,
        pictures: ImageSource,
        image: tuple[int, int, int],
        labels: Tensor | None = None,
        classes: Sequence[str] = (),
        notes: Iterable[str] = (),
    ) -> None:
        how = f"{len(pictures):,} images are read while training, by {DECODERS} worker processes"
        super().__init__(name, image, classes=classes, labels=labels, count=len(pictures), notes=[*notes, how])
        self.pictures, self._told = pictures, self.notes

    def __len__(self) -> int:
        return self.count

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """As in `Data`. Raises `BadInput` where a thousand images in a row cannot be read."""
        loader = DataLoader(
            DecodedImages(self.pictures, self.image),
            batch_sampler=(shard(places).tolist() for places in batch_indices(self.count, batch, seed, used)),
            num_workers=DECODERS,
            collate_fn=collate,
            worker_init_fn=ignore_signals,
            generator=make_rng("workers", seed),  # else it would draw from torch's global one
        )
        for pixels, places, broken in guard_workers(loader):
            self.skip(broken)
            if pixels is None:
                raise BadInput(
                    f"{self.name}: too many images in a row cannot be read, the last is {self._last(broken)}"
                )
            yield self._batch(pixels, places)

    def skip(self, broken: Iterable[int]) -> None:
        """Note that these pictures, by number, cannot be read."""
        if new := [number for number in broken if number not in self.skipped]:
            self.skipped.update(new)
            said = f"skipped {len(self.skipped)} images that cannot be read, the last is {self._last(new)}"
            self.notes = [*self._told, said]

    def _last(self, broken: list[int]) -> str:
        return f"'{self.pictures.path(broken[-1])}'"


def guard_workers(loader: DataLoader) -> Iterator[Any]:
    """What a loader gives. Raises `Failed` where one of its processes died before it could answer."""
    try:
        yield from loader
    except Exception as error:
        # Its frames hold the other processes, and torch tells of the dead one again whenever any process ends.
        traceback.clear_frames(error.__traceback__)
        if isinstance(error, ConnectionError | EOFError):
            raise Failed(f"a process that reads the data died: {error}") from error
        raise


def ignore_signals(_: int) -> None:
    """Have a worker go on after Ctrl-C and the like, which reach it too: the training decides when it ends.

    SIGTERM counts after a while, since multiprocessing ends what is left of its workers by it.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGTERM, lambda *_: signal.setitimer(signal.ITIMER_REAL, SIGTERM_GRACE_SECONDS))
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))


def collate(samples: list[tuple[Tensor | None, int, list[int]]]) -> tuple[Tensor | None, Tensor, list[int]]:
    """What a worker sends: pixels (None where one is missing), places and the places skipped."""
    pixels, places, skipped = zip(*samples, strict=True)
    complete = all(each is not None for each in pixels)
    return torch.stack(pixels) if complete else None, torch.tensor(places), list(chain.from_iterable(skipped))
