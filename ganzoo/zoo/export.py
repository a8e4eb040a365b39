"""Samples of a model as files: one picture, a folder of single files, one file of the kind's own, or an array file."""

import io
import itertools
import logging
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from torch import Tensor

from ganzoo._io import write_bytes, write_errors
from ganzoo._memory import require_memory
from ganzoo._numbers import check_scale
from ganzoo.contract import Images
from ganzoo.dataset import Spec
from ganzoo.errors import BadInput
from ganzoo.kind import Array, Kind
from ganzoo.kinds.files import numbered, to_array, write_sample
from ganzoo.pictures.grid import make_mark, save_png
from ganzoo.plugins.entries import Entry
from ganzoo.zoo.drawing import all_blocks, check_few, collect_arrays, default_count, draw_samples, scaled
from ganzoo.zoo.model import Model, load_local
from ganzoo.zoo.references import OnHub, Reference, parse
from ganzoo.zoo.resolve import resolve_model
from ganzoo.zoo.rows import Folders, fixed_rows, parse_typed, stem
from ganzoo.zoo.sampling import Blocks, collect

logger = logging.getLogger(__name__)

PNG = ".png"
Form = Literal["picture", "arrays", "file", "folder"]
"""One picture of all samples, an array file, one file as the kind writes it, or a folder of such files."""
ENDINGS: Mapping[Form, str] = {"picture": PNG, "arrays": ".npz", "file": "{}", "folder": ""}
"""The ending of each form; that of a file is the kind's."""
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
    inputs: Mapping[str, Path] = NOTHING,
) -> Path:
    """Draw `n` samples of a model into a file or folder `out`; return its path.

    Without `n`: one for each of `inputs`, which are files, folders or array files by key; else as many as the kind
    shows, such as 64 images or 2,500 points, or 8 in each row. `source` is as in `load`, or parsed already; `fixed` is
    as in `Model.sample`.
    `rows`, such as "label" or "c1=-1,0,1", draws `n` samples for each value of that latent key, from the same other
    latents, and a row of the picture for each. `out` is a picture (.png) of kinds that can be drawn, an array file
    (.npz), a folder of single files or, as the kind says, a file of its own, such as one sound (.wav) or all rows of a
    table (.csv). Without it: a new one in the current folder, of the form that suits the kind, named after model, seed
    and count. `overwrite` replaces a file, or the numbered files of a folder; a model of labelled samples makes a
    sub-folder for each class. `scale` enlarges pictures: each pixel becomes `scale` x `scale`; with 0 only grids of
    small images are enlarged. Raises `BadInput`, before anything is drawn, where `out` exists or cannot be written, or
    is of a form that the kind does not have.
    """
    reference = source if isinstance(source, Entry | OnHub) else parse(source)
    model = load_local(resolve_model(reference), device)
    given = read_inputs(model, n, rows, fixed, inputs)
    n = n or max([len(values) for values in given.values()], default=0) or default_count(model, rows)
    return write_samples(model, name_of(reference), n, seed, out, overwrite, rows, fixed, scale, given)


def read_inputs(
    model: Model, n: int | None, rows: str, fixed: Mapping[str, Any], inputs: Mapping[str, Path]
) -> dict[str, Array]:
    """Read the inputs of `n` samples by key; the log says which real ones stand for those that are not given."""
    if twice := fixed.keys() & inputs.keys():
        raise BadInput(f"'{min(twice)}' is given twice: by --set and by --input")
    given = {key: model.inputs.read(key, path, n) for key, path in inputs.items()}
    if told := model.inputs.describe_kept({*fixed, *given, rows.partition("=")[0].strip()}):
        logger.info("%s", told)
    return given


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
    given: Mapping[str, Array] = NOTHING,
) -> Path:
    """Write samples of a loaded model as `write` does; `name` is the model's name in pictures.

    `given` are inputs: one for all samples, or one for each.
    """
    each_fixed = [{**each, **given} for each in fixed_rows(model, rows, parse_typed(model, fixed))]
    total, kind = n * len(each_fixed), model.outputs.kind
    form = check_form(kind, out, total)
    check_drawable(model, n, each_fixed)
    check_enlarged(kind, form, total, scale)
    out = out or free_name(stem(name, seed, n, rows, fixed), ENDINGS[form].format(kind.suffix))
    make_room(out, overwrite)
    kind = scaled(kind, scale)
    mark = make_mark(name, seed)
    if form == "picture":
        save_png(out, draw_samples(model, name, n, seed, rows, each_fixed, scale), mark)
        return out
    blocks = all_blocks(model, n, seed, each_fixed)
    if form == "arrays":
        write_arrays(out, model, blocks, total)
    elif form == "file":
        found = collect_arrays(model, blocks, total)[model.outputs.main]
        write_sample(kind, out, found if kind.together else found[0], mark)
    else:
        write_singles(out, model, blocks, mark, Folders(model, rows), scale)
    return out


def name_of(reference: Reference) -> str:
    """Return a model's name in pictures: the registered one, that of the repository, or that of the folder or run."""
    if isinstance(reference, Entry):
        return reference.name
    if isinstance(reference, OnHub):
        return reference.repository.rpartition("/")[2]
    path = reference.resolve()
    return path.parent.name if path.name == "model" and (path.parent / "recipe.toml").is_file() else path.name


