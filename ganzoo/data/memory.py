"""Data that lie in memory whole: images, points, and the order in which samples are drawn."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Self

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

from ganzoo._seeds import make_rng
from ganzoo.data.base import Data, Shard, keep_whole, to_device
from ganzoo.errors import BadInput


class InMemory(Data):
    """Images (uint8, (n, channels, height, width)) and perhaps labels (int64, (n,)) as two tensors.

    Raises `BadInput` for images of another type or shape, and where there is none.
    """

    def __init__(
        self,
        name: str,
        images: Tensor,
        labels: Tensor | None = None,
        classes: Sequence[str] = (),
        notes: Iterable[str] = (),
    ) -> None:
        if images.dtype != torch.uint8 or images.dim() != 4 or not images.numel():
            got = f"{images.dtype} of shape {tuple(images.shape)}"
            raise BadInput(f"{name}: images must be uint8 of shape (n, channels, height, width), got {got}")
        super().__init__(name, tuple(images.shape[1:]), classes=classes, labels=labels, count=len(images), notes=notes)
        self.images = images

    def __len__(self) -> int:
        return self.count

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """As in `Data`; a batch costs one gather, and on a GPU no synchronisation."""
        for places in map(shard, batch_indices(self.count, batch, seed, used, self.device)):
            yield self._batch(self.images.index_select(0, places), places)

    def to(self, device: torch.device | str) -> Self:
        """Move all images and labels there."""
        self.images = self.images.to(device)
        self.labels = None if self.labels is None else self.labels.to(device)
        return super().to(device)


class Points(Data):
    """Points (float32, (n, dimensions)) as one tensor, in whatever units they have."""

    def __init__(self, name: str, points: Tensor) -> None:
        super().__init__(name, None, point=tuple(points.shape[1:]), count=len(points))
        self.points = points

    def __len__(self) -> int:
        return self.count

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """As in `Data`; a batch costs one gather."""
        for places in map(shard, batch_indices(self.count, batch, seed, used, self.device)):
            yield {"point": self.points.index_select(0, places)}

    def to(self, device: torch.device | str) -> Self:
        """Move all points there."""
        self.points = self.points.to(device)
        return super().to(device)


def resize_images(images: Tensor, size: int, channels: int) -> tuple[Tensor, list[str]]:
    """uint8 images as squares of `size` with 1 or 3 channels, and what to say of the change."""
    notes, before = [], tuple(images.shape[1:])
    if channels != before[0]:
        images = (functional.rgb_to_grayscale if channels == 1 else functional.grayscale_to_rgb)(images)
        notes.append(f"converted the images to {'grey' if channels == 1 else 'RGB'}")
    if (size, size) != before[1:]:
        # In parts, since it works in float32.
        images = torch.cat([functional.resize(part, [size, size]) for part in images.split(1000)])
        notes.append(f"resized the images from {before[1]} x {before[2]} to {size} x {size}")
    return images.contiguous(), notes


def batch_indices(
    count: int, batch: int, seed: int, used: int = 0, device: torch.device | str = "cpu"
) -> Iterator[Tensor]:
    """Which samples each batch has (int64, (batch,)): permutations of `count` in a row, cut into equal pieces.

    The first `used` samples of that row are passed over.
    """
    device = torch.device(device)
    epoch, begun = divmod(used, count)
    left = permute_epoch(count, seed, epoch, device)[begun:]
    while True:
        while len(left) < batch:
            epoch += 1
            left = torch.cat([left, permute_epoch(count, seed, epoch, device)])
        yield left[:batch]
        left = left[batch:]


def permute_epoch(count: int, seed: int, epoch: int, device: torch.device) -> Tensor:
    """The order of one epoch."""
    return to_device(torch.randperm(count, generator=make_rng("epoch", seed, epoch)), device)
