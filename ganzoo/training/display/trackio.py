"""Track a training with Trackio, whose dashboard compares runs on this machine: `trackio show --project ganzoo`."""

import io
import logging
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

from ganzoo._faults import call_plugin
from ganzoo.errors import needs_package
from ganzoo.recipe.overrides import flatten
from ganzoo.recipe.recipe import key_losses_by_name
from ganzoo.training.callbacks import BuiltIn
from ganzoo.training.trainer import Trainer

logger = logging.getLogger("ganzoo")
PROJECT = "ganzoo"


class Trackio(BuiltIn):
    """Tracks every number of the log, every picture of samples and the recipe as a run of the project "ganzoo".

    Trackio keeps them where `TRACKIO_DIR` says, and sends them elsewhere only where its own variables say so.
    Raises `BadInput` if it is not installed.
    """

    between_steps = False

    def __init__(self) -> None:
        try:
            self.trackio: Any = import_module("trackio")
        except ImportError as error:
            raise needs_package("train.trackio", "trackio") from error
        self.run: Any = None

    def on_train_start(self, trainer: Trainer) -> None:
        """Begin the run, or go on with it after a resume."""
        settings = flatten(key_losses_by_name(trainer.recipe.written_out()))
        name, group = describe_run(trainer), trainer.recipe.name
        how = {"resume": "allow", "embed": False, "auto_log_cpu": False}
        self.run = self._call(self.trackio.init, PROJECT, name=name, group=group, config=settings, **how)
        logger.info("tracked as '%s'; look at it with: trackio show --project %s", name, PROJECT)

    def on_log(self, trainer: Trainer, line: Mapping[str, Any]) -> None:
        """Track every number of the line under its name."""
        self._call(self.run.log, {key: value for key, value in line.items() if key != "step"}, step=line["step"])

    def on_picture(self, trainer: Trainer, path: Path) -> None:
        """Track the picture, as the samples of its step."""
        picture = self.trackio.Image(str(path), caption=f"step {trainer.step}")
        self._call(self.run.log, {"samples": picture}, step=trainer.step)

    def on_train_end(self, trainer: Trainer) -> None:
        """Write what is still to be written, and end the run."""
        if self.run:
            self._call(self.trackio.finish)

    def _call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call Trackio without what it prints: standard output is for the results of a command."""
        with redirect_stdout(io.StringIO()):
            return call_plugin("Trackio", function, *arguments, **options)


def describe_run(trainer: Trainer) -> str:
    """Return the name of the run's folder with the time at which it was begun: other folders may have the same name."""
    begun = str(trainer.run.history[0].get("time", "")).partition("+")[0]
    return f"{trainer.run.path.name} {begun}".strip().replace(":", "-")
