"""Samples of a training's averaged generator, for its pictures and measurements."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo._io import write_bytes
from ganzoo.contract import Generator, Images
from ganzoo.data.base import Data
from ganzoo.dataset import NOTHING
from ganzoo.engine.loop import Engine
from ganzoo.evaluation.suites import Pieces
from ganzoo.kinds.outputs import Outputs
from ganzoo.pictures.layout import SAMPLES_SHOWN, choose_layout, name_rows
from ganzoo.plugins.entries import INPUTS_FILE
from ganzoo.zoo.kept import choose_kept, limit_count, read_kept, serialize_kept
from ganzoo.zoo.sampling import concatenate, pieces


def fixed_batch(engine: Engine, data: Data) -> dict[str, Tensor]:
    """Return this process's part of a real batch that is the same each time, so that what it shows is comparable."""
    train, processes = engine.train, engine.processes
    first = call_plugin("the data", data.first, train.batch, train.seed)
    return {key: processes.shard(value, train.accumulate) for key, value in first.items()}


class FixedSamples:
    """Draws samples of the same latents each time, so that the pictures of a training are comparable.

    A generator that needs some keys of real data, such as an image to translate, gets those of the same real samples
    each time; `inputs` has them.
    """

    def __init__(self, engine: Engine, data: Data, seed: int) -> None:
        self.engine, self.seed, self.licence = engine, seed, data.license
        self.outputs = Outputs(engine.generator.makes, data.description)
        self.row_names = name_rows(engine.generator, data.classes_of, self.outputs.kind.by_class)
        """The names of the rows of `draw_picture`; none without classes."""
        self.drawn = engine.generator.latent(1, torch.Generator()).keys()
        self.input_keys = [key for key in engine.generator.needs if key not in self.drawn]
        first = call_plugin("the data", data.first, SAMPLES_SHOWN, seed) if self.input_keys else {}
        self.inputs = choose_kept({key: first[key] for key in self.input_keys}, data.count)

    def keep(self, run: Path) -> None:
        """Write the inputs into the folder of a run, or take those that it has from before."""
        path = run / INPUTS_FILE
        if self.inputs and path.exists():
            self.inputs = read_kept(path)
        elif self.inputs:
            write_bytes(path, serialize_kept(self.inputs, self.licence))

    def draw(self, n: int, inputs: Mapping[str, Tensor] = NOTHING, /, **fixed: Tensor) -> Pieces:
        """Return `n` samples in pieces, as `Model.blocks` yields them; images are in [0, 1].

        `inputs` are real ones in place of those of the pictures.
        """
        device = self.engine.hardware.device
        return pieces(self.engine.ema, n, self.seed, device, fixed, self.outputs, inputs or self.inputs)

    def draw_picture(self) -> tuple[Images, int]:
        """Return samples for a picture as users get them, such as images in [0, 1], and its columns."""
        kind = self.outputs.kind
        n, fixed, columns = choose_layout(
            self.engine.generator, limit_count(kind.shown, self.inputs, self.drawn), kind.by_class
        )
        return concatenate([samples for samples, _ in self.draw(n, **fixed)]), columns


def find_needed(generator: Generator) -> list[str]:
    """Return the keys that a generator needs and does not draw itself."""
    drawn = generator.latent(1, torch.Generator())
    return [key for key in generator.needs if key not in drawn]
