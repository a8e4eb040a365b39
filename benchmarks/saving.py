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
from pathlib import Path
from typing import Any

import torch

import ganzoo
from ganzoo.training.trainer import Trainer

PARTS = {"_save": "checkpoint and model", "_measure": "measurement of the best"}


class Clock:
    """Adds up the seconds that methods of a class take."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: defaultdict[str, int] = defaultdict(int)

    def watch(self, owner: type, name: str) -> None:
        """Time every call of that method from now on."""
        method = getattr(owner, name)

        def timed(*arguments: Any, **options: Any) -> Any:
            begun = time.perf_counter()
            try:
                return method(*arguments, **options)
            finally:
                self.seconds[name] += time.perf_counter() - begun
                self.calls[name] += 1

        setattr(owner, name, timed)


def main() -> None:
    """Train, and print what saving took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="dcgan")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--precision", default="fp32")
    chosen = parser.parse_args()
    clock = Clock()
    for name in (*PARTS, "play"):
        clock.watch(Trainer, name)
    with tempfile.TemporaryDirectory() as folder:
        settings = {"steps": chosen.steps, "precision": chosen.precision}
        run = ganzoo.train(chosen.recipe, out=Path(folder) / "run", quiet=True, train=settings)
        every = run.recipe.train.save_every
    results = {
        "recipe": chosen.recipe,
        "save_every": every,
        "share": round(sum(clock.seconds[name] for name in PARTS) / clock.seconds["play"], 4),
        "saving_seconds": {what: round(clock.seconds[name] / clock.calls[name], 3) for name, what in PARTS.items()},
        "training_seconds": round(clock.seconds["play"], 1),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(results))


if __name__ == "__main__":
    main()