def free_name(stem: str, ending: str) -> Path:
    """Return the first of stem.png, stem-2.png, stem-3.png and so on that does not exist."""
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(path for path in (Path(f"{name}{ending}") for name in names) if not path.exists())


def suffix(out: Path) -> str:
    """Return the kind of file in lower case; a folder has none."""
    return out.suffix.lower()


def default_form(kind: Kind) -> Form:
    """Return the form in which samples are written unless the user says one."""
    if kind.suffix in ("", PNG) and not kind.not_drawn:
        return "picture"
    return "file" if kind.together else "folder" if kind.suffix else "arrays"


def check_form(kind: Kind, out: Path | None, total: int) -> Form:
    """Return the form in which `total` samples are written to `out`. Raises `BadInput` where the kind has no such."""
    form = default_form(kind) if out is None else form_of(kind, out)
    if form == "picture":
        check_few(total, f"write {total:,} to {' or '.join(list_forms(kind, pictures=False))}")
    if form == "file" and not kind.together and total > 1:
        raise BadInput(f"a {kind.suffix} file holds one of the {kind.plural}, not {total:,}; give -n 1, or a folder")
    return form


def form_of(kind: Kind, out: Path) -> Form:
    """Return the form that a path means. Raises `BadInput` where samples of the kind have no such form."""
    ending = suffix(out)
    if ending == ".npz":
        return "arrays"
    if ending == PNG and not kind.not_drawn:
        return "picture"
    if ending and ending == kind.suffix:
        return "file"
    if not ending and kind.suffix and not kind.together:
        return "folder"
    reason = f"{kind.not_drawn}; " if kind.not_drawn and (ending == PNG or not kind.suffix) else ""
    raise BadInput(f"cannot write {kind.plural} as '{out}': {reason}allowed: {' or '.join(list_forms(kind))}")


def list_forms(kind: Kind, pictures: bool = True) -> list[str]:
    """Return what samples of a kind can be written to, in words."""
    found = ["FILE.png"] if pictures and not kind.not_drawn else []
    found += ["a folder"] if kind.suffix and not kind.together else []
    found += [f"FILE{kind.suffix}"] if kind.suffix not in ("", PNG) else []
    return [*found, "FILE.npz"]


def check_drawable(model: Model, n: int, each_fixed: Sequence[Mapping[str, Any]]) -> None:
    """Raise `BadInput` unless a first sample can be drawn with these fixed values."""
    expanded = [model.expand_fixed(n, each) for each in each_fixed]
    next(model.blocks_with({key: values[:1] for key, values in expanded[0].items()}, 1, 0))


def check_enlarged(kind: Kind, form: Form, count: int, scale: int) -> None:
    """Raise `BadInput` where pictures cannot be enlarged so much, or where there are none to enlarge."""
    if not scale:
        return
    if form == "arrays" or kind.scale is None:
        what = "an array file has the samples as they are" if form == "arrays" else f"{kind.plural} have none"
        raise BadInput(f"--scale enlarges the pixels of pictures, and {what}")
    check_scale(scale)
    images = count if form == "picture" else 1
    require_memory(3 * images * math.prod(kind.spec.shape[1:]) * scale**2, f"pictures at scale {scale}")


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


def write_singles(
    folder: Path, model: Model, blocks: Blocks, mark: Mapping[str, str], folders: Folders, scale: int = 0
) -> None:
    """Write one numbered file for each sample into its sub-folder; those of an earlier call are removed first.

    Several outputs each have a folder of their own, called by their key.
    """
    kinds = model.outputs.shown
    places = {key: folder / key if len(kinds) > 1 else folder for key in kinds}
    for place in places.values():
        with write_errors(place):
            place.mkdir(exist_ok=True)
            for path in list(folders.earlier(place)):
                path.unlink()
    done = 0
    for samples, given in blocks:
        for key, arrays_of_key in model.outputs.to_arrays(samples).items():
            kind = scaled(kinds[key], scale)
            for number, sample in enumerate(arrays_of_key):
                inside = places[key] / folders.of(given, number)
                with write_errors(inside):
                    inside.mkdir(exist_ok=True)
                write_sample(kind, inside / numbered(kind, done + number), sample, mark)
        done += len(next(iter(given.values())))


def write_arrays(path: Path, model: Model, blocks: Blocks, n: int) -> None:
    """Write one array for each output, "labels" where the samples were made from them, and "classes", their names."""
    parts = collect((arrays(model, samples, given) for samples, given in blocks), n)
    whole = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    if "labels" in whole and model.classes:
        whole["classes"] = np.array(model.classes)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **whole)  # type: ignore[arg-type]  # numpy's types take a dict for its own options
    write_bytes(path, buffer.getvalue())


def arrays(model: Model, samples: Images, given: dict[str, Tensor]) -> dict[str, Array]:
    """Return the arrays of a block, as `Kind.to_array` makes them; that of the key "image" is called "images"."""
    outputs = samples if isinstance(samples, dict) else {model.outputs.main: samples}
    found = {"labels": given["label"].numpy()} if "label" in given else {}
    for key, value in outputs.items():
        kind = model.outputs.kinds.get(key) or Kind(Spec())
        found["images" if key == "image" else key] = to_array(kind, value)
    return found
