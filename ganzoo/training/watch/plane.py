"""Scenes of a game on points in the plane: real points, generated ones, and the discriminator's scores."""

from contextlib import suppress

import numpy as np
import torch
from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo._outputs import split_scores
from ganzoo.data.base import Data
from ganzoo.dataset import Spec
from ganzoo.engine.checks import eval_mode
from ganzoo.engine.loop import Engine
from ganzoo.errors import Error
from ganzoo.kinds.lookup import find_kind_or_missing
from ganzoo.kinds.point import Point
from ganzoo.pictures.points import Scene, square_around

POINTS_SHOWN = 1000
"""Real points in a scene, and generated ones."""
GRID_SIDE = 120
"""Points on a side of the grid for which the discriminator's score is shown."""


class Plane:
    """Some real points of the data, and a grid over the square around them."""

    def __init__(self, real: Tensor) -> None:
        self.real = real.cpu().numpy()
        self.span = square_around(self.real)
        left, right, bottom, top = self.span
        rows, columns = torch.linspace(bottom, top, GRID_SIDE), torch.linspace(left, right, GRID_SIDE)
        self.grid = torch.cartesian_prod(rows, columns).flip(1)

    @classmethod
    def from_data(cls, data: Data, seed: int) -> "Plane | None":
        """Return the plane of the data; None unless they are points in two dimensions."""
        key, spec = next(iter(data.specs.items()), ("", Spec()))
        kind = find_kind_or_missing(spec, data.facts)
        if not isinstance(kind, Point) or kind.not_drawn:
            return None
        return cls(call_plugin("the data", data.first, POINTS_SHOWN, seed)[key][:POINTS_SHOWN])

    def make_scene(self, engine: Engine, fake: Tensor) -> Scene:
        """Return the game as it stands, with these generated points (n, 2). Changes nothing in the training."""
        return Scene(self.real, fake[:POINTS_SHOWN].numpy(), self.span, self._scores(engine))

    @torch.no_grad()
    def _scores(self, engine: Engine) -> np.ndarray | None:
        """Return the score of each point of the grid; None if the discriminator does not score points one by one."""
        hardware, discriminator = engine.hardware, engine.discriminator
        with suppress(Error), hardware.preserve_random_state(), eval_mode([discriminator]):
            judged = call_plugin("the discriminator", discriminator, self.grid.to(hardware.device), {})
            scores = split_scores(discriminator, judged)[0][0]
            if scores.numel() == GRID_SIDE * GRID_SIDE:
                return scores.float().cpu().reshape(GRID_SIDE, GRID_SIDE).numpy()
        return None
