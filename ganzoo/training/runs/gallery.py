"""The sample pictures of a run, one for each step at which samples were drawn, and their animation."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from ganzoo.pictures import grid, points
from ganzoo.training.runs.steps import checkpoint_name, list_by_step


class Gallery:
    """The pictures in the folder of a run, each named after its training step."""

    def __init__(self, run_folder: Path) -> None:
        self.folder, self.animation, self.title = run_folder / "samples", run_folder / "game.gif", run_folder.name

    def write_samples(
        self, step: int, images: Tensor, seed: int, columns: int = 0, row_names: Sequence[str] = ()
    ) -> Path:
        """Write images (n, 1 or 3 channels, height, width) in [0, 1] as the picture of a step; return its path.

        The columns and the names of rows are those of `write_grid`.
        """
        grid.write_grid(self._path(step), images, f"{self.title} step {step}", seed, columns, row_names)
        return self._path(step)

    def write_scene(self, step: int, scene: points.Scene, seed: int) -> Path:
        """Write a game on points as the picture of a step; return its path."""
        points.write_scene(self._path(step), scene, f"{self.title} step {step}", seed)
        return self._path(step)

    def write_game(self, last_step: int) -> Path | None:
        """Write the pictures up to a step as an animation, and return its path; None if that step has no picture."""
        pictures = list_by_step(self.folder)
        names = [picture.name for picture in pictures]
        last = self._path(last_step).name
        if last not in names:
            return None
        points.animate(self.animation, pictures[: names.index(last) + 1])
        return self.animation

    def newest(self) -> list[Path]:
        """Return a list of the newest picture; empty if there is none."""
        return list_by_step(self.folder)[-1:]

    def _path(self, step: int) -> Path:
        return self.folder / f"{checkpoint_name(step)}.png"
