"""Draw what the discriminator sees: real and fake samples after the `view` of every loss."""

import logging
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganzoo.contract import Images, Step
from ganzoo.data.base import Data
from ganzoo.engine.loop import Engine
from ganzoo.engine.steps import concatenate
from ganzoo.errors import BadInput, Failed
from ganzoo.kinds.files import draw_beside
from ganzoo.kinds.outputs import Outputs
from ganzoo.training.callbacks import BuiltIn
from ganzoo.training.trainer import Trainer
from ganzoo.training.watch.samples import fixed_batch

logger = logging.getLogger("ganzoo")
COLUMNS = 8
"""Samples of each kind in a picture."""
ROWS = ("real", "as seen", "as seen", "fake", "as seen", "as seen")
"""The rows of a picture: each sample, and two views of it."""


class SeenPictures(BuiltIn):
    """Draws, with each picture of samples, what the discriminator sees of the same real samples and of fake ones.

    Raises `BadInput` where no loss has a view, and for samples that no picture shows in rows.
    """

    def __init__(self, engine: Engine, data: Data) -> None:
        self.batch, self.outputs = fixed_batch(engine, data), Outputs(engine.generator.makes, data.description)
        if not any(use.overrides("view") for use in engine.losses):
            names = ", ".join(use.name for use in engine.losses)
            raise BadInput(
                f"train.show_augmented: none of the losses ({names}) changes what the discriminator sees; "
                "add one with a view, such as an augmentation, or leave it out"
            )
        kind = self.outputs.kind
        if kind.not_drawn or not kind.by_class:
            raise BadInput(f"train.show_augmented: no picture shows {kind.plural} in rows; leave it out")

    def is_due(self, trainer: Trainer) -> bool:
        """Return True every `train.sample_every` steps and at the end."""
        return trainer.is_last or trainer.step % trainer.settings.sample_every == 0

    def on_step_end(self, trainer: Trainer) -> None:
        """Draw, if due."""
        if self.is_due(trainer):
            self.on_interrupt(trainer)

    def on_interrupt(self, trainer: Trainer) -> None:
        """Draw the samples of the last step."""
        with trainer.engine.observe(self.batch) as step, torch.no_grad():
            rows = [[head(images) for images in block] for block in list_blocks(step)]
        trainer.on_first_rank(self._write, trainer, rows)

    def _write(self, trainer: Trainer, rows: list[list[Images]]) -> None:
        gallery, step = trainer.run.augmented, trainer.step
        title = f"{gallery.title} step {step}"
        try:
            shown = concatenate([fit(each, block[0]) for block in rows for each in block])
            arrays = self.outputs.to_arrays(self.outputs.to_public(shown))
            picture = draw_beside(self.outputs.shown, arrays, COLUMNS, ROWS, title)
        except (BadInput, Failed) as error:  # a plugin's kind, or view
            logger.warning("no picture of what the discriminator sees at step %d: %s", step, error)
            return
        if picture:
            gallery.write_picture(step, picture, {"Title": title})


def list_blocks(step: Step) -> Iterator[list[Images]]:
    """Yield real samples and two views of them, then the same of fake ones."""
    for images, given in ((step.real, step.batch), (step.fake, step.given)):
        yield [images, *(step.see(images, given)[0] for _ in range(2))]


def fit(seen: Images, images: Images) -> Images:
    """Return views in the size of the images that they show, such as views of a lower resolution.

    Raises `BadInput` for views of another shape, such as packed ones.
    """
    if isinstance(seen, dict) and isinstance(images, dict):
        return {key: fit_one(seen[key], value) for key, value in images.items()}
    assert isinstance(seen, Tensor)
    assert isinstance(images, Tensor)
    return fit_one(seen, images)


def fit_one(seen: Tensor, images: Tensor) -> Tensor:
    """Do the work of `fit` for one kind of samples."""
    if seen.shape == images.shape:
        return seen
    if seen.dim() == images.dim() == 4 and seen.shape[:2] == images.shape[:2]:
        return interpolate(seen, images.shape[2:])
    shapes = " and ".join(str(tuple(each.shape[1:])) for each in (images, seen))
    raise BadInput(f"samples and what is seen of them have different shapes, {shapes}")


def head(images: Images) -> Images:
    """Return the first samples, on the CPU; where there are fewer, they are repeated."""
    if isinstance(images, dict):
        return {key: value[torch.arange(COLUMNS) % len(value)].cpu() for key, value in images.items()}
    return images[torch.arange(COLUMNS) % len(images)].cpu()
