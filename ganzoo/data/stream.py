"""Images that worker processes decode during a training."""

import os
import signal
import traceback
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ganzoo._seeds import make_rng
from ganzoo._signals import SIGNALS
from ganzoo.data.base import Data, Shard, keep_whole
from ganzoo.data.decode import Rendering
from ganzoo.data.images import Broken, DecodedImage, DecodedImages, ImageSource, count_decoders
from ganzoo.data.memory import batch_indices
from ganzoo.errors import BadInput, Failed

SIGTERM_GRACE_SECONDS = 10
"""How long a worker lives on after a SIGTERM."""


class DecodedBatch(NamedTuple):
    """A batch from a worker: pixels uint8 (n, channels, height, width), None if one is missing, and indices."""

    pixels: Tensor | None
    indices: Tensor
    skipped: list[int]


class Streamed(Data):
    """Images that worker processes decode during a training.

    An unreadable image is replaced by the next one; `skipped` and the last of `notes` count them. With
    `broken="refuse"` it ends the training. Without `workers` the training itself decodes.
    """

    def __init__(
        self,
        name: str,
        source: ImageSource,
        rendering: Rendering,
        labels: Tensor | None = None,
        classes: Sequence[str] = (),
        notes: Iterable[str] = (),
        *,
        broken: Broken = "skip",
        workers: int | None = None,
    ) -> None:
        self.source, self.rendering, self._broken = source, rendering, broken
        self.workers = count_decoders() if workers is None else workers
        by = f", by {self.workers} worker processes" if self.workers else ""
        self._first_notes = [*notes, f"{len(source):,} images are read while training{by}"]
        shape = rendering.shape
        super().__init__(name, shape, classes=classes, labels=labels, count=len(source), notes=self._first_notes)

    def __len__(self) -> int:
        return len(self.source)

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """Yield batches as `Data.batches` does. Raises `BadInput` if too many images in a row cannot be read."""
        loader = DataLoader[DecodedImage](
            DecodedImages(self.source, self.rendering),
            batch_sampler=(shard(indices).tolist() for indices in batch_indices(len(self), batch, seed, used)),
            num_workers=self.workers,
            collate_fn=collate,
            worker_init_fn=ignore_signals,
            generator=make_rng("workers", seed),  # without it the loader draws from torch's global generator
        )
        # Closed also where an error ends this loop: its traceback would keep the workers alive.
        with closing(guard_workers(loader)) as batches:
            for pixels, indices, broken in batches:
                self.skip(broken)
                if pixels is None:
                    raise BadInput(
                        f"{self.name}: too many images in a row cannot be read, the last is {self._name_last(broken)}"
                    )
                yield self._make_batch(pixels, indices)

    def skip(self, broken: Iterable[int]) -> None:
        """Record that the images with these indices cannot be read."""
        if new := [index for index in broken if index not in self.skipped]:
            self.skipped.update(new)
            note = f"skipped {len(self.skipped)} images that cannot be read, the last is {self._name_last(new)}"
            self.notes = [*self._first_notes, note]

    def _name_last(self, broken: Sequence[int]) -> str:
        return f"'{self.source.path(broken[-1])}'"


def guard_workers(loader: DataLoader[DecodedImage]) -> Generator[DecodedBatch, None, None]:
    """Yield the loader's batches. Raises `Failed` if a worker died before it could answer."""
    try:
        yield from loader
    except Exception as error:
        # The frames keep the other workers alive, and torch reports the dead one again whenever any process ends.
        traceback.clear_frames(error.__traceback__)
        if isinstance(error, ConnectionError | EOFError):
            raise Failed(f"a process that reads the data died: {error}") from error
        raise


def ignore_signals(_: int) -> None:
    """Make a worker ignore Ctrl-C and the like, which reach it too: the training decides when it ends.

    A SIGTERM ends it after `SIGTERM_GRACE_SECONDS`, because multiprocessing ends its remaining workers that way.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGTERM, lambda *_: signal.setitimer(signal.ITIMER_REAL, SIGTERM_GRACE_SECONDS))
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))


def collate(images: list[DecodedImage]) -> DecodedBatch:
    """Put decoded images together into a batch."""
    pixels = [image.pixels for image in images if image.pixels is not None]
    return DecodedBatch(
        torch.stack(pixels) if len(pixels) == len(images) else None,
        torch.tensor([image.image_index for image in images]),
        list(chain.from_iterable(image.skipped for image in images)),
    )
