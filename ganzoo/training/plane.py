"""The part of the plane in which a game on points is shown, and what the discriminator thinks of every place in it."""

from contextlib import suppress

import numpy as np
import torch
from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo.data.base import Data
from ganzoo.engine.checks import eval_mode
from ganzoo.engine.loop import Engine
from ganzoo.errors import Error
from ganzoo.pictures.points import Scene, square_around

SHOWN = 1000
"""Real and generated points in a scene, each."""
SIDE = 120
"""Places on a side of the grid on which the discriminator is asked."""


class Plane:
    """Some real points of the data, and a grid over the square around them."""

    def __init__(self, real: Tensor) -> None:
        self.real = real.cpu().numpy()
        self.span = square_around(self.real)
        left, right, bottom, top = self.span
        rows, columns = torch.linspace(bottom, top, SIDE), torch.linspace(left, right, SIDE)
        self.grid = torch.cartesian_prod(rows, columns).flip(1)

    @classmethod
    def of(cls, data: Data, seed: int) -> "Plane | None":
        """That of the data; None where they are no points in the plane."""
        if data.description["kind"] != "point" or data.point != (2,):
            return None
        return cls(call_plugin("the data", data.first, SHOWN, seed)["point"][:SHOWN])

    def scene(self, engine: Engine, fake: Tensor) -> Scene:
        """The game as it stands, with these generated points. Nothing of the training is changed by looking."""
        return Scene(self.real, fake[:SHOWN].numpy(), self.span, self._scores(engine))

    @torch.no_grad()
    def _scores(self, engine: Engine) -> np.ndarray | None:
        hardware, discriminator = engine.hardware, engine.discriminator
        with suppress(Error), hardware.preserve_random_state(), eval_mode([discriminator]):
            judged = call_plugin("the discriminator", discriminator, self.grid.to(hardware.device), {})
            scores = judged[0] if isinstance(judged, tuple) else judged
            if scores.numel() == SIDE * SIDE:
                return scores.float().cpu().reshape(SIDE, SIDE).numpy()
        return None
