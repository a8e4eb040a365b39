"""Data that are held in memory: images, points, and the order in which samples are drawn."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Self, Unpack

import torch
from torch import Tensor

from ganzoo._seeds import make_rng
from ganzoo.data.base import Data, FolderFacts, Shard, image_shape, keep_whole, to_device
from ganzoo.errors import BadInput


class InMemory(Data):
    """Images (n, channels, height, width) and, if labelled, their labels (int64, (n,)) as two tensors.

    Images are uint8, or float32 in [0, 1]. Raises `BadInput` for images of another type or shape, and for none.
    """

    def __init__(
        self,
        name: str,
        images: Tensor,
        labels: Tensor | None = None,
        classes: Sequence[str] = (),
        notes: Iterable[str] = (),
        **folder: Unpack[FolderFacts],
    ) -> None:
        if images.dtype not in (torch.uint8, torch.float32) or images.dim() != 4 or not images.numel():
            got = f"{images.dtype} of shape {tuple(images.shape)}"
            raise BadInput(f"{name}: images must be uint8 or float32, (n, channels, height, width), got {got}")
        shape = image_shape(images)
        super().__init__(name, shape, classes=classes, labels=labels, count=len(images), notes=notes, **folder)
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """Yield batches as `Data.batches` does; each costs one gather, without synchronisation on a GPU."""
        for indices in map(shard, batch_indices(len(self), batch, seed, used, self.device)):
            yield self._make_batch(self.images.index_select(0, indices), indices)

    def to(self, device: torch.device | str) -> Self:
        """Move all images and labels to that device; return itself."""
        self.images = self.images.to(device)
        self.labels = None if self.labels is None else self.labels.to(device)
        return super().to(device)


class Points(Data):
    """Points (float32, (n, dimensions)) as one tensor, in their own units."""

    def __init__(self, name: str, points: Tensor) -> None:
        count, dimensions = points.shape
        super().__init__(name, None, point=(dimensions,), count=count)
        self.points = points

    def __len__(self) -> int:
        return len(self.points)

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """Yield batches as `Data.batches` does; each costs one gather."""
        for indices in map(shard, batch_indices(len(self), batch, seed, used, self.device)):
            yield {"point": self.points.index_select(0, indices)}

    def to(self, device: torch.device | str) -> Self:
        """Move all points to that device; return itself."""
        self.points = self.points.to(device)
        return super().to(device)


def batch_indices(
    count: int, batch: int, seed: int, used: int = 0, device: torch.device | str = "cpu"
) -> Iterator[Tensor]:
    """Yield the indices of the samples of each batch, int64 (batch,), without end.

    Permutations of `count` samples follow one another, cut into equal batches. The first `used` samples are left out.
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
    """Draw the order of the samples in one epoch."""
    return to_device(torch.randperm(count, generator=make_rng("epoch", seed, epoch)), device)
