"""Equal mixtures of Gaussians in the plane, on which mode collapse can be counted: ring8 and grid25."""

from dataclasses import dataclass
from math import cos, pi, sin

import torch
from torch import Tensor

from ganzoo._seeds import make_rng

TRAINING_POINTS = 100_000


@dataclass(frozen=True)
class Gaussians:
    """A mixture of equally likely, round Gaussians with `means` (x, y) and one standard deviation `sigma`."""

    name: str
    means: tuple[tuple[float, float], ...]
    sigma: float

    def draw(self, n: int, *purpose: object) -> Tensor:
        """Draw `n` independent points, float32 (n, 2); the same `purpose` always gives the same points."""
        rng = make_rng(self.name, *purpose)
        centres = torch.tensor(self.means)[torch.randint(len(self.means), (n,), generator=rng)]
        return centres + self.sigma * torch.randn(n, 2, generator=rng)


RING_MEANS = tuple((cos(2 * pi * number / 8), sin(2 * pi * number / 8)) for number in range(8))
GRID_MEANS = tuple((2.0 * column - 4, 2.0 * row - 4) for column in range(5) for row in range(5))

MIXTURES = {"ring8": Gaussians("ring8", RING_MEANS, 0.01), "grid25": Gaussians("grid25", GRID_MEANS, 0.05)}
"""The 2D ring and the 2D grid of PacGAN (Lin et al. 2018, section 4.1), in the paper's units."""
