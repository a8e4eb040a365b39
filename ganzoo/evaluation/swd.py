"""How near samples come to real ones: a measure that needs no trained network and fits images of any kind."""

from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from ganzoo._faults import call_plugin
from ganzoo._seeds import make_rng, seed_of
from ganzoo.data.base import Data
from ganzoo.evaluation.suites import Pieces
from ganzoo.pictures.layout import select_showable
from ganzoo.zoo.sampling import concatenate

MAX_IMAGES = 1024
"""Images on each side of a comparison, as far as there are so many and they fit into `MAX_VALUES`."""
MAX_VALUES = 2**26
MIN_IMAGES = 64
"""With fewer images nothing is compared."""
MAX_SIDE = 32
"""Larger images are averaged down to this many pixels a side."""
DIRECTIONS = 512
READ_BATCH = 64
"""Images that are read at once."""


class SlicedWasserstein:
    """The sliced Wasserstein distance from samples to real images, in units of that between real images.

    Near 1 the samples are as close to real images as other real images are; noise is at 10 to 20. It compares pixels,
    so it tells a collapse from variety, but not good from very good. Real images are read when first needed.
    `count` is the number of samples that it compares; 0 where the data are no images or too few to say anything.
    """

    key, better = "swd_ratio", "lower"

    def __init__(self, data: Data, seed: int) -> None:
        self.data, self.seed = data, seed_of("yardstick", seed)
        fitting = MAX_VALUES // torch.Size(data.image).numel() if data.image else 0
        there = (data.count or 0) // 2
        self.count = min(MAX_IMAGES, fitting, there) if min(fitting, there) >= MIN_IMAGES else 0

    def measure(self, pieces: Pieces) -> dict[str, float]:
        """The ratio of samples as `Model.blocks` gives them; empty where they have no images that can be shown."""
        images = select_showable(concatenate([samples for samples, _ in pieces]))
        return {} if images is None else {self.key: self.ratio(images * 2 - 1)}

    def ratio(self, samples: Tensor) -> float:
        """The distance of `samples` (`count`, channels, height, width; in [-1, 1]) in those units."""
        real, unit = self._real
        return wasserstein_distance(project_and_sort(to_vectors(samples), self._directions(samples)), real) / max(
            unit, 1e-12
        )

    @cached_property
    def _real(self) -> tuple[Tensor, float]:
        """Real images, and how far others are from them."""
        needed, batches = 2 * self.count, self.data.batches(READ_BATCH, self.seed)
        read = [call_plugin("the data", next, batches)["image"].cpu() for _ in range(0, needed, READ_BATCH)]
        images = torch.cat(read)[:needed]
        one, other = (project_and_sort(half, self._directions(images)) for half in to_vectors(images).chunk(2))
        return one, wasserstein_distance(one, other)

    def _directions(self, images: Tensor) -> Tensor:
        size = to_vectors(images[:1]).shape[1]
        return normalize(torch.randn(DIRECTIONS, size, generator=make_rng("directions")), dim=1)


def project_and_sort(points: Tensor, directions: Tensor) -> Tensor:
    """Where points (n, d) lie along each direction (k, d; unit rows), in order: (k, n)."""
    return (directions @ points.T).sort(1).values


def wasserstein_distance(one: Tensor, other: Tensor) -> float:
    """The mean over all directions of the Wasserstein-1 distance between two sets that are `project_and_sort` them.

    Rabin et al. 2011, "Wasserstein barycenter and its application to texture mixing".
    """
    return (one - other).abs().mean().item()


def to_vectors(images: Tensor) -> Tensor:
    """Images as vectors (n, d), larger ones than `MAX_SIDE` averaged down."""
    size = [min(MAX_SIDE, side) for side in images.shape[2:]]
    return adaptive_avg_pool2d(images, size).flatten(1).cpu()
