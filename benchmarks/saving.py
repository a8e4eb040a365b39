"""Measure the share of a training's time that saving takes, at the default interval.

    python benchmarks/saving.py --recipe dcgan

Trains a recipe as it is and adds up the time that training waits for checkpoints, models and the measurement of the
best generator. Prints one line of JSON: `share` is saving's share of the whole, `saving_seconds` are means per save.
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import ganzoo
from ganzoo.training.housekeeping import Checkpoints, Measurement
from ganzoo.training.trainer import Trainer

PARTS = {Checkpoints: "checkpoint and model", Measurement: "measurement of the best"}
"""The callbacks whose time is taken, and what each does."""


class Clock:
    """Adds up the seconds that one method of each watched class takes, and counts the calls that took some."""

    def __init__(self) -> None:
        self.seconds: defaultdict[type, float] = defaultdict(float)
        self.calls: defaultdict[type, int] = defaultdict(int)

    def watch(self, owner: type, name: str, is_due: Callable[..., bool] = lambda *arguments: True) -> None:
        """Time every call of that method that `is_due`, from now on."""
        method = getattr(owner, name)

        def timed(*arguments: Any, **options: Any) -> Any:
            if not is_due(*arguments):
                return method(*arguments, **options)
            begun = time.perf_counter()
            try:
                return method(*arguments, **options)
            finally:
                self.seconds[owner] += time.perf_counter() - begun
                self.calls[owner] += 1

        setattr(owner, name, timed)


def main() -> None:
    """Train, and print what saving took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="dcgan")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--precision", default="fp32")
    chosen = parser.parse_args()
    clock = Clock()
    clock.watch(Trainer, "train")
    for part in PARTS:
        clock.watch(part, "on_step_end", part.is_due)
    with tempfile.TemporaryDirectory() as folder:
        settings = {"steps": chosen.steps, "precision": chosen.precision}
        run = ganzoo.train(chosen.recipe, out=Path(folder) / "run", quiet=True, train=settings)
        every = run.recipe.train.save_every
    results = {
        "recipe": chosen.recipe,
        "save_every": every,
        "share": round(sum(clock.seconds[part] for part in PARTS) / clock.seconds[Trainer], 4),
        "saving_seconds": {what: round(clock.seconds[part] / clock.calls[part], 3) for part, what in PARTS.items()},
        "training_seconds": round(clock.seconds[Trainer], 1),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(results))


if __name__ == "__main__":
    main()
