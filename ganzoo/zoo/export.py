"""Samples of a model as files: one picture, a folder of single images, or an array file."""

import io
import itertools
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from torch import Tensor

from ganzoo._io import write_bytes, write_errors
from ganzoo._memory import require_memory
from ganzoo._numbers import check_scale
from ganzoo.contract import Images
from ganzoo.errors import BadInput
from ganzoo.pictures.grid import enlarge, to_bytes, to_picture, write_png
from ganzoo.pictures.layout import select_showable
from ganzoo.plugins.entries import Entry
from ganzoo.zoo.drawing import all_blocks, check_few, default_count, draw_samples, require_showable
from ganzoo.zoo.model import Model, load_local
from ganzoo.zoo.references import OnHub, Reference, parse
from ganzoo.zoo.resolve import resolve_model
from ganzoo.zoo.rows import Folders, fixed_rows, parse_typed, stem
from ganzoo.zoo.sampling import Blocks, collect

NOTHING: Mapping[str, Any] = MappingProxyType({})


def write(
    source: str | Path | Reference,
    n: int | None,
    seed: int,
    out: Path | None,
    overwrite: bool,
    device: str,
    rows: str = "",
    fixed: Mapping[str, Any] = NOTHING,
    scale: int = 0,
) -> Path:
    """Draw `n` samples of a model into `out` (.png, .npz or a folder); return its path.

    Without `n`: 64 images or 2,500 points, or 8 in each row. `source` is as in `load`, or parsed already; `fixed` is
    as in `Model.sample`.
    `rows`, such as "label" or "c1=-1,0,1", draws `n` samples for each value of that latent key, from the same other
    latents, and a row of the picture for each. Without `out`: a new picture in the current folder, named after model,
    seed and count. `overwrite` replaces a file, or the numbered images of a folder; a model of labelled images makes a
    sub-folder for each class. `scale` enlarges pictures: each pixel becomes `scale` x `scale`; with 0 only grids of
    small images are enlarged. Raises `BadInput`, before anything is drawn, where `out` exists or cannot be written, or
    is not .npz and the model makes nothing that a picture can show.
    """
    reference = source if isinstance(source, Entry | OnHub) else parse(source)
    model = load_local(resolve_model(reference), device)
    n = n or default_count(model, rows)
    return write_samples(model, name_of(reference), n, seed, out, overwrite, rows, fixed, scale)


def write_samples(
    model: Model,
    name: str,
    n: int,
    seed: int,
    out: Path | None,
    overwrite: bool,
    rows: str = "",
    fixed: Mapping[str, Any] = NOTHING,
    scale: int = 0,
) -> Path:
    """Write samples of a loaded model as `write` does; `name` is the model's name in pictures."""
    each_fixed = fixed_rows(model, rows, parse_typed(model, fixed))
    check_writable_as(model, n, out or Path("new.png"), each_fixed)
    check_enlarged(model, out or Path("new.png"), n * len(each_fixed), scale)
    out = out or free_name(stem(name, seed, n, rows, fixed))
    make_room(out, overwrite)
    if suffix(out) == ".png":
        write_png(out, draw_samples(model, name, n, seed, rows, each_fixed, scale), name, seed)
    elif suffix(out) == ".npz":
        write_arrays(out, model, all_blocks(model, n, seed, each_fixed), n * len(each_fixed))
    else:
        write_singles(out, all_blocks(model, n, seed, each_fixed), name, seed, Folders(model, rows), scale)
    return out


def name_of(reference: Reference) -> str:
    """Return a model's name in pictures: the registered one, that of the repository, or that of the folder or run."""
    if isinstance(reference, Entry):
        return reference.name
    if isinstance(reference, OnHub):
        return reference.repository.rpartition("/")[2]
    path = reference.resolve()
    return path.parent.name if path.name == "model" and (path.parent / "recipe.toml").is_file() else path.name


def free_name(stem: str) -> Path:
    """Return the first of stem.png, stem-2.png, stem-3.png and so on that does not exist."""
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(path for path in (Path(f"{name}.png") for name in names) if not path.exists())


