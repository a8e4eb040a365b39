"""Mode coverage on the mixtures ring8 and grid25, as PacGAN measures it (Lin et al. 2018, section 4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Any

import torch
from torch import Tensor

from ganzoo.data.mixtures import MIXTURES
from ganzoo.errors import BadInput, suggest
from ganzoo.evaluation.suites import Metric, Pieces, Suite, select_output

HIGH_QUALITY_SIGMAS = 3
"""A sample is of high quality if it is less than this many standard deviations from the nearest mode."""
PUBLISHED_SAMPLES = 2500
"""Samples that published results are computed from."""
MAX_CONTROL_POINTS = 1_000_000
"""The largest number of real points to compare with."""
POINTS_PER_CHUNK = 10_000
"""Points whose distances to all modes are in memory at once."""


@dataclass(frozen=True)
class ModeCounts:
    """The number of samples of high quality at each mode, int64 (modes,), and the number `n` of all samples."""

    counts: Tensor
    n: int


def count_modes(observed: ModeCounts) -> float:
    """Return how many modes have at least one sample of high quality."""
    return float((observed.counts > 0).sum())


def high_quality_share(observed: ModeCounts) -> float:
    """Return the share of samples of high quality, in [0, 1]."""
    return observed.counts.sum().item() / observed.n


def reverse_kl(observed: ModeCounts) -> float:
    """Return KL(generated || real) over the modes, in nats; real points have the same share at each mode.

    The generated shares are those of the samples of high quality, as in the paper's code. From 0 to the logarithm of
    the number of modes, which is also the value without any sample of high quality. A perfect sampler of n samples has
    about (modes - 1) / 2n, not 0.
    """
    counts = observed.counts.double()
    if not counts.any():
        return log(len(counts))
    shares = counts[counts > 0] / counts.sum()
    return (shares * (shares * len(counts)).log()).sum().item()


MIXTURE_METRICS = {
    "modes": Metric("modes", count_modes, "higher", least=1),
    "high-quality": Metric("high quality", high_quality_share, "higher", least=1),
    "reverse-kl": Metric("reverse KL", reverse_kl, "lower", least=1),
}


class MixtureSuite(Suite[ModeCounts]):
    """The metrics of mode coverage for samples of one mixture, by its name. Raises `BadInput` for an unknown name."""

    metrics = MIXTURE_METRICS
    watched = ("reverse-kl", "high-quality")

    def __init__(self, name: str) -> None:
        if name not in MIXTURES:
            raise BadInput(f"there is no mixture '{name}'; {suggest(name, MIXTURES)}")
        self.name, self.mixture = name, MIXTURES[name]

    def observe(self, pieces: Pieces) -> ModeCounts:
        """Count the points (n, 2) of high quality at each mode."""
        counts, n = torch.zeros(len(self.mixture.means), dtype=torch.int64), 0
        for samples, _ in pieces:
            points = select_output("point", (2,), samples)
            counts += self._count(points)
            n += len(points)
        return ModeCounts(counts, n)

    def control(self, n: int) -> ModeCounts:
        """Count `n` points that are drawn independently of the training set."""
        if n > MAX_CONTROL_POINTS:
            raise BadInput(
                f"{n:,} samples are more than the {MAX_CONTROL_POINTS:,} points of {self.name} "
                "that they are compared with"
            )
        points = torch.split(self.mixture.draw(n, "control"), POINTS_PER_CHUNK)
        return self.observe((chunk, {}) for chunk in points)

    def protocol(self, n: int) -> dict[str, Any]:
        """Return mixture, counts and the definition of high quality, with the expected values of a perfect sampler."""
        count = len(self.mixture.means)
        return {
            "modes": count,
            "sigma": self.mixture.sigma,
            "real": f"{n} fresh points",
            "high_quality": f"less than {HIGH_QUALITY_SIGMAS} sigma from the nearest mode",
            "perfect_high_quality": round(1 - exp(-(HIGH_QUALITY_SIGMAS**2) / 2), 4),
            "perfect_reverse_kl": round((count - 1) / (2 * n), 5),
            "source": "PacGAN, Lin et al. 2018, section 4.1",
        }

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` unless the samples are points in the plane."""
        if data["kind"] != "point" or list(data["shape"]) != [2]:
            raise BadInput(f"the modes of {self.name} are those of points in the plane, which this model does not make")

    def _count(self, points: Tensor) -> Tensor:
        """Count the points of high quality at each mode, int64 (modes,)."""
        means = torch.tensor(self.mixture.means, dtype=torch.float64)
        distances, nearest = torch.linalg.vector_norm(points.double()[:, None] - means, dim=2).min(1)
        near = nearest[distances < HIGH_QUALITY_SIGMAS * self.mixture.sigma]
        return torch.bincount(near, minlength=len(means))
