"""Sliced Wasserstein distance between pixels: needs no trained network and works for images of any kind."""

from collections.abc import Collection, Sequence
from functools import cached_property
from math import prod

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from ganzoo._seeds import make_rng, seed_of
from ganzoo.data.base import Data
from ganzoo.dataset import Spec
from ganzoo.evaluation.suites import Better, Pieces
from ganzoo.zoo.kept import read_real
from ganzoo.zoo.sampling import concatenate

MAX_IMAGES = 1024
"""Images on each side of a comparison, fewer if the data have fewer or they exceed `MAX_VALUES`."""
MAX_VALUES = 2**26
"""Values of pixels in memory on each side of a comparison."""
MIN_IMAGES = 64
"""With fewer images nothing is compared."""
MAX_SIDE = 32
"""Larger images are averaged down to this many pixels a side."""
DIRECTIONS = 512
IMAGE_AXES = 4
"""(n, channels, height, width)."""


class SlicedWasserstein:
    """Measures the sliced Wasserstein distance from samples to real images, as a ratio to that between real images.

    Near 1 the samples are as close to real images as other real images are; noise is at 10 to 20. It compares pixels,
    so it detects a mode collapse, but cannot tell good samples from very good ones. Real images are read when first
    needed. `count` is the number of samples that it compares; 0 where the data have no images or too few. Of several
    outputs it compares the first of `makes` that is an image.

    Samples that are made from `inputs`, keys of the data, are to be made from `inputs` of this object: they belong to
    the other real images, so that a generator which returns the real image is at 1.
    """

    key: str = "swd_ratio"
    better: Better = "lower"

    def __init__(
        self, data: Data, seed: int, inputs: Collection[str] = (), makes: str | Sequence[str] = "image"
    ) -> None:
        self.data, self.seed, self.input_keys = data, seed_of("yardstick", seed), inputs
        images = [key for key in ([makes] if isinstance(makes, str) else makes) if is_image(data.specs.get(key))]
        self.image = images[0] if images else ""
        fitting = MAX_VALUES // prod(data.specs[self.image].shape) if images else 0
        available = (data.count or 0) // 2
        self.count = min(MAX_IMAGES, fitting, available) if min(fitting, available) >= MIN_IMAGES else 0

    def measure(self, pieces: Pieces) -> dict[str, float]:
        """Return the ratio under `key`; empty where the samples have no images."""
        samples = concatenate([samples for samples, _ in pieces])
        images = samples.get(self.image) if isinstance(samples, dict) else samples
        return {} if images is None or images.dim() != IMAGE_AXES else {self.key: self.ratio(images * 2 - 1)}

    def ratio(self, samples: Tensor) -> float:
        """Return the distance of `samples` (`count`, channels, height, width; in [-1, 1]) over that of real images."""
        real, unit, _ = self._real
        projected = project_and_sort(to_vectors(samples), self._directions(samples))
        return wasserstein_distance(projected, real) / max(unit, 1e-12)

    @property
    def inputs(self) -> dict[str, Tensor]:
        """Distinct real inputs, one for each sample that is to be measured."""
        return self._real[2]

    @cached_property
    def _real(self) -> tuple[Tensor, float, dict[str, Tensor]]:
        """Projected real images, the distance of other real images from them, and the inputs of those others."""
        found = read_real(self.data, [self.image, *self.input_keys], 2 * self.count, self.seed)
        directions = self._directions(found[self.image])
        one, other = (project_and_sort(half, directions) for half in to_vectors(found[self.image]).chunk(2))
        inputs = {key: found[key][self.count :].clone() for key in self.input_keys}
        return one, wasserstein_distance(one, other), inputs

    def _directions(self, images: Tensor) -> Tensor:
        size = to_vectors(images[:1]).shape[1]
        return normalize(torch.randn(DIRECTIONS, size, generator=make_rng("directions")), dim=1)


def is_image(spec: Spec | None) -> bool:
    """Return whether a key of the data holds images."""
    return spec is not None and spec.kind == "image" and len(spec.shape) == IMAGE_AXES - 1


def project_and_sort(points: Tensor, directions: Tensor) -> Tensor:
    """Project points (n, d) onto each direction (k, d; unit rows) and sort them there: (k, n)."""
    return (directions @ points.T).sort(1).values


def wasserstein_distance(one: Tensor, other: Tensor) -> float:
    """Return the mean Wasserstein-1 distance over all directions of two sets from `project_and_sort`.

    Rabin et al. 2011, "Wasserstein barycenter and its application to texture mixing".
    """
    return (one - other).abs().mean().item()


def to_vectors(images: Tensor) -> Tensor:
    """Flatten images into vectors (n, d) on the CPU; average those larger than `MAX_SIDE` down first."""
    height, width = (min(MAX_SIDE, side) for side in images.shape[2:])
    return adaptive_avg_pool2d(images, (height, width)).flatten(1).cpu()
