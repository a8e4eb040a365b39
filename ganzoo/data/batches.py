"""The batches that Python code passes in: any iterable of dicts of tensors or arrays."""

import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganzoo._seeds import seed_of
from ganzoo.contract import batch_length
from ganzoo.data.base import Data, Shard, keep_whole, normalize_images
from ganzoo.engine.batches import cycle
from ganzoo.errors import BadInput


class Batches(Data):
    """The batches of any iterable of dicts of tensors or numpy arrays, in their own order and of their own size.

    Floating-point values become float32, uint8 images are scaled to [-1, 1], labels become int64. `classes` are the
    class names or their number. The iterable is gone through again when it ends. Raises `BadInput` for what is no
    batch, for images of changing shape or outside [-1, 1], and where a generator ends. (Values that lie on another
    device than the CPU are looked at in the first batch only, since looking makes the CPU wait.)
    """

    def __init__(
        self, source: Iterable[Mapping[str, Any]], classes: Sequence[str] | int | None = None, seed: int = 0
    ) -> None:
        if not isinstance(source, Iterable):
            kind = type(source).__name__
            raise BadInput(f"data is the name of a data set, a folder or an iterable of dict batches, not a {kind}")
        super().__init__("batches", None, classes=to_class_names(classes))
        self.source = source
        batches = self._gone_through(seed)
        begun = next(batches)
        self._first = self._checked(begun, look=True)
        if "image" in self._first:
            self.image = tuple(self._first["image"].shape[1:])
        elif "point" in self._first and self._first["point"].dim() == 2:
            self.point = tuple(self._first["point"].shape[1:])
        # What was begun is used for training: a generator gives its first batch once, a DataLoader has its workers up.
        self._begun: Iterator[Any] | None = chain([begun], batches)

    def _gone_through(self, seed: int) -> Iterator[Any]:
        """The iterable again and again. It draws from torch's global generator, but from numbers of its own.

        So a shuffling DataLoader has the same order whatever else draws, and again after a resume.
        """
        state = torch.Generator().manual_seed(seed_of("batches", seed)).get_state()
        stream = cycle(self.source)
        while True:
            with torch.random.fork_rng([]):
                torch.set_rng_state(state)
                batch = next(stream)
                state = torch.get_rng_state()
            yield batch

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """The iterable's own batches, whatever `batch` and `seed` are; those with the first `used` samples are not."""
        begun, self._begun = self._begun, None
        for raw in self._gone_through(seed) if begun is None else begun:
            made = self._checked(raw)
            if used <= 0:
                yield {key: shard(value) for key, value in made.items()}
            used -= batch_length(made)

    def first(self, batch: int, seed: int) -> dict[str, Tensor]:
        """The iterable's first batch, without using it up."""
        return self._first

    @property
    def checksum(self) -> int:
        """Of the first batch."""
        return zlib.crc32(b"".join(value.cpu().numpy().tobytes() for value in self._first.values()))

    def _checked(self, raw: Any, look: bool = False) -> dict[str, Tensor]:
        if not isinstance(raw, Mapping) or not raw:
            raise BadInput(f"a batch is a dict of tensors such as {{'image': ...}}, got {type(raw).__name__}")
        batch = {key: as_tensor(key, value) for key, value in raw.items()}
        if len({len(value) for value in batch.values()}) > 1:
            lengths = ", ".join(f"'{key}' {len(value)}" for key, value in batch.items())
            raise BadInput(f"the tensors of a batch must have one length, got {lengths}")
        if "image" in batch:
            batch["image"] = self._checked_images(batch["image"], look)
        if "label" in batch and not batch["label"].is_floating_point():
            batch["label"] = self._checked_labels(batch["label"].long(), look)
        return batch

    def _checked_images(self, images: Tensor, look: bool) -> Tensor:
        shape = tuple(images.shape)
        if len(shape) != 4:
            raise BadInput(f"'image' must have the shape (n, channels, height, width), got {shape}")
        if self.image and shape[1:] != self.image:
            raise BadInput(f"the images of all batches must have one shape, got {self.image} and {shape[1:]}")
        if images.dtype == torch.uint8:
            return normalize_images(images)
        if images.dtype != torch.float32:
            raise BadInput(f"'image' must be uint8 or floating point in [-1, 1], got {images.dtype}")
        if look or images.device.type == "cpu":
            low, high = (value.item() for value in images.aminmax())
            if not (low >= -1.0001 and high <= 1.0001):
                raise BadInput(f"images must lie in [-1, 1], got values from {low:.4g} to {high:.4g}")
            if look and low >= 0:
                self.notes.append("no pixel of the first batch is below 0; images are expected in [-1, 1], not [0, 1]")
        return images

    def _checked_labels(self, labels: Tensor, look: bool) -> Tensor:
        if self.classes and (look or labels.device.type == "cpu"):
            low, high = (value.item() for value in labels.aminmax())
            if low < 0 or high >= len(self.classes):
                raise BadInput(
                    f"labels of {len(self.classes)} classes lie in 0..{len(self.classes) - 1}, got {low}..{high}"
                )
        return labels


def as_tensor(key: str, value: Any) -> Tensor:
    """A value of a batch as a tensor with a first axis, floating point as float32; `BadInput` for anything else."""
    if not isinstance(value, Tensor | np.ndarray):
        raise BadInput(f"'{key}' of a batch must be a tensor or a numpy array, got {type(value).__name__}")
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError) as error:
        raise BadInput(f"'{key}' of a batch cannot become a tensor: {error}") from error
    if not tensor.dim() or not tensor.numel():
        raise BadInput(f"'{key}' of a batch is empty or a single number; its first axis must be the samples")
    return tensor.float() if tensor.is_floating_point() else tensor


def to_class_names(classes: Sequence[str] | int | None) -> list[str]:
    """Names of classes; a number of classes gets "0", "1" and so on."""
    return [str(each) for each in range(classes)] if isinstance(classes, int) else list(classes or ())
