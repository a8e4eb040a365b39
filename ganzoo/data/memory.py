"""Data that are held in memory, and the order in which samples are drawn."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Self, Unpack

import torch
from torch import Tensor

from ganzoo._seeds import make_rng
from ganzoo.data.base import About, Data, Shard, image_shape, keep_whole, to_device
from ganzoo.data.convert import find_kinds, to_network
from ganzoo.dataset import LABEL, Spec
from ganzoo.errors import BadInput


class InMemory(Data):
    """Samples as one tensor for each key, whose first axis is the sample; images are uint8, or float32 in [0, 1]."""

    def __init__(
        self, name: str, tensors: Mapping[str, Tensor], specs: Mapping[str, Spec], **about: Unpack[About]
    ) -> None:
        self.tensors = dict(tensors)
        super().__init__(name, specs, **about)
        self.count, self._kinds = len(self), find_kinds(self.specs, self.own_facts)

    def __len__(self) -> int:
        return len(next(iter(self.tensors.values())))

    @property
    def images(self) -> Tensor:
        """The images as they are held, uint8 (n, channels, height, width) or float32 in [0, 1]."""
        return self.tensors["image"]

    @property
    def labels(self) -> Tensor | None:
        """The labels, int64 (n,); None where there are none."""
        return self.tensors.get(LABEL)

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """Yield batches as `Data.batches` does; each costs one gather a key, without synchronisation on a GPU."""
        for indices in map(shard, batch_indices(len(self), batch, seed, used, self.device)):
            yield self.gather(indices)

    def gather(self, indices: Tensor) -> dict[str, Tensor]:
        """Return the batch of the samples with these indices."""
        return to_network(self._kinds, {key: each.index_select(0, indices) for key, each in self.tensors.items()})

    def renumber(self, names: Sequence[str], key: str) -> None:
        """Give each class of a key its place in `names`; no names drop the key."""
        numbers = self.tensors.pop(key, None)
        if names and numbers is not None:
            places = torch.tensor([names.index(name) for name in self.classes_of(key)], device=numbers.device)
            self.tensors[key] = places[numbers]

    def to(self, device: torch.device | str) -> Self:
        """Move all samples to that device; return itself."""
        self.tensors = {key: tensor.to(device) for key, tensor in self.tensors.items()}
        return super().to(device)


def hold_images(
    name: str, images: Tensor, labels: Tensor | None = None, classes: Sequence[str] = (), notes: Iterable[str] = ()
) -> InMemory:
    """Hold images (n, channels, height, width) and, if labelled, their labels (int64, (n,)).

    Images are uint8, or float32 in [0, 1]. Raises `BadInput` for images of another type or shape, and for none.
    """
    if images.dtype not in (torch.uint8, torch.float32) or images.dim() != 4 or not images.numel():
        got = f"{images.dtype} of shape {tuple(images.shape)}"
        raise BadInput(f"{name}: images must be uint8 or float32, (n, channels, height, width), got {got}")
    specs = {
        "image": Spec("image", image_shape(images), (-1, 1)),
        LABEL: Spec(LABEL if classes else "other", classes=tuple(classes)),
    }
    tensors = {"image": images} if labels is None else {"image": images, LABEL: labels}
    return InMemory(name, tensors, {key: specs[key] for key in tensors}, notes=notes)


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
