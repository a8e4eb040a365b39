"""Batches from Python code: any iterable of dicts of tensors or arrays."""

import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganzoo._seeds import seed_of
from ganzoo.contract import batch_length
from ganzoo.data.base import Data, Shard, image_shape, keep_whole, normalize_images
from ganzoo.dataset import LABEL, Spec
from ganzoo.engine.batches import cycle
from ganzoo.errors import BadInput
from ganzoo.kinds.image import WHITE

WIDE = (torch.uint16, torch.uint32, torch.uint64)
RANGE_TOLERANCE = 1e-4
"""Pixels may lie this far outside [-1, 1], by rounding."""


class Batches(Data):
    """The batches of any iterable of dicts of tensors or numpy arrays, in their own order and size.

    Floating-point values become float32, uint8 images are scaled to [-1, 1], labels become int64. `classes` are the
    class names or their number. When the iterable ends, it is iterated again. Raises `BadInput` for invalid batches,
    for images of changing shape or outside [-1, 1], and where a generator ends. Values on another device than the CPU
    are checked in the first batch only, because a check makes the CPU wait.
    """

    def __init__(
        self, source: Iterable[Mapping[str, Any]], classes: Sequence[str] | int | None = None, seed: int = 0
    ) -> None:
        if not isinstance(source, Iterable):
            kind = type(source).__name__
            raise BadInput(f"data is the name of a data set, a folder or an iterable of dict batches, not a {kind}")
        names, stream = to_class_names(classes), repeat(source, seed)
        raw = next(stream)
        self.source, self._first = source, parse_batch(raw, names, first=True)
        specs = {key: describe_key(key, value) for key, value in self._first.items()}
        first = [key for key in ("image", "point") if key in specs]  # what is imitated comes first
        labels = {LABEL: Spec(LABEL, classes=tuple(names))} if names else {}
        about = {key: specs[key] for key in [*first, *specs]} | labels
        super().__init__("batches", about, notes=describe_range(raw))
        self._classes = names
        # Training continues this stream: a generator yields its first batch once, a DataLoader has started its workers.
        self._started: Iterator[Any] | None = chain([raw], stream)

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """Yield the iterable's own batches after the first `used` samples; `batch` does not matter."""
        started, self._started = self._started, None
        for raw in started or repeat(self.source, seed):
            made = parse_batch(raw, self._classes)
            self._check_shape(made)
            if used <= 0:
                yield {key: shard(value) for key, value in made.items()}
            used -= batch_length(made)

    def first(self, batch: int, seed: int) -> dict[str, Tensor]:
        """Return the iterable's first batch without consuming it."""
        return self._first

    @property
    def checksum(self) -> int:
        """CRC-32 of the first batch."""
        return zlib.crc32(b"".join(value.cpu().numpy().tobytes() for value in self._first.values()))

    def _check_shape(self, batch: Mapping[str, Tensor]) -> None:
        if "image" in batch and self.image and (shape := image_shape(batch["image"])) != self.image:
            raise BadInput(f"the images of all batches must have one shape, got {self.image} and {shape}")


def describe_key(key: str, values: Tensor) -> Spec:
    """Return the spec of one key, as far as its name and the first batch say it."""
    shape = tuple(values.shape[1:])
    if key == "image" or (len(shape) == 3 and values.is_floating_point() and looks_like_images(values)):
        return Spec("image", shape, (-1, 1))
    return Spec("point" if key == "point" and len(shape) == 1 else "other", shape)


def looks_like_images(values: Tensor) -> bool:
    """Return whether values use the range of images, and not that of masks, which have nothing below 0."""
    low, high = (value.item() for value in values.aminmax())
    return -1 <= low < 0 and high <= 1


def repeat(source: Iterable[Any], seed: int) -> Iterator[Any]:
    """Iterate over the source again and again, with random numbers of its own in place of torch's global ones.

    A shuffling DataLoader thus has the same order whatever else draws numbers, and again after a resume.
    """
    state = torch.Generator().manual_seed(seed_of("batches", seed)).get_state()
    stream = cycle(source)
    while True:
        with torch.random.fork_rng([]):
            torch.set_rng_state(state)
            batch = next(stream)
            state = torch.get_rng_state()
        yield batch


