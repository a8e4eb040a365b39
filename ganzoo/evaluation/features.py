"""Six metrics of the features that a network finds in samples, against those of real ones."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ganzoo.errors import BadInput
from ganzoo.evaluation import metrics, prdc
from ganzoo.evaluation.real import RealSamples
from ganzoo.evaluation.suites import Metric, Pieces, Suite

NEIGHBOURS_FOR_PRECISION, NEIGHBOURS_FOR_DENSITY = 3, 5
"""A ball reaches to that nearest neighbour, as each pair of metrics was published."""
MIN_REFERENCE, MAX_REFERENCE = 1000, 10_000
"""As many real samples as others are measured are compared with, between these numbers, if there are so many."""
MIN_SAMPLES = 50
"""With fewer samples on either side nothing is measured."""


@dataclass
class Features:
    """Features (n, d) of samples; what is computed from them is kept."""

    values: Tensor

    @cached_property
    def moments(self) -> dict[str, Tensor]:
        """What `metrics.frechet_distance` needs of them."""
        return metrics.moments(self.values)

    @cached_property
    def directions(self) -> Tensor:
        """The features with length 1, which KID compares."""
        return normalize(self.values.double())

    @cached_property
    def similarity(self) -> float:
        """The mean of KID's kernel over all pairs of them."""
        return metrics.mean_kernel(self.directions)

    @cached_property
    def radii(self) -> dict[int, Tensor]:
        """The distance of each to its k-th nearest neighbour, for both k."""
        return prdc.all_radii(self.values, (NEIGHBOURS_FOR_PRECISION, NEIGHBOURS_FOR_DENSITY))


