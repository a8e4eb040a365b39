"""Data sets by name, image folders and iterables of batches, all as `Data`: endless dict batches."""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Self

import torch
from torch import Tensor

Shard = Callable[[Tensor], Tensor]


def keep_whole(whole: Tensor) -> Tensor:
    """What a process that trains alone needs of a batch."""
    return whole


class Data:
    """What a training learns from.

    `name` for people; `image` the shape (channels, height, width) of images, `point` the shape (dimensions,) of points,
    each None for other data; `classes` the class names, empty where unlabelled; `count` the number of samples, None
    where unknown; `notes` sentences to say to the user; `skipped` the numbers of images that could not be read.
    """

    def __init__(
        self,
        name: str,
        image: tuple[int, int, int] | None,
        *,
        point: tuple[int] | None = None,
        classes: Sequence[str] = (),
        labels: Tensor | None = None,
        count: int | None = None,
        notes: Iterable[str] = (),
    ) -> None:
        self.name, self.image, self.point, self.count = name, image, point, count
        self.classes, self.labels, self.notes = list(classes), labels, list(notes)
        self.skipped = set[int]()
        self.device = torch.device("cpu")

    @property
    def facts(self) -> dict[str, Any]:
        """What architectures are built from: "image", "point" and "classes" (a number), as far as there are any."""
        facts = {"image": self.image, "point": self.point, "classes": len(self.classes)}
        return {key: value for key, value in facts.items() if value}

    @property
    def description(self) -> dict[str, Any]:
        """What a published model says of the data: its name, kind, shape and class names; plain values."""
        shape: dict[str, Any] = {"kind": "other"}
        if self.image:
            shape = {"kind": "image", "shape": list(self.image), "range": [-1, 1]}
        elif self.point:
            shape = {"kind": "point", "shape": list(self.point)}
        return {"name": self.name, **shape, "classes": self.classes}

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """Endless batches of constant size.

        "image" is float32 (n, channels, height, width) in [-1, 1], "point" float32 (n, dimensions) in the data's own
        units, "label" int64 (n,) where there are labels. Every epoch is a permutation of its own, a pure function of
        `seed` and its number, and batches are cut from the epochs in a row. `used` is the number of samples already
        used: the stream goes on exactly there. `shard` takes from each batch what this process needs of it.
        """
        raise NotImplementedError

    def skip(self, broken: Iterable[int]) -> None:
        """Note that these samples, by number, cannot be read."""

    def first(self, batch: int, seed: int) -> dict[str, Tensor]:
        """The first of `batches(batch, seed)`, without using it up."""
        return next(self.batches(batch, seed))

    def to(self, device: torch.device | str) -> Self:
        """Have batches made on that device, where this is possible; returns itself."""
        self.device = torch.device(device)
        return self

    def _batch(self, pixels: Tensor, places: Tensor) -> dict[str, Tensor]:
        made = {"image": normalize_images(to_device(pixels, self.device))}
        if self.labels is not None:
            made["label"] = to_device(self.labels.index_select(0, places), self.device)
        return made


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on that device, without waiting for the copy."""
    if device.type == "cuda" and not tensor.is_cuda:
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def normalize_images(images: Tensor) -> Tensor:
    """uint8 images as float32 in [-1, 1]."""
    # By a product, since a quotient rounds differently on the CPU and on CUDA.
    return images.float().mul_(1 / 127.5).sub_(1)
