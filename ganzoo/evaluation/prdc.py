"""Precision and recall, density and coverage: how far real and generated features lie among each other.

Distances are computed in chunks of rows, never as one n x n matrix.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

ROWS_PER_CHUNK = 500
"""Rows of a matrix of distances that are in memory at once."""


def radii(features: Tensor, k: int) -> Tensor:
    """The distance of each of the features (n, d) to its k-th nearest neighbour, itself not counted: (n,)."""
    return torch.cat([rows.kthvalue(k + 1, dim=1).values for rows in distances(features, features)])


def covered_share(points: Tensor, centres: Tensor, radius: Tensor) -> float:
    """The share of points (n, d) that lie in at least one ball around the centres (m, d).

    With generated points and real balls this is the precision, the other way round the recall (Kynkaanniemi et al.
    2019, "Improved precision and recall metric for assessing generative models", section 2).
    """
    inside = [(rows <= radius).any(1) for rows in distances(points, centres)]
    return torch.cat(inside).double().mean().item()


def density(points: Tensor, centres: Tensor, radius: Tensor, k: int) -> float:
    """In how many balls of radius `k` nearest neighbours a point lies, in units of `k`; real points have about 1.

    Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models", equation 4.
    """
    balls = sum((rows <= radius).sum().item() for rows in distances(points, centres))
    return balls / (k * len(points))


def coverage(points: Tensor, centres: Tensor, radius: Tensor) -> float:
    """The share of real balls that hold at least one generated point (Naeem et al. 2020, equation 5)."""
    covered = [
        rows.amin(1) <= part
        for rows, part in zip(distances(centres, points), radius.split(ROWS_PER_CHUNK), strict=True)
    ]
    return torch.cat(covered).double().mean().item()


def distances(points: Tensor, others: Tensor) -> Iterator[Tensor]:
    """Euclidean distances (`ROWS_PER_CHUNK`, m) of points (n, d) to the others (m, d), in float64."""
    others = others.double()
    for part in points.double().split(ROWS_PER_CHUNK):
        yield torch.cdist(part, others)
