"""The sample pictures of a run, one for each step at which samples were drawn, and their animation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from ganzoo._io import write_errors
from ganzoo.contract import Images
from ganzoo.kinds.files import draw_beside, write_some_of_each
from ganzoo.kinds.outputs import Outputs
from ganzoo.pictures import points
from ganzoo.pictures.grid import make_mark, save_png
from ganzoo.training.runs.steps import PICTURE, checkpoint_name, list_pictures


class Gallery:
    """The pictures in a folder of a run, by default of samples, each named after its training step."""

    def __init__(self, run_folder: Path, name: str = "samples") -> None:
        self.folder, self.animation, self.title = run_folder / name, run_folder / "game.gif", run_folder.name

    def write_samples(
        self, step: int, outputs: Outputs, samples: Images, seed: int, columns: int = 0, row_names: Sequence[str] = ()
    ) -> Path | None:
        """Write samples (n, ...) as users get them as the picture of a step; return its path, None where none is drawn.

        Beside it there are files of a few samples, where the kind has such files. The columns and the names of rows
        are those of `Kind.draw`.
        """
        title = f"{self.title} step {step}"
        mark = make_mark(title, seed)
        arrays = outputs.to_arrays(samples)
        write_some_of_each(outputs.shown, self.folder / checkpoint_name(step), arrays, mark)
        picture = draw_beside(outputs.shown, arrays, columns, row_names, title)
        if picture is None:
            return None
        return self.write_picture(step, picture, mark)

    def write_picture(self, step: int, picture: Image.Image, mark: Mapping[str, str]) -> Path:
        """Write the picture of a step; return its path."""
        path = self._path(step)
        with write_errors(path):
            path.parent.mkdir(exist_ok=True)
        save_png(path, picture, mark)
        return path

    def write_scene(self, step: int, scene: points.Scene, seed: int) -> Path:
        """Write a game on points as the picture of a step; return its path."""
        points.write_scene(self._path(step), scene, f"{self.title} step {step}", seed)
        return self._path(step)

    def write_game(self, last_step: int) -> Path | None:
        """Write the pictures up to a step as an animation, and return its path; None if that step has no picture."""
        pictures = list_pictures(self.folder)
        names = [picture.name for picture in pictures]
        last = self._path(last_step).name
        if last not in names:
            return None
        points.animate(self.animation, pictures[: names.index(last) + 1])
        return self.animation

    def newest(self) -> list[Path]:
        """Return a list of the newest picture; empty if there is none."""
        return list_pictures(self.folder)[-1:]

    def _path(self, step: int) -> Path:
        return self.folder / f"{checkpoint_name(step)}{PICTURE}"
