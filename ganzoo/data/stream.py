"""Images that worker processes decode during a training."""

import logging
import os
import signal
import threading
import traceback
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing import get_start_method
from typing import Any, NamedTuple, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info

from ganzoo._faults import worker_died
from ganzoo._seeds import make_rng
from ganzoo._signals import SIGNALS
from ganzoo.data.base import Data, FolderFacts, Shard, count_of, keep_whole
from ganzoo.data.images import Broken, DecodedImage, DecodedImages, ImageSource, count_decoders
from ganzoo.data.memory import batch_indices
from ganzoo.errors import BadInput, Error, Failed
from ganzoo.pictures.decode import Rendering

logger = logging.getLogger(__name__)

MORE_SHARED = "a container gets more shared memory (/dev/shm) with docker run --shm-size=1g, data.workers=0 needs none"
MAIN_GUARD = "a script must begin its work below: if __name__ == '__main__':, or set data.workers=0"
SIGTERM_GRACE_SECONDS = 10
"""How long a worker lives on after a SIGTERM."""


class DecodedBatch(NamedTuple):
    """A batch from a worker: pixels (n, channels, height, width), None if one is missing, and indices.

    The pixels are an array where the worker found no shared memory for them.
    """

    pixels: Tensor | NDArray[Any] | None
    indices: list[int]
    skipped: dict[int, str]


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
        **folder: Unpack[FolderFacts],
    ) -> None:
        self.source, self.rendering, self._broken = source, rendering, broken
        self.workers = count_decoders() if workers is None else workers
        self._warned = False
        self._reasons: dict[int, str] = {}
        by = f", by {self.workers} worker processes" if self.workers else ""
        self._first_notes = [*notes, f"{len(source):,} images are read while training{by}"]
        shape, count, notes = rendering.shape, len(source), self._first_notes
        super().__init__(name, shape, classes=classes, labels=labels, count=count, notes=notes, **folder)

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
                self._reasons |= broken
                self.skip(broken)
                if broken and self._broken == "refuse":
                    raise BadInput(f"cannot read the image {self._name_last(broken)}; data.broken='skip' leaves it out")
                if pixels is None:
                    raise BadInput(
                        f"{self.name}: too many images in a row cannot be read, the last is {self._name_last(broken)}"
                    )
                self._warn_of_pipes(isinstance(pixels, np.ndarray))
                yield self._make_batch(torch.as_tensor(pixels), torch.tensor(indices))

    def skip(self, broken: Iterable[int]) -> None:
        """Record that the images with these indices cannot be read."""
        if new := [index for index in broken if index not in self.skipped]:
            self.skipped.update(new)
            count = count_of(len(self.skipped), "image")
            note = f"skipped {count} that cannot be read, the last is {self._name_last(new)}"
            self.notes = [*self._first_notes, note]

    def _warn_of_pipes(self, used: bool) -> None:
        if used and not self._warned:
            logger.warning(
                "shared memory is full, so images come from the worker processes more slowly; %s", MORE_SHARED
            )
        self._warned |= used

    def _name_last(self, broken: Iterable[int]) -> str:
        *_, last = broken
        reason = self._reasons.get(last)  # not known of those that another process has met
        return f"'{self.source.path(last)}'" + (f" ({reason})" if reason else "")


def guard_workers(loader: DataLoader[DecodedImage]) -> Generator[DecodedBatch, None, None]:
    """Yield the loader's batches.

    Raises `BadInput` if no worker can be started here, and `Failed` if one died before it could answer.
    """
    started = answered = False
    batches: Iterator[DecodedBatch] = iter(())
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


def collate(images: list[DecodedImage]) -> DecodedBatch:
    """Put decoded images together into a batch."""
    pixels = [image.pixels for image in images if image.pixels is not None]
    return DecodedBatch(
        share(torch.stack(pixels)) if len(pixels) == len(images) else None,
        [image.image_index for image in images],
        {index: reason for image in images for index, reason in image.skipped.items()},
    )


def share(pixels: Tensor) -> Tensor | NDArray[Any]:
    """Move what a worker has read into shared memory; if that is full return an array, which goes through a pipe.

    Torch would move it later, in a thread whose errors reach nobody, so that the training would wait for ever.
    """
    if get_worker_info() is None:
        return pixels
    try:
        pixels.share_memory_()  # type: ignore[no-untyped-call]
    except (RuntimeError, OSError):
        return pixels.numpy()
    return pixels