def parse_batch(raw: Any, classes: Sequence[str], first: bool = False) -> dict[str, Tensor]:
    """Turn what an iterable yields into a batch. Raises `BadInput` if it is not one.

    Values on a GPU are checked in the `first` batch only.
    """
    if not isinstance(raw, Mapping) or not raw:
        raise BadInput(f"a batch is a dict of tensors such as {{'image': ...}}, got {type(raw).__name__}")
    batch = {key: as_tensor(key, value) for key, value in raw.items()}
    if len({len(value) for value in batch.values()}) > 1:
        lengths = ", ".join(f"'{key}' {len(value)}" for key, value in batch.items())
        raise BadInput(f"the tensors of a batch must have one length, got {lengths}")
    if "image" in batch:
        batch["image"] = parse_images(batch["image"], first)
    if "label" in batch and (classes or not batch["label"].is_floating_point()):
        batch["label"] = parse_labels(batch["label"], classes, first)
    return batch


def parse_images(images: Tensor, first: bool) -> Tensor:
    """Return images as float32 in [-1, 1]. Raises `BadInput` for another shape, type or range."""
    if images.dim() != 4:
        raise BadInput(f"'image' must have the shape (n, channels, height, width), got {tuple(images.shape)}")
    if images.dtype == torch.uint8:
        return normalize_images(images)
    if images.dtype != torch.float32:
        raise BadInput(f"'image' must be uint8 or floating point in [-1, 1], got {images.dtype}")
    if first or images.device.type == "cpu":
        low, high = (value.item() for value in images.aminmax())
        if not (low >= -1 - RANGE_TOLERANCE and high <= 1 + RANGE_TOLERANCE):
            raise BadInput(f"images must lie in [-1, 1], got values from {low:.4g} to {high:.4g}")
    return images


def parse_labels(labels: Tensor, classes: Sequence[str], first: bool) -> Tensor:
    """Return labels as int64. Raises `BadInput` for anything but one number of a class for each sample."""
    if classes and (advice := advice_on_labels(labels)):
        raise BadInput(f"'label' must be one whole number for each image, of shape (n,): {advice}")
    labels = labels.long()
    if classes and (first or labels.device.type == "cpu"):
        low, high = (value.item() for value in labels.aminmax())
        if low < 0 or high >= len(classes):
            raise BadInput(f"labels of {len(classes)} classes lie in 0..{len(classes) - 1}, got {low}..{high}")
    return labels


def advice_on_labels(labels: Tensor) -> str:
    """Say what is wrong with labels that are not one whole number for each sample, and what makes them so."""
    got = f"got {labels.dtype} of shape {tuple(labels.shape)}"
    if labels.dim() > 1 and labels.shape[1:].numel() > 1:
        return f"{got}; of one-hot rows, label.argmax(1) gives the numbers"
    if labels.dim() > 1:
        return f"{got}; label.flatten() has the right shape"
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        return f"{got}; label.long() has the right type"
    return ""


def describe_range(raw: Mapping[str, Any]) -> list[str]:
    """Return a note if the images of a valid batch seem to lie in [0, 1] instead of [-1, 1]."""
    images = as_tensor("image", raw["image"]) if "image" in raw else None
    if images is None or images.dtype == torch.uint8 or images.amin() < 0:
        return []
    return ["no pixel of the first batch is below 0; images are expected in [-1, 1], not [0, 1]"]


def as_tensor(key: str, value: Any) -> Tensor:
    """Return a value of a batch as a tensor with at least one axis, floating point as float32.

    Raises `BadInput` for a value that is neither a tensor nor an array of numbers, and for an empty one.
    """
    if not isinstance(value, Tensor | np.ndarray):
        raise BadInput(f"'{key}' of a batch must be a tensor or a numpy array, got {type(value).__name__}")
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError) as error:
        raise BadInput(f"'{key}' of a batch cannot become a tensor: {error}") from error
    if not tensor.dim() or not tensor.numel():
        raise BadInput(f"'{key}' of a batch is empty or a single number; its first axis must be the samples")
    if tensor.dtype in WIDE:
        return from_wide(key, tensor)
    return tensor.float() if tensor.is_floating_point() else tensor


def from_wide(key: str, tensor: Tensor) -> Tensor:
    """Return unsigned numbers of more than 8 bits, with which torch cannot compute, as other numbers.

    Images of 16 bits become float32 in [-1, 1], others int64. Raises `BadInput` for what may be images, or not.
    """
    if key == "image" and tensor.dtype == torch.uint16:
        return normalize_images(tensor.float() / WHITE[torch.uint16])
    if tensor.dim() == 4:
        what = "'image' is scaled from uint16 to [-1, 1], other keys are not"
        raise BadInput(f"'{key}' is {tensor.dtype} of shape {tuple(tensor.shape)}: {what}; make it floating point")
    return tensor.long()


def to_class_names(classes: Sequence[str] | int | None) -> list[str]:
    """Return the names of classes; for a number of classes "0", "1" and so on."""
    return [str(each) for each in range(classes)] if isinstance(classes, int) else list(classes or ())
