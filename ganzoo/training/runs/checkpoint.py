"""Checkpoints: the whole state of a training as files, saved completely or not at all."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes

from ganzoo._io import read_bytes, replace_folder, sha256, sync_folder, to_json, write_bytes, write_errors, write_json
from ganzoo._reading import parse_json
from ganzoo.errors import BadInput
from ganzoo.training.runs.snapshot import Numbers, State
from ganzoo.training.runs.steps import checkpoint_name, list_by_step, list_folder

FORMAT = 3
"""The format that is written. Lower ones were written before the first release and lack what resuming needs."""
NEWEST_KEPT = 2
"""Checkpoints kept beside the best one; older ones are removed."""


def announce(folder: Path, step: int) -> None:
    """Mark in `folder` that the save after this step has begun; the mark goes with the first checkpoint that is saved.

    It tells a training that was killed in its first save from one whose checkpoints somebody has removed.
    """
    with write_errors(folder):
        folder.mkdir(exist_ok=True)
        (folder / f".{checkpoint_name(step)}.begun").touch()
        sync_folder(folder)


def is_announced(folder: Path) -> bool:
    """Return True if a save has begun of which no checkpoint came, nor of one before it."""
    return any(name.startswith(".step-") for name in list_folder(folder))


def save(folder: Path, state: State) -> Path:
    """Write a checkpoint into `folder`, completely or not at all, and remove all but the last two and the best."""
    target = folder / checkpoint_name(state.numbers["index"])
    content = tensors_to_bytes(state.tensors)
    about = {"format": FORMAT, "tensors": sha256(content), **state.numbers}
    with replace_folder(target) as part:
        write_bytes(part / "state.safetensors", content)
        write_json(part / "state.json", about | {"sha256": hash_numbers(about)})
    remove_old(folder, target, state.numbers.get("best"))
    return target


def remove_old(folder: Path, newest: Path, best: Mapping[str, Any] | None) -> None:
    """Remove all checkpoints but the last two and the best; those of later steps were damaged or abandoned."""
    found = list_checkpoints(folder)
    until = found.index(newest) + 1
    best_name = checkpoint_name(best["step"]) if best else None
    kept = {*found[:until][-NEWEST_KEPT:], *(path for path in found if path.name == best_name)}
    for path in {*found, *folder.glob(".step-*")} - kept:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, oldest first."""
    return list_by_step(folder)


def hash_numbers(numbers: Mapping[str, Any]) -> str:
    """Return the SHA-256 hash of plain values, independent of the layout of their file."""
    return sha256(json.dumps(numbers, sort_keys=True).encode())


def read_newest(folder: Path) -> tuple[State, list[str]]:
    """Return the newest intact checkpoint in a folder, and a note for each damaged one that was skipped.

    Raises `BadInput` if there is none.
    """
    notes: list[str] = []
    for path in reversed(list_checkpoints(folder)):
        state = read_checkpoint(path)
        if state:
            return state, notes
        notes.append(f"checkpoint {path.name} is damaged or cannot be read; using the one before it")
    raise BadInput(f"there is no intact checkpoint in {folder}")


def read_checkpoint(path: Path) -> State | None:
    """Return a checkpoint; None if it is damaged. Raises `BadInput` for a format that this ganzoo does not read."""
    try:
        text, content = (read_bytes(path / name) for name in ("state.json", "state.safetensors"))
        numbers = parse_json(text, path)
        intact = to_json(numbers) == text and numbers.pop("sha256") == hash_numbers(numbers)
        if not (intact and numbers["tensors"] == sha256(content) and isinstance(numbers["format"], int)):
            return None
        check_format(path, numbers["format"])
        Numbers.model_validate(numbers)
        return State(tensors_from_bytes(content), numbers)
    except OtherFormat:
        raise
    # What comes from strangers can have the right hashes and any content.
    except (BadInput, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        return None


class OtherFormat(BadInput):
    """A checkpoint is sound, and another version of ganzoo reads it."""


def check_format(path: Path, number: int) -> None:
    """Raise `OtherFormat` for a checkpoint that this ganzoo does not read."""
    if number > FORMAT:
        raise OtherFormat(f"{path} has format {number}, this ganzoo reads up to {FORMAT}; install a newer one")
    if number < FORMAT:
        raise OtherFormat(f"{path} has format {number}, which this ganzoo no longer reads; start a new run")
