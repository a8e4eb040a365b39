"""Folders for runs: the next free one, and which may be emptied for another run."""

import itertools
from contextlib import suppress
from os import PathLike
from pathlib import Path

from ganzoo._io import expand_user, final_name, write_errors
from ganzoo.errors import BadInput

RUNS_FOLDER = Path("runs")
"""The folder of all runs that are not given one of their own."""
MARKER = ".word"
"""The file by which the processes of a training check that they see the same folder."""
RUN_CONTENTS = {
    *("recipe.toml", "history.jsonl", "metrics.jsonl", "curves.png", "game.gif", "inputs.safetensors"),
    *("samples", "checkpoints", "model", "best", "code", "tensorboard", "profile"),
    *(".lock", MARKER),
}
"""The names of all files and folders that a training leaves in its folder."""


def must_remove(path: str | PathLike[str], overwrite: bool) -> bool:
    """Return True if an earlier run must be removed from `path` first.

    Raises `BadInput` if there is something else at `path`, or a run and `overwrite` is False.
    """
    path = expand_user(Path(path))
    with write_errors(path):
        if not path.exists() or (path.is_dir() and has_no_files(path)):
            return False
        names = {each.name for each in path.iterdir()} if path.is_dir() else set()
    if not overwrite:
        raise BadInput(f"'{path}' is not empty; choose another --out, or --overwrite to replace the run there")
    if path.is_symlink() or "recipe.toml" not in names or {*map(final_name, names)} - RUN_CONTENTS:
        raise BadInput(f"'{path}' is not just a run, so --overwrite leaves it alone; choose another --out")
    return True


def has_no_files(folder: Path) -> bool:
    """Return True for a folder as a training that is killed at its very beginning leaves it: without a whole file."""
    files = (path.name for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return all(name != "recipe.toml" and final_name(name) == "recipe.toml" for name in files)


def make_next_folder(folder: Path, name: str) -> Path:
    """Make the first of `folder/name-001`, `folder/name-002`, ... that does not exist yet."""
    for number in itertools.count(1):
        path = folder / f"{name}-{number:03d}"
        with write_errors(path), suppress(FileExistsError):
            path.mkdir(parents=True)
            return path
    raise AssertionError("counting never ends")