def suffix(out: Path) -> str:
    """Return the kind of file in lower case; a folder has none."""
    return out.suffix.lower()


def check_writable_as(model: Model, n: int, out: Path, each_fixed: Sequence[Mapping[str, Any]]) -> None:
    """Raise `BadInput` unless `n` samples with each of these fixed values can be drawn and written to such a file."""
    if suffix(out) not in ("", ".png", ".npz"):
        raise BadInput(f"cannot write samples as '{out}'; allowed: FILE.png, FILE.npz or a folder")
    if suffix(out) == ".png":
        check_few(n * len(each_fixed), f"write {n * len(each_fixed):,} to a folder or FILE.npz")
    expanded = [model.expand_fixed(n, each) for each in each_fixed]
    samples, _ = next(model.blocks_with({key: values[:1] for key, values in expanded[0].items()}, 1, 0))
    if suffix(out) == ".npz":
        return
    if select_showable(samples, model.kind) is None:
        what = "images of 1 or 3 channels or points in the plane"
        raise BadInput(f"this model does not make {what}; write its samples with --out FILE.npz")
    if model.kind == "point" and not suffix(out):
        raise BadInput("points have one picture for all and no folder; write them with --out FILE.png or FILE.npz")


def check_enlarged(model: Model, out: Path, count: int, scale: int) -> None:
    """Raise `BadInput` where pictures cannot be enlarged so much, or where there are none to enlarge."""
    if not scale:
        return
    if suffix(out) == ".npz" or model.kind == "point":
        what = "an array file has the samples as they are" if suffix(out) == ".npz" else "points are drawn as a plot"
        raise BadInput(f"--scale enlarges the pixels of pictures, and {what}")
    check_scale(scale)
    images = count if suffix(out) else 1
    require_memory(3 * images * math.prod(model.config["data"]["shape"][1:]) * scale**2, f"pictures at scale {scale}")


def make_room(out: Path, overwrite: bool) -> None:
    """Make the folder that `out` needs. Raises `BadInput` where it cannot be written, or exists already."""
    with write_errors(out):
        if not overwrite and out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise BadInput(f"'{out}' exists already; choose another --out, or --overwrite to replace it")
        if suffix(out) and out.is_dir():
            raise BadInput(f"'{out}' is a folder; choose another --out")
        folder = out.parent if suffix(out) else out
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


def write_singles(folder: Path, blocks: Blocks, name: str, seed: int, folders: Folders, scale: int = 0) -> None:
    """Write one numbered PNG for each sample into its sub-folder; those of an earlier call are removed first."""
    with write_errors(folder):
        for path in list(folders.earlier(folder)):
            path.unlink()
    number = itertools.count()
    for samples, given in blocks:
        for place, image in enumerate(to_bytes(require_showable(samples))):
            inside = folder / folders.of(given, place)
            with write_errors(inside):
                inside.mkdir(exist_ok=True)
            write_png(inside / f"{next(number):06d}.png", enlarge(to_picture(image), scale), name, seed)


def write_arrays(path: Path, model: Model, blocks: Blocks, n: int) -> None:
    """Write one array for each output, "labels" where the samples were made from them, and "classes", their names."""
    parts = collect((arrays(model, samples, given) for samples, given in blocks), n)
    whole = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    if "labels" in whole and model.classes:
        whole["classes"] = np.array(model.classes)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **whole)  # type: ignore[arg-type]  # numpy's types take a dict for its own options
    write_bytes(path, buffer.getvalue())


def arrays(model: Model, samples: Images, given: dict[str, Tensor]) -> dict[str, "np.ndarray[Any, Any]"]:
    """Return the arrays of a block: uint8 "images" (n, height, width, channels), other outputs as they are."""
    makes = model.generator.makes
    outputs = samples if isinstance(samples, dict) else {makes if isinstance(makes, str) else makes[0]: samples}
    found = {"labels": given["label"].numpy()} if "label" in given else {}
    for key, value in outputs.items():
        kept = to_bytes(value) if key == "image" and model.makes_images else value
        found["images" if key == "image" else key] = kept.numpy()
    return found
