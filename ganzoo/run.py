"""The folder that a training makes: recipe, metrics, sample pictures, curves, checkpoints and the model."""

import json
import shutil
from pathlib import Path
from typing import Any, Self

from ganzoo import checkpoint, pictures
from ganzoo.engine import Engine
from ganzoo.errors import BadInput
from ganzoo.files import reading, writing
from ganzoo.model import Model, load
from ganzoo.recipe import Recipe

RUNS = Path("runs")


class Run:
    """A run folder. `recipe` is what was trained, `metrics` what was logged, `model` the averaged generator."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.checkpoints = self.path / "checkpoints"
        self.model_folder = self.path / "model"

    @classmethod
    def create(cls, recipe: Recipe, out: str | Path | None = None, overwrite: bool = False) -> Self:
        """A new folder with its recipe, `out` or the next free `runs/NAME-001`.

        Raises `BadInput` where `out` is not empty. `overwrite` removes an earlier run there, and nothing else.
        """
        run = cls(out or next_free(RUNS, recipe.name))
        if out is not None and in_the_way(run.path, overwrite):
            shutil.rmtree(run.path)
        with writing(run.path):
            (run.path / "samples").mkdir(parents=True, exist_ok=True)
            recipe.save(run.path / "recipe.toml")
        return run

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """An existing run. Raises `BadInput` where there is none."""
        run = cls(path)
        if not (run.path / "recipe.toml").is_file():
            raise BadInput(f"'{path}' is no run: it has no recipe.toml")
        return run

    @property
    def recipe(self) -> Recipe:
        """The complete recipe of this run."""
        return Recipe.load(self.path / "recipe.toml")

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The lines of the log: step, images, images_per_second and the mean of every loss term."""
        path = self.path / "metrics.jsonl"
        return [json.loads(line) for line in reading(path).splitlines()] if path.exists() else []

    @property
    def model(self) -> Model:
        """The averaged generator as last saved."""
        return load(self.path)

    def sample(self, n: int, seed: int = 0, **fixed: Any) -> Any:
        """`Model.sample` of this run's model."""
        return self.model.sample(n, seed, **fixed)

    def log(self, line: dict[str, Any]) -> None:
        """Append one line to the log."""
        path = self.path / "metrics.jsonl"
        with writing(path), path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def cut_log(self, step: int) -> None:
        """Forget the lines after a step: training goes on from there."""
        kept = [line for line in self.metrics if line["step"] <= step]
        (self.path / "metrics.jsonl").unlink(missing_ok=True)
        for line in kept:
            self.log(line)

    def write_samples(self, step: int, images: Any, seed: int) -> Path:
        """The sample picture of a step."""
        path = self.path / "samples" / f"step-{step:06d}.png"
        pictures.write_grid(path, images, f"{self.path.name} step {step}", seed)
        return path

    def write_curves(self) -> Path:
        """The curves of all that was logged so far."""
        path = self.path / "curves.png"
        pictures.write_curves(path, self.metrics)
        return path

    def save(self, engine: Engine) -> None:
        """A checkpoint of the engine."""
        checkpoint.save(self.checkpoints, checkpoint.capture(engine))

    def written(self) -> list[Path]:
        """What is there for people: the newest sample picture, the curves, the log, the model and the folder itself."""
        pictured = sorted((self.path / "samples").glob("step-*.png"))[-1:]
        others = [self.path / "curves.png", self.path / "metrics.jsonl", self.model_folder]
        return [*pictured, *(path for path in others if path.exists()), self.path]


def in_the_way(path: str | Path, overwrite: bool) -> bool:
    """Whether an earlier run must be removed from `path` first. Raises `BadInput` for whatever must not be."""
    path = Path(path)
    with writing(path):
        if not path.exists() or (path.is_dir() and not any(path.iterdir())):
            return False
    if not overwrite:
        raise BadInput(f"'{path}' is not empty; choose another --out, or --overwrite to replace the run there")
    if not (path / "recipe.toml").is_file():
        raise BadInput(f"'{path}' is no run, so --overwrite leaves it alone; choose another --out")
    return True


def next_free(folder: Path, name: str) -> Path:
    """The first `folder/name-001` that is not there yet, counting up."""
    number = 1
    while (path := folder / f"{name}-{number:03d}").exists():
        number += 1
    return path
