"""Samples of a model as files: one picture, a folder of single images, or an array file."""

import io
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganzoo._io import write_bytes, write_errors
from ganzoo.errors import BadInput
from ganzoo.pictures.grid import to_bytes, to_picture, write_png, write_tiles
from ganzoo.pictures.layout import POINTS_SHOWN, SAMPLES_PER_ROW, SAMPLES_SHOWN, select_showable
from ganzoo.pictures.points import write_scatter
from ganzoo.plugins.entries import Entry
from ganzoo.zoo.model import Model, load
from ganzoo.zoo.references import parse
from ganzoo.zoo.rows import Folders, each_row, stem
from ganzoo.zoo.sampling import concatenate

IN_A_PICTURE = 10_000
"""Samples that one picture shows at most."""
NOTHING: Mapping[str, Any] = MappingProxyType({})

Blocks = Iterable[tuple[Any, dict[str, Tensor]]]


def write(
    source: str | Path,
    n: int | None,
    seed: int,
    out: Path | None,
    overwrite: bool,
    device: str,
    say: Callable[[str], None] = lambda sentence: None,
    rows: str = "",
    fixed: Mapping[str, Any] = NOTHING,
) -> Path:
    """Draw `n` samples of a model into `out` (.png, .npz or a folder) and return where they are.

    Without `n`, 64 images or 2,500 points, or 8 in each of the rows. `source` and `say` are as in `load`, `fixed` as in
    `Model.sample`. With `rows`, such as "label" or "c1=-1,0,1", `n` samples for each value of that latent key, made
    from the same other latents, and a row of the picture for each. Without `out`, a new picture in this folder whose
    name says model, seed and count. `overwrite` replaces a file, or the numbered images of a folder, in which a model
    of labelled images has a sub-folder for each class. Raises `BadInput`, before the samples are drawn, where `out` is
    there already or cannot be written, or where the model makes nothing that a picture can show and `out` is no .npz.
    """
    model = load(source, device, say=say)
    n = n or (SAMPLES_PER_ROW if rows else POINTS_SHOWN if model.kind == "point" else SAMPLES_SHOWN)
    return write_samples(model, name_of(source), n, seed, out, overwrite, rows, fixed)


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
    wanted = each_row(model, rows, fixed)
    check_writable_as(model, n, out or Path("new.png"), wanted)
    out = out or free_name(stem(name, seed, n, rows, fixed))
    make_room(out, overwrite)
    blocks = itertools.chain.from_iterable(model.blocks(n, seed, **each) for each in wanted)
    if suffix(out) == ".npz":
        write_arrays(out, model, blocks)
    elif suffix(out) == ".png" and model.kind == "point":
        write_scatter(
            out, select_showable(concatenate([samples for samples, _ in blocks]), "point").numpy(), name, seed
        )
    elif suffix(out) == ".png":
        write_tiles(out, torch.cat(list(pixels(blocks))), name, seed, n if rows else 0)
    else:
        write_singles(out, blocks, name, seed, Folders(model, rows))
    return out


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


def check_writable_as(model: Model, n: int, out: Path, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Raise `BadInput` where `n` samples of each that is wanted cannot be drawn, or not be written as such a file."""
    if suffix(out) not in ("", ".png", ".npz"):
        raise BadInput(f"cannot write samples as '{out}'; allowed: FILE.png, FILE.npz or a folder")
    if suffix(out) == ".png" and n * len(wanted) > IN_A_PICTURE:
        many = f"{n * len(wanted):,}"
        raise BadInput(f"one picture shows at most {IN_A_PICTURE:,} samples; write {many} to a folder or FILE.npz")
    settled = [model.expand_fixed(n, **each) for each in wanted]
    samples = model.sample(1, **{key: values[:1] for key, values in settled[0].items()})
    if suffix(out) == ".npz":
        return
    if select_showable(samples, model.kind) is None:
        what = "images of 1 or 3 channels or points in the plane"
        raise BadInput(f"this model does not make {what}; write its samples with --out FILE.npz")
    if model.kind == "point" and not suffix(out):
        raise BadInput("points have one picture for all and no folder; write them with --out FILE.png or FILE.npz")


def make_room(out: Path, overwrite: bool) -> None:
    """Make the folder that `out` needs. Raises `BadInput` where it cannot be written, or something is in the way."""
    with write_errors(out):
        if not overwrite and out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise BadInput(f"'{out}' is there already; choose another --out, or --overwrite to replace it")
        if suffix(out) and out.is_dir():
            raise BadInput(f"'{out}' is a folder; choose another --out")
        folder = out.parent if suffix(out) else out
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


def pixels(blocks: Blocks) -> Iterator[Tensor]:
    """The images of each block as uint8, a quarter of the memory."""
    return (to_bytes(select_showable(samples)) for samples, _ in blocks)


def write_singles(folder: Path, blocks: Blocks, name: str, seed: int, folders: Folders) -> None:
    """One numbered PNG for each sample, in the sub-folder where it belongs; earlier ones are removed first."""
    with write_errors(folder):
        for path in list(folders.earlier(folder)):
            path.unlink()
    number = itertools.count()
    for samples, given in blocks:
        for place, image in enumerate(to_bytes(select_showable(samples))):
            inside = folder / folders.of(given, place)
            with write_errors(inside):
                inside.mkdir(exist_ok=True)
            write_png(inside / f"{next(number):06d}.png", to_picture(image), name, seed)


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
