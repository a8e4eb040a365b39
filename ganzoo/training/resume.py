"""What may change when a run goes on, and how that is told."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ganzoo._version import __version__
from ganzoo.engine.hardware import Hardware
from ganzoo.errors import BadInput
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.overrides import flatten
from ganzoo.recipe.recipe import Recipe, differences
from ganzoo.zoo.config import AXES

MAX_ROLLBACKS = 3
"""How often a run goes back to its last checkpoint by itself."""

Facts = Mapping[str, Any]


def in_the_shape_of(facts: Facts, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides with other data in the shape of the run's own, unless they say otherwise."""
    flat, image = flatten(overrides), facts.get("image")
    if image and image[1] == image[2] and flat.keys() & {"data", "data.name"}:
        return {"data.size": image[1], "data.channels": image[0], **overrides}
    return dict(overrides)


def check_data_is_here(recipe: Recipe) -> None:
    """Raise `BadInput` where a run's folder of images is not where it was: on another machine, perhaps."""
    path = Path(recipe.data.name)
    if path.is_absolute() and not path.exists():
        raise BadInput(f"the images of this run were in {path}, which is not there; say where they are now with --data")


def check_architecture(old: Recipe, new: Recipe) -> None:
    """Raise `BadInput` where complete recipes of a run have another architecture: its weights would be others."""
    for path, (before, after) in differences(old.written_out(), new.written_out()).items():
        if path.startswith("architecture."):
            raise BadInput(f"a run keeps its architecture: '{path}' is {before!r}, not {after!r}; start a new run")


def check_beginning(old: Recipe, new: Recipe) -> None:
    """Raise `BadInput` where a run is told to have begun with another generator than it did."""
    if new.train.init != old.train.init:
        raise BadInput(f"a run keeps its beginning: 'train.init' is {old.train.init!r}; start a new run")


def check_shape(run: Facts, data: Facts) -> None:
    """Raise `BadInput` for data whose samples have another shape than those that a run has learnt from."""
    (kind, before), (other, now) = map(kind_and_shape, (run, data))
    if (kind, before) != (other, now):
        raise BadInput(f"a run keeps the shape of its data: its {kind}s are {before}, not {now}; start a new run")


def kind_and_shape(facts: Facts) -> tuple[str, tuple[int, ...]]:
    """What the samples of data are, such as "image", and their shape."""
    return next(((kind, tuple(facts[kind])) for kind in AXES if facts.get(kind)), ("sample", ()))


def describe_changes(changes: Mapping[str, Sequence[Any]]) -> str:
    """Changes in a line."""
    return ", ".join(f"{path} {before} -> {after}" for path, (before, after) in changes.items())


def circumstances(hardware: Hardware, processes: int, used: Iterable[Registration]) -> dict[str, Any]:
    """What the last bits of a training depend on beside its recipe."""
    return {
        "ganzoo": __version__,
        **{provided.distribution: provided.version for provided in used},
        "torch": torch.__version__,
        "device": str(hardware.device),
        "processes": processes,
        "threads": torch.get_num_threads(),
    }


def other_circumstances(history: Sequence[Mapping[str, Any]], now: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What differs from the last time that this run was worked on."""
    before = history[-1]["circumstances"] if history else {}
    return {key: [before[key], value] for key, value in now.items() if before.get(key, value) != value}


def count_rollbacks(history: Sequence[Mapping[str, Any]]) -> int:
    """How often a run went back by itself since it was begun or somebody changed its settings."""
    count = 0
    for line in reversed(history):
        if line["event"] == "rolled back":
            count += 1
        elif line["changed"] or line["event"] == "begun":
            break
    return count