class FeatureSuite(Suite[Features]):
    """FD, KID, precision, recall, density and coverage by the features of a network, for samples of any kind.

    A class of a plugin names the network in `name` and the metrics by `prefix`, and overrides `extract`; `describe`
    says in the protocol how samples become features. Samples are compared with the part of the data that was held out
    of the training (`data.holdout`), and samples of the training are the control: a ratio of 1 says that samples are as
    near to unseen data as the training data are. Where fewer were trained on than are measured, the control is another
    part of what was held out. Where nothing was held out, both are parts of the data. The protocol says so.
    """

    prefix: str
    """What the names of the metrics begin with, such as "lite0" in "lite0-fd"."""

    def __init__(self, real: RealSamples) -> None:
        super().__init__(real)
        prefix = self.prefix
        self._reference: Features | None = None
        self.watched = (f"{prefix}-fd", f"{prefix}-coverage")
        self.metrics = {
            f"{prefix}-fd": Metric(f"FD ({self.name})", self.frechet_distance, "lower", MIN_SAMPLES),
            f"{prefix}-kid": Metric(f"KID ({self.name})", self.kernel_distance, "lower", MIN_SAMPLES),
            f"{prefix}-precision": Metric(f"precision ({self.name})", self.precision, "higher", MIN_SAMPLES),
            f"{prefix}-recall": Metric(f"recall ({self.name})", self.recall, "higher", MIN_SAMPLES),
            f"{prefix}-density": Metric(f"density ({self.name})", self.density, "higher", MIN_SAMPLES),
            f"{prefix}-coverage": Metric(f"coverage ({self.name})", self.coverage, "higher", MIN_SAMPLES),
        }

    @abstractmethod
    def extract(self, samples: Tensor) -> Tensor:
        """Return the features (n, d) of samples (n, ...) as users get them, such as images in [0, 1]."""

    def describe(self) -> dict[str, Any]:
        """Return what a protocol says of the network: hash of its weights, size and scale of what it sees."""
        return {}

    def observe(self, pieces: Pieces) -> Features:
        """Find the features of samples."""
        outputs = self.real.outputs
        return Features(torch.cat([self.extract(outputs.select(samples)).cpu() for samples, _ in pieces]))

    def control(self, n: int) -> Features:
        """Find the features of `n` real samples, and of those that they and generated ones are compared with."""
        count, real, held = self.count_reference(n), self.real, self.real.held_out
        self._reference = self.observe(held.pieces(count) if held else real.pieces(count, skip=n))
        return self.observe(held.pieces(n, skip=count) if held and learned_fewer(real, n) else real.pieces(n))

    def most_samples(self) -> int | None:
        """Return `count_comparable`."""
        return count_comparable(self.real)

    def count_reference(self, n: int) -> int:
        """Return how many real samples `n` others are compared with. Raises `BadInput` for data that have too few."""
        most, held = self.most_samples(), self.real.held_out
        if most is not None and n > most:
            raise BadInput(f"{say_available(self.real)}: measure at most {most:,}, not {n:,}")
        count = held.data.count if held else self.real.data.count
        wanted = min(max(n, MIN_REFERENCE), MAX_REFERENCE)
        both = not held or learned_fewer(self.real, n)
        return wanted if count is None else min(wanted, count - n if both else count)

    @property
    def reference(self) -> Features:
        """The features that samples are compared with. Raises `ValueError` before the first `control`."""
        if self._reference is None:
            raise ValueError("there is nothing to compare with: call control(n) first")
        return self._reference

    def protocol(self, n: int) -> dict[str, Any]:
        """Return the network, counts, neighbours and kernel."""
        name, count, held = self.real.name, self.count_reference(n), self.real.held_out is not None
        return {
            **self.describe(),
            "reference": f"{count} samples of {name}" + " that were held out" * held,
            "real": f"{n} other samples of {name}" + self._say_control(n),
            "k_precision_recall": NEIGHBOURS_FOR_PRECISION,
            "k_density_coverage": NEIGHBOURS_FOR_DENSITY,
            "kid_kernel": "(x . y + 1)^3 of features of length 1, over all pairs",
        }

    def _say_control(self, n: int) -> str:
        if not self.real.held_out:
            return ""
        return " that were held out, too" if learned_fewer(self.real, n) else ", those of the training"

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` if the samples of a model have another shape than the data."""
        check_same_shape(data, self.real)

    def frechet_distance(self, samples: Features) -> float:
        """Return the Frechet distance (Heusel et al. 2017, equation 6)."""
        return metrics.frechet_distance(self.reference.moments, samples.values)

    def kernel_distance(self, samples: Features) -> float:
        """Return KID on features of length 1 (Binkowski et al. 2018, section 4), over all pairs."""
        real = self.reference
        return samples.similarity + real.similarity - 2 * metrics.mean_kernel(samples.directions, real.directions)

    def precision(self, samples: Features) -> float:
        """Return the share of samples that lie among real ones."""
        real = self.reference
        return prdc.covered_share(samples.values, real.values, real.radii[NEIGHBOURS_FOR_PRECISION])

    def recall(self, samples: Features) -> float:
        """Return the share of real samples that lie among samples."""
        return prdc.covered_share(self.reference.values, samples.values, samples.radii[NEIGHBOURS_FOR_PRECISION])

    def density(self, samples: Features) -> float:
        """Return how densely real samples lie around samples; about 1 for real ones."""
        k, real = NEIGHBOURS_FOR_DENSITY, self.reference
        return prdc.density(samples.values, real.values, real.radii[k], k)

    def coverage(self, samples: Features) -> float:
        """Return the share of real samples that have a sample near them."""
        real = self.reference
        return prdc.coverage(samples.values, real.values, real.radii[NEIGHBOURS_FOR_DENSITY])


def count_comparable(real: RealSamples) -> int | None:
    """Return how many samples can be compared with real ones at most; None where there is no end.

    It is the number of samples that were trained on, or half of those that were held out, if that is more. Where none
    were held out it is half of all. Raises `BadInput` for few.
    """
    held = real.held_out
    if held and held.data.count is not None and held.data.count < MIN_SAMPLES:
        there = f"{real.name} holds {held.data.count} {real.kind.plural} out"
        raise BadInput(f"{there}, and {MIN_SAMPLES} are needed: raise data.holdout")
    if (count := real.data.count) is None:
        return None
    most = max(count, (held.data.count or 0) // 2) if held else count // 2
    if most < MIN_SAMPLES:
        raise BadInput(f"{say_available(real)}: too few, at least {MIN_SAMPLES} are measured")
    return most


def learned_fewer(real: RealSamples, n: int) -> bool:
    """Return whether fewer than `n` samples were trained on, so that others have to be the control."""
    return real.data.count is not None and real.data.count < n


def say_available(real: RealSamples) -> str:
    """Say how many real samples there are."""
    apart = "" if real.held_out else ", half of them to compare with"
    return f"{real.name} has {real.data.count:,} {real.kind.plural}{apart}"


def check_same_shape(data: Mapping[str, Any], real: RealSamples) -> None:
    """Raise `BadInput` if the samples of a model have another shape than the data."""
    made, given = tuple(data.get("shape") or ()), real.data.specs[real.outputs.main].shape
    if made != given:
        shapes = [" x ".join(map(str, shape)) or "no shape" for shape in (made, given)]
        raise BadInput(f"this model makes {real.kind.plural} of {shapes[0]}, {real.name} has {shapes[1]}")
