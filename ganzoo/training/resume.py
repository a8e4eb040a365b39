"""Check and describe the changes with which a run is resumed."""

import logging
import reprlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ganzoo._names import composed
from ganzoo._numbers import short_size
from ganzoo._version import __version__
from ganzoo.data.base import Data
from ganzoo.data.options import READING_OPTIONS
from ganzoo.dataset import LABEL
from ganzoo.engine.hardware import Hardware
from ganzoo.engine.settings import SIDES
from ganzoo.engine.validation import validate
from ganzoo.errors import BadInput
from ganzoo.pictures.decode import CHANNEL_NAMES, SIXTEEN_BITS
from ganzoo.plugins.datasets import find_data, is_data_set
from ganzoo.plugins.files import split_reference
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.build import ResolvedArchitecture
from ganzoo.recipe.datasets import data_schema, load_data_class
from ganzoo.recipe.names import bare_name, is_given, is_in_file, list_names_in, rename
from ganzoo.recipe.overrides import copy_plain, flatten
from ganzoo.recipe.recipe import Recipe, differences
from ganzoo.training.runs.run import Run
from ganzoo.zoo.config import AXES

logger = logging.getLogger("ganzoo")
MAX_ROLLBACKS = 3
"""Rollbacks of a run to its last checkpoint before its training ends with an error."""

Facts = Mapping[str, Any]
"""The facts about data that networks are built for: shape by kind, such as "image", and the number of classes."""


