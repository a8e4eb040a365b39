"""Samples of a model as files: one picture, a folder of single images, or an array file."""

import io
import itertools
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganzoo.errors import BadInput
from ganzoo.files import write_bytes, writing
from ganzoo.model import Model, load
from ganzoo.pictures import picture, to_bytes, write_png, write_tiles
from ganzoo.pinned import Entry
from ganzoo.references import parse
from ganzoo.sampling import pictured

IN_A_PICTURE = 10_000
"""Samples that one picture shows at most."""
CLASS_FOLDER = re.compile(r"\w[\w .+&'()-]{0,99}(?<! )(?<!\.)")
"""Names of classes that may become folders."""
NOTHING: Mapping[str, Any] = MappingProxyType({})

Blocks = Iterable[tuple[Any, dict[str, Tensor]]]


def write(
    source: str | Path,
    n: int,
    seed: int,
    out: Path | None,
    overwrite: bool,
    device: str,
    say: Callable[[str], None] = lambda sentence: None,
    rows: str = "",
    fixed: Mapping[str, Any] = NOTHING,
) -> Path:
    """Draw `n` samples of a model into `out` (.png, .npz or a folder) and return where they are.

    `source` and `say` are as in `load`, `fixed` as in `Model.sample`. With `rows`, such as "label" or "c1=-1,0,1", `n`
    samples for each value of that latent key, made from the same other latents, and a row of the picture for each.
    Without `out`, a new picture in this folder whose name says model, seed and count. `overwrite` replaces a file, or
    the numbered images of a folder, in which a model of labelled images has a sub-folder for each class. Raises
    `BadInput`, before the samples are drawn, where `out` is there already or cannot be written, or where the model
    makes nothing that a picture can show and `out` is no .npz.
    """
    return write_samples(load(source, device, say=say), name_of(source), n, seed, out, overwrite, rows, fixed)


def write_samples(
    model: Model,
    name: str,
    n: int,
    seed: int,
    out: Path | None,
    overwrite: bool,
    rows: str = "",
    fixed: Mapping[str, Any] = NOTHING,
) -> Path:
    """`write` for a model that is loaded already; `name` is what pictures call it."""
    wanted = [{**fixed, **row} for row in each_row(model, rows)]
    out = out or free_name("-".join([name, f"seed{seed}", f"n{n}", *in_a_name(rows, fixed)]))
    refuse_unfit(model, n * len(wanted), out, wanted)
    make_room(out, overwrite)
    blocks = itertools.chain.from_iterable(model.blocks(n, seed, **each) for each in wanted)
    if suffix(out) == ".npz":
        write_arrays(out, model, blocks)
    elif suffix(out) == ".png":
        write_tiles(out, torch.cat(list(pixels(blocks))), name, seed, n if rows else 0)
    else:
        write_singles(out, blocks, name, seed, class_folders(model))
    return out


def each_row(model: Model, rows: str) -> list[dict[str, Any]]:
    """What to fix for each row: `key=value,value,...`, or `key` for all values of a categorical one."""
    key, _, values = rows.partition("=")
    if not key:
        return [{}]
    if not values and not model.categories(key):
        raise BadInput(f"'{key}' is not categorical here; say which values, such as {key}=-1,0,1")
    return [{key: value} for value in (values.split(",") if values else range(model.categories(key)))]


def in_a_name(rows: str, fixed: Mapping[str, Any]) -> list[str]:
    """What the name of a picture says of the latents that were not left to chance."""
    words = [f"{key}{value}" for key, value in fixed.items()] + ([f"rows-{rows}"] if rows else [])
    return [re.sub(r"[^\w.+-]+", "-", word)[:50] for word in words]


def name_of(source: str | Path) -> str:
    """What pictures call a model: its registered name, its repository's, or the name of its folder or run."""
    meant = parse(source)
    if not isinstance(meant, Path):
        return meant.name if isinstance(meant, Entry) else meant.repository.rpartition("/")[2]
    path = meant.resolve()
    return path.parent.name if path.name == "model" and (path.parent / "recipe.toml").is_file() else path.name


