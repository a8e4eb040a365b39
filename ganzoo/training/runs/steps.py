"""The names of checkpoints and pictures, each after a training step: write, list, order them. No torch here."""

import os
import re
from pathlib import Path

from ganzoo.errors import BadInput

PICTURE = ".png"
"""Ending of the pictures of samples."""


def checkpoint_name(step: int) -> str:
    """Return the name of a training step's checkpoint."""
    return f"step-{step:06d}"


def list_by_step(folder: Path) -> list[Path]:
    """Return the checkpoints or pictures in a folder, which are named after a training step, in order of the steps.

    A folder that does not exist has none. Raises `BadInput` for one that cannot be read.
    """
    found = [(re.fullmatch(r"step-(\d{1,18})(\.png)?", name), folder / name) for name in list_folder(folder)]
    return [path for _, path in sorted((int(match[1]), path) for match, path in found if match)]


def list_pictures(folder: Path) -> list[Path]:
    """Return the pictures in a folder as `list_by_step` does, without the files of samples that are beside them."""
    return [path for path in list_by_step(folder) if path.suffix == PICTURE]


def list_folder(folder: Path) -> list[str]:
    """Return the names in a folder; none where it does not exist. Raises `BadInput` where it cannot be read."""
    try:
        with os.scandir(folder) as entries:  # unlike glob, it does not pass over errors
            return [entry.name for entry in entries]
    except FileNotFoundError as error:
        if folder.is_symlink():
            raise BadInput(f"{folder} is a link to {folder.readlink()}, which does not exist") from error
        return []
    except OSError as error:
        raise BadInput(f"cannot read {folder}: {error.strerror or error}") from error
