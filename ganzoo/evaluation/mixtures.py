"""Mode coverage on the mixtures ring8 and grid25, as PacGAN measures it (Lin et al. 2018, section 4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import exp, log
from typing import Any

import torch
from torch import Tensor

from ganzoo.data.mixtures import MIXTURES
from ganzoo.errors import BadInput, suggest
from ganzoo.evaluation.suites import Metric, Pieces, Suite, select_outputs

HIGH_QUALITY_SIGMAS = 3
"""Standard deviations from the nearest mode within which a sample is of high quality."""
PUBLISHED_SAMPLES = 2500
"""Samples that published figures are of."""
MAX_CONTROL_POINTS = 1_000_000
"""Fresh points that there are to compare with."""
POINTS_PER_CHUNK = 10_000
"""Points whose distances to all modes are in memory at once."""


@dataclass(frozen=True)
class ModeCounts:
    """What the metrics look at: how many samples of high quality each mode has, (modes,), and of how many in all."""

    counts: Tensor
    n: int


def count_modes(observed: ModeCounts) -> float:
    """Modes that at least one sample of high quality lies at."""
    return float((observed.counts > 0).sum())


def high_quality_share(observed: ModeCounts) -> float:
    """The share of samples less than three standard deviations away from their nearest mode, in [0, 1]."""
    return observed.counts.sum().item() / observed.n


def reverse_kl(observed: ModeCounts) -> float:
    """KL(generated || real) over the modes, in nats: the generated share of each against the equal shares of the real.

    The shares are of the samples of high quality, as the paper's code counts them. From 0 to the logarithm of the
    number of modes, which it also is where no sample is of high quality. A perfect sampler of n samples is at about
    (modes - 1) / 2n and not at 0.
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


class MixtureSuite(Suite):
    """The metrics of mode coverage for samples of the mixture of that name. Raises `BadInput` for an unknown one."""

    metrics = MIXTURE_METRICS
    watched = ("reverse-kl", "high-quality")

    def __init__(self, name: str) -> None:
        if name not in MIXTURES:
            raise BadInput(f"there is no mixture '{name}'; {suggest(name, MIXTURES)}")
        self.name, self.mixture = name, MIXTURES[name]

    def observe(self, pieces: Pieces) -> ModeCounts:
        """How many of the points, each piece (n, 2), are near each mode."""
        seen = [self._near(select_outputs("point", (2,), samples)) for samples, _ in pieces]
        return ModeCounts(sum(counts for counts, _ in seen), sum(n for _, n in seen))

    def control(self, n: int) -> ModeCounts:
        """What `observe` would return of `n` fresh points of the mixture."""
        if n > MAX_CONTROL_POINTS:
            raise BadInput(
                f"{n:,} samples are more than the {MAX_CONTROL_POINTS:,} points of {self.name} "
                "that they are compared with"
            )
        return self.observe((points, {}) for points in self.mixture.draw(n, "control").split(POINTS_PER_CHUNK))

    def protocol(self, n: int) -> dict[str, Any]:
        """Mixture, counts and the definition of high quality, with what a perfect sampler is at."""
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

    def _near(self, points: Tensor) -> tuple[Tensor, int]:
        """How many of the points are near each mode, and how many they are."""
        means = torch.tensor(self.mixture.means, dtype=torch.float64)
        distances, nearest = torch.linalg.vector_norm(points.double()[:, None] - means, dim=2).min(1)
        near = nearest[distances < HIGH_QUALITY_SIGMAS * self.mixture.sigma]
        return torch.bincount(near, minlength=len(means)), len(points)


ring8, grid25 = partial(MixtureSuite, "ring8"), partial(MixtureSuite, "grid25")
"""The suites by the names of their data."""