def keep_reading(facts: Facts, old: Recipe, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overrides of a run; new data are read as its data were, as far as the overrides do not set how.

    Images keep their size and channels, from one folder to another also `READING_OPTIONS`, and any data their holdout.
    """
    flat, image, kept = flatten(overrides), facts.get("image"), dict[str, Any]()
    name = flat.get("data.name", flat.get("data"))
    if name is None:
        return flat
    if old.data.holdout is not None:
        kept["data.holdout"] = old.data.holdout
    if image and image[0] in CHANNEL_NAMES:
        fitted = {"size": short_size(*image[1:]), "channels": image[0]}
        kept |= {f"data.{key}": value for key, value in fitted.items() if key in list_options(name)}
    if is_folder(name) and is_folder(old.data.name):
        read = old.data.model_dump(include={*READING_OPTIONS}, exclude_none=True)
        kept |= {f"data.{key}": value for key, value in read.items()}
    # Behind the name, which empties its section.
    return {**flat, **{path: value for path, value in kept.items() if path not in flat}}


def list_options(name: str) -> Collection[str]:
    """Return the options of a data set, or of a folder."""
    return () if name == "batches" else data_schema(load_data_class(find_data(name)[0])).model_fields


def is_folder(name: str) -> bool:
    """Return whether data of that name are a folder: neither a data set nor batches from Python code."""
    return name != "batches" and not is_data_set(name)


def check_data_exists(recipe: Recipe) -> None:
    """Raise `BadInput` if a run's folder of images does not exist, perhaps because this is another machine."""
    path = Path(recipe.data.name)
    if path.is_absolute() and not path.exists():
        raise BadInput(
            f"the images of this run were in {path}, which does not exist; give their new folder with --data"
        )


def check_code_exists(recipe: Recipe, run: Path) -> None:
    """Raise `BadInput` if a file with a class that a run needs does not exist, perhaps as this is another machine."""
    for kind, name in list_names_in(recipe.written_out()):
        if is_in_file(name) and not (path := split_reference(name)[0]).exists():
            copies = sorted((run / "code").glob(f"{path.stem}-*.py"), key=lambda copy: copy.stat().st_mtime)
            kept = f"; the run keeps a copy of it: {copies[-1]}" if copies else ""
            raise BadInput(f"the {kind} '{bare_name(name)}' of this run was in {path}, which does not exist{kept}")


def follow_moved(old: Recipe, new: Recipe) -> Recipe:
    """Return the old recipe of a run with the files of its networks where the new one has them, as they may move."""
    before, now = (
        [name for kind, name in list_names_in(each.written_out()) if kind == "architecture"] for each in (old, new)
    )
    there = {bare_name(name): name for name in now if is_in_file(name)}
    moved = {name: there[bare_name(name)] for name in before if is_in_file(name) and bare_name(name) in there}
    return validate(Recipe, rename(old.written_out(), lambda _, name: moved.get(name, name)))


def check_same_code(old: Recipe, new: Recipe) -> None:
    """Raise `BadInput` if a network of a run that no plugin brings is replaced by another one."""
    for side in SIDES:
        before, now = old.architecture.side_name(side), new.architecture.side_name(side)
        if before != now and (is_given(before) or is_in_file(before)):
            name = f"architecture.{side}.name"
            raise BadInput(f"a run keeps its architecture: '{name}' is {before!r}, not {now!r}; start a new run")


def check_same_architecture(old: Recipe, new: Recipe) -> None:
    """Raise `BadInput` if two complete recipes of a run differ in the architecture: its weights would not fit."""
    for path, (before, after) in differences(old.written_out(), new.written_out()).items():
        if path.startswith("architecture."):
            raise BadInput(f"a run keeps its architecture: '{path}' is {before!r}, not {after!r}; start a new run")


def check_same_init(old: Recipe, new: Recipe) -> None:
    """Raise `BadInput` if two recipes of a run begin with different pretrained generators."""
    if new.train.init != old.train.init:
        raise BadInput(f"a run keeps the generator it began with: 'train.init' is {old.train.init!r}; start a new run")


def check_same_holdout(old: Recipe, new: Recipe) -> None:
    """Raise `BadInput` if two recipes of a run hold out other samples: some of them were trained on."""
    if new.data.holdout != old.data.holdout:
        before, now = (share or "unset" for share in (old.data.holdout, new.data.holdout))
        raise BadInput(f"a run keeps what it holds out: 'data.holdout' is {before}, not {now}; start a new run")


def check_same_facts(run: Facts, data: Facts, architecture: ResolvedArchitecture) -> None:
    """Raise `BadInput` if new data have other facts than the run, as far as both are known: networks are built by them.

    The classes are not compared here. A fact that is gone matters if a network takes it.
    """
    (kind, before), (other, now) = map(find_shape, (run, data))
    if (kind, before) != (other, now):
        raise BadInput(f"a run keeps the shape of its data: its {kind}s are {before}, not {now}; start a new run")
    for name, value in copy_plain(run).items():
        new = copy_plain(data.get(name))
        if new == value or name == "classes" or (name not in data and not is_taken(architecture, name)):
            continue
        what = f"not {reprlib.repr(new)}" if name in data else "and these data have none"
        raise BadInput(f"a run keeps the facts of its data: '{name}' is {reprlib.repr(value)}, {what}; start a new run")


def is_taken(architecture: ResolvedArchitecture, fact: str) -> bool:
    """Return whether a network is built with this fact about the data."""
    return any(part.takes(fact) for _, part in architecture.items())


def find_shape(facts: Facts) -> tuple[str, tuple[int, ...]]:
    """Return the kind of samples, such as "image", and their shape."""
    return next(((kind, tuple(facts[kind])) for kind in AXES if facts.get(kind)), ("sample", ()))


def describe_data(data: Data) -> dict[str, Any]:
    """Return what a checkpoint keeps of the data: their facts, class names, file names as a hash, and their number."""
    others = {key: list(spec.classes) for key, spec in data.specs.items() if spec.classes and key != LABEL}
    known = {"classes": data.classes, "fingerprint": data.fingerprint, "samples": data.count}
    return {"facts": data.facts, "data": {**known, **({"categories": others} if others else {})}}


def keep_all_classes(data: Data, known: Mapping[str, Any], run: Run, architecture: ResolvedArchitecture) -> None:
    """Number the classes of every key as the run has them, as `keep_classes` does."""
    keep_classes(data, known.get("classes", run.classes), architecture)
    for key, before in known.get("categories", {}).items():
        keep_classes(data, before, architecture, key)


def keep_classes(
    data: Data, before: Sequence[str] | None, architecture: ResolvedArchitecture, key: str = LABEL
) -> None:
    """Number the classes of a key of new data as the run has them; None where it does not know its classes.

    Raises `BadInput` if they are others, unless neither network takes their number: that is only logged.
    """
    if before is None or list(map(composed, before)) == data.classes_of(key):
        return
    what = f"the classes of {data.name}" + f", key '{key}'," * (key != LABEL)
    if not is_taken(architecture, "classes" if key == LABEL else key):
        logger.warning("%s have changed since the last checkpoint, and no network uses them", what)
        return
    try:
        data.use_classes(before, key)
    except BadInput as error:
        raise error.append("a run keeps its classes; bring them back, or start a new run") from error
    kept = f"keep the numbers that the run has given them: {some(before)}" if before else "are left out, as in the run"
    logger.warning("%s %s", what, kept)


def some(classes: Sequence[str]) -> str:
    """Return the first few classes with their numbers."""
    return ", ".join(f"{number} is '{name}'" for number, name in enumerate(classes[:5])) + ", ..." * (len(classes) > 5)


def check_same_range(recipe: Recipe, data: Data, known: Mapping[str, Any]) -> None:
    """Raise `BadInput` if images with more than 8 bits would get other levels than the run has learned from.

    Runs that know nothing of their data are older than the key `data.range` and took all 16 bits for the range.
    """
    if known or recipe.data.range or data.range in (None, SIXTEEN_BITS):
        return
    raise BadInput(
        f"the run took 0..65535 for the range of images with more than 8 bits, and here it is {data.range}: "
        "set data.range=[0,65535] to keep it, or start a new run"
    )


def note_other_files(data: Data, before: Mapping[str, Any]) -> None:
    """Log if the files of a folder have other names than at the last checkpoint, which had these `before`."""
    known = before.get("fingerprint")
    if known and data.fingerprint and known != data.fingerprint:
        logger.warning(
            "the files of %s have changed since the last checkpoint: there were %s images, now there are %s; "
            "the run will not be bit-identical to an uninterrupted one",
            *(data.name, before.get("samples"), data.count),
        )


def describe_changes(changes: Mapping[str, Sequence[Any]]) -> str:
    """Return changes in one line: "train.steps 11 -> 13, optimizer.lr 0.0002 -> 0.5"."""
    shown = {path: ["unset" if value is None else value for value in pair] for path, pair in changes.items()}
    return ", ".join(f"{path} {before} -> {after}" for path, (before, after) in shown.items())


def list_circumstances(hardware: Hardware, processes: int, used: Iterable[Registration]) -> dict[str, Any]:
    """Return everything beside the recipe that the last bits of a training's numbers depend on."""
    return {
        "ganzoo": __version__,
        **{plugin.distribution: plugin.version for plugin in used},
        "torch": torch.__version__,
        "device": str(hardware.device),
        "processes": processes,
        "threads": torch.get_num_threads(),
    }


def compare_circumstances(history: Sequence[Mapping[str, Any]], now: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the circumstances that differ from those of the run's last event, as {name: [before, now]}."""
    before = history[-1]["circumstances"] if history else {}
    return {key: [before[key], value] for key, value in now.items() if before.get(key, value) != value}


def count_rollbacks(history: Sequence[Mapping[str, Any]]) -> int:
    """Return how many rollbacks a run had since it was begun or somebody last changed its settings."""
    count = 0
    for line in reversed(history):
        if line["event"] == "rolled back":
            count += 1
        elif line["changed"] or line["event"] == "begun":
            break
    return count
