"""Write a training as TensorBoard events."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tomlkit
from PIL import Image

from ganzoo.errors import needs_package
from ganzoo.training.callbacks import BuiltIn
from ganzoo.training.trainer import Trainer

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard(BuiltIn):
    """Writes every number of the log, every picture of samples and the recipe below `tensorboard` in the run's folder.

    Raises `BadInput` if TensorBoard is not installed.
    """

    between_steps = False

    def __init__(self) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise needs_package("train.tensorboard", "tensorboard") from error
        self._open, self.writer = SummaryWriter, None

    writer: "SummaryWriter | None"

    def on_train_start(self, trainer: Trainer) -> None:
        """Open the file and write the recipe. Later events of an earlier process are purged: they will come again."""
        self.writer = self._open(str(trainer.run.path / "tensorboard"), purge_step=trainer.step + 1)
        recipe = tomlkit.dumps(trainer.recipe.written_out())
        self.writer.add_text("recipe", f"```toml\n{recipe}```", trainer.step)

    def on_log(self, trainer: Trainer, line: Mapping[str, Any]) -> None:
        """Write every number of the line under its name."""
        if self.writer:
            for key, value in line.items():
                self.writer.add_scalar(key, value, line["step"])
            self.writer.flush()

    def on_picture(self, trainer: Trainer, path: Path) -> None:
        """Write the picture, as the samples of its step."""
        if self.writer:
            with Image.open(path) as picture:
                self.writer.add_image("samples", np.asarray(picture.convert("RGB")), trainer.step, dataformats="HWC")

    def on_train_end(self, trainer: Trainer) -> None:
        """Close the file."""
        if self.writer:
            self.writer.close()
