"""Samples of a training's averaged generator, for its pictures and measurements."""

import torch
from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo.data.base import Data
from ganzoo.engine.loop import Engine
from ganzoo.evaluation.suites import Pieces
from ganzoo.pictures.layout import SAMPLES_SHOWN, choose_layout, name_rows, select_showable
from ganzoo.zoo.sampling import concatenate, pieces


class FixedSamples:
    """Draws samples of the same latents each time, so that the pictures of a training are comparable.

    A generator that takes some keys from real data, such as an image to translate, gets those of the first real
    samples each time.
    """

    def __init__(self, engine: Engine, data: Data, seed: int) -> None:
        self.engine, self.kind, self.seed = engine, data.description["kind"], seed
        self.row_names = name_rows(engine.generator, data.classes)
        """The names of the rows of `draw_picture`; none without classes."""
        generator = engine.generator
        keys = set(generator.needs) - generator.latent(1, torch.Generator()).keys()
        first = call_plugin("the data", data.first, SAMPLES_SHOWN, seed) if keys else {}
        self.conditions = {key: first[key] for key in keys}

    def draw(self, n: int, **fixed: Tensor) -> Pieces:
        """Return `n` samples in pieces, as `Model.blocks` yields them; images are in [0, 1]."""
        fixed |= {key: value[torch.arange(n) % len(value)] for key, value in self.conditions.items()}
        device = self.engine.hardware.device
        return pieces(self.engine.ema, n, self.seed, device, fixed, images=self.kind == "image")

    def draw_picture(self) -> tuple[Tensor | None, int]:
        """Return samples for a picture, images in [0, 1] or points, and its columns; None if they cannot be shown."""
        n, fixed, columns = choose_layout(self.engine.generator)
        if self.kind == "other":
            return None, columns
        return select_showable(concatenate([samples for samples, _ in self.draw(n, **fixed)]), self.kind), columns
