"""Precision and recall, density and coverage: how far the features of real and generated samples overlap.

Distances are computed in chunks of rows, never as one n x n matrix.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

ROWS_PER_CHUNK = 500
"""Rows of the distance matrix that are in memory at once."""


def radii(features: Tensor, k: int) -> Tensor:
    """Return the distance of each feature (n, d) to its k-th nearest neighbour, itself not counted: (n,)."""
    return torch.cat([rows.kthvalue(k + 1, dim=1).values for rows in distances(features, features)])


def all_radii(features: Tensor, ks: Sequence[int]) -> dict[int, Tensor]:
    """Return `radii` for several k, with every distance computed once."""
    nearest = [rows.topk(max(ks) + 1, dim=1, largest=False).values for rows in distances(features, features)]
    return {k: torch.cat([rows[:, k] for rows in nearest]) for k in ks}


def covered_share(points: Tensor, centres: Tensor, radius: Tensor) -> float:
    """Return the share of points (n, d) that lie in at least one ball around the centres (m, d), `radius` (m,).

    With generated points and real balls this is the precision, the other way round the recall (Kynkaanniemi et al.
    2019, "Improved precision and recall metric for assessing generative models", section 2).
    """
    inside = [(rows <= radius).any(1) for rows in distances(points, centres)]
    return torch.cat(inside).double().mean().item()


def density(points: Tensor, centres: Tensor, radius: Tensor, k: int) -> float:
    """Return the mean number of balls that a point lies in, divided by `k`; about 1 for real points.

    The balls around real centres reach to the k-th nearest neighbour. Naeem et al. 2020, "Reliable fidelity and
    diversity metrics for generative models", equation 4.
    """
    balls = sum((rows <= radius).sum().item() for rows in distances(points, centres))
    return balls / (k * len(points))


def coverage(points: Tensor, centres: Tensor, radius: Tensor) -> float:
    """Return the share of real balls that hold at least one generated point (Naeem et al. 2020, equation 5)."""
    chunks = zip(distances(centres, points), torch.split(radius, ROWS_PER_CHUNK), strict=True)
    covered = [rows.amin(1) <= part for rows, part in chunks]
    return torch.cat(covered).double().mean().item()


def distances(points: Tensor, others: Tensor) -> Iterator[Tensor]:
    """Yield the Euclidean distances from points (n, d) to others (m, d) in float64, `ROWS_PER_CHUNK` rows at a time."""
    others = others.double()
    for part in torch.split(points.double(), ROWS_PER_CHUNK):
        yield torch.cdist(part, others)
