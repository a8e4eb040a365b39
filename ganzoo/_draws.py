"""Random numbers for the samples of a batch, whichever of several processes has them."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import torch
from torch import Tensor

from ganzoo.errors import BadInput


def batch_length(batch: Mapping[str, Tensor]) -> int:
    """Return the number of samples in a batch: the length of its first tensor."""
    return len(next(iter(batch.values())))


class Batch(dict[str, Tensor]):
    """A dict of tensors. A key that is missing raises `BadInput`, which names the keys that exist."""

    def __missing__(self, key: str) -> NoReturn:
        raise BadInput(f"the batch has no '{key}'; it has {', '.join(map(repr, self)) or 'nothing'}")


class Draws:
    """Draws numbers for the whole batch of all processes, and returns the rows of this one, on the batch's device.

    `batch` is what this process has: its rows of `parts` equal parts, each of which all processes share.
    """

    def __init__(
        self, rng: torch.Generator, batch: Mapping[str, Tensor], rank: int, processes: int, parts: int = 1
    ) -> None:
        self.rng, self.batch, self.rank, self.processes, self.parts = rng, batch, rank, processes, parts

    def draw(self, function: Callable[..., Tensor], *shape: Any) -> Tensor:
        """Return `function(*shape)`; a first axis that is as long as the batch, or a multiple of it, is of samples."""
        shape = tuple(shape[0]) if shape and not isinstance(shape[0], int) else shape  # one torch.Size works as well
        if self.processes == 1 or not shape or shape[0] % batch_length(self.batch):
            return self._put(function(*shape, generator=self.rng))
        return self._put(self._shard(function(shape[0] * self.processes, *shape[1:], generator=self.rng)))

    def latent(self, latent: Callable[[int, torch.Generator], dict[str, Tensor]]) -> dict[str, Tensor]:
        """Return what a generator's `latent` draws."""
        drawn = latent(batch_length(self.batch) * self.processes, self.rng)
        return {key: self._put(self._shard(value)) for key, value in drawn.items()}

    def _shard(self, whole: Tensor) -> Tensor:
        if self.processes == 1:
            return whole
        length = batch_length(self.batch) // self.parts
        return torch.unflatten(whole, 0, (-1, self.processes, length))[:, self.rank].flatten(0, 1)

    def _put(self, drawn: Tensor) -> Tensor:
        return drawn.to(next(iter(self.batch.values())).device, non_blocking=True)
