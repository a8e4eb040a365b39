"""Samples of a training's averaged generator: for its pictures, and to be measured."""

import torch
from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo.data.base import Data
from ganzoo.engine.loop import Engine
from ganzoo.evaluation.suites import Pieces
from ganzoo.pictures.layout import SAMPLES_SHOWN, choose_layout, select_showable
from ganzoo.zoo.sampling import concatenate, pieces


class FixedSamples:
    """Draws samples of the same latents at any time; what the generator needs of real data is of the first of them."""

    def __init__(self, engine: Engine, data: Data, seed: int) -> None:
        self.engine, self.kind, self.seed = engine, data.description["kind"], seed
        generator = engine.generator
        keys = set(generator.needs) - generator.latent(1, torch.Generator()).keys()
        first = call_plugin("the data", data.first, SAMPLES_SHOWN, seed) if keys else {}
        self.conditions = {key: first[key] for key in keys}

    def pieces(self, n: int, **fixed: Tensor) -> Pieces:
        """Samples as `Model.blocks` gives them."""
        fixed |= {key: value[torch.arange(n) % len(value)] for key, value in self.conditions.items()}
        device = self.engine.hardware.device
        return pieces(self.engine.ema, n, self.seed, device, fixed, images=self.kind == "image")

    def picture(self) -> tuple[Tensor | None, int]:
        """What a picture shows, images in [0, 1] or points, and in how many columns; None where it can show nothing."""
        n, fixed, columns = choose_layout(self.engine.generator)
        if self.kind == "other":
            return None, columns
        return select_showable(concatenate([samples for samples, _ in self.pieces(n, **fixed)]), self.kind), columns