def free_name(stem: str) -> Path:
    """The first of stem.png, stem-2.png, stem-3.png and so on that is not there yet."""
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(path for path in (Path(f"{name}.png") for name in names) if not path.exists())


def suffix(out: Path) -> str:
    """The kind of file; a folder has none."""
    return out.suffix.lower()


def refuse_unfit(model: Model, n: int, out: Path, wanted: Iterable[Mapping[str, Any]]) -> None:
    """Raise `BadInput` where these samples cannot be drawn, or not be written as such a file."""
    if suffix(out) not in ("", ".png", ".npz"):
        raise BadInput(f"cannot write samples as '{out}'; allowed: FILE.png, FILE.npz or a folder")
    if suffix(out) == ".png" and n > IN_A_PICTURE:
        raise BadInput(f"one picture shows at most {IN_A_PICTURE:,} samples; write {n:,} to a folder or FILE.npz")
    samples = [model.sample(1, **each) for each in wanted]
    if suffix(out) != ".npz" and not (model.makes_images and pictured(samples[0]) is not None):
        raise BadInput("this model does not make images of 1 or 3 channels; write its samples with --out FILE.npz")


def make_room(out: Path, overwrite: bool) -> None:
    """Make the folder that `out` needs. Raises `BadInput` where it cannot be written, or something is in the way."""
    with writing(out):
        if not overwrite and out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise BadInput(f"'{out}' is there already; choose another --out, or --overwrite to replace it")
        if suffix(out) and out.is_dir():
            raise BadInput(f"'{out}' is a folder; choose another --out")
        folder = out.parent if suffix(out) else out
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


def pixels(blocks: Blocks) -> Iterator[Tensor]:
    """The images of each block as uint8, a quarter of the memory."""
    return (to_bytes(pictured(samples)) for samples, _ in blocks)


def class_folders(model: Model) -> list[str]:
    """A folder's name for each class; its number, where the classes' names, which a stranger may have chosen, are none.

    So named, the samples are a folder of training data with the same classes.
    """
    names = model.classes
    fit = len(set(names)) == len(names) and all(CLASS_FOLDER.fullmatch(name) for name in names)
    return names if fit else [str(number) for number in range(len(names))]


def write_singles(folder: Path, blocks: Blocks, name: str, seed: int, classes: Sequence[str]) -> None:
    """One numbered PNG for each sample, in a sub-folder for its class if it has one; earlier ones are removed first."""
    with writing(folder):
        for path in itertools.chain(folder.iterdir(), *((folder / each).glob("*.png") for each in classes)):
            if re.fullmatch(r"\d{6,}\.png", path.name):
                path.unlink()
    number = itertools.count()
    for samples, given in blocks:
        labels = given["label"].tolist() if "label" in given and classes else []
        for place, image in enumerate(to_bytes(pictured(samples))):
            inside = folder / classes[labels[place]] if labels else folder
            with writing(inside):
                inside.mkdir(exist_ok=True)
            write_png(inside / f"{next(number):06d}.png", picture(image), name, seed)


def write_arrays(path: Path, model: Model, blocks: Blocks) -> None:
    """One array for each output, and "labels" where the samples were made from labels."""
    parts = [arrays(model, samples, given) for samples, given in blocks]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{key: np.concatenate([part[key] for part in parts]) for key in parts[0]})
    write_bytes(path, buffer.getvalue())


def arrays(model: Model, samples: Any, given: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """What a block leaves in the file: uint8 "images" (n, height, width, channels), all else as it is."""
    named = samples if isinstance(samples, dict) else {model.generator.makes: samples}
    found = {"labels": given["label"].numpy()} if "label" in given else {}
    for key, value in named.items():
        kept = to_bytes(value) if key == "image" and model.makes_images else value
        found["images" if key == "image" else key] = kept.numpy()
    return found
