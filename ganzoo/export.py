"""Samples of a model as files: one picture, a folder of single images, or an array file."""

import io
from pathlib import Path

import numpy as np

from ganzoo.errors import BadInput
from ganzoo.files import write_bytes, writing
from ganzoo.model import load
from ganzoo.pictures import picture, to_bytes, write_grid, write_png


def write(source: Path, n: int, seed: int, out: Path | None, overwrite: bool, device: str) -> Path:
    """Draw `n` samples of a run or model into `out` (.png, .npz or a folder) and return where they are.

    Without `out`, a picture in this folder whose name says model, seed and count. Raises `BadInput` where `out` is
    there already, or where the model's data is not images and `out` is no .npz.
    """
    model = load(source, device)
    name = source.resolve().name
    if out is None:
        out, overwrite = Path(f"{name}-seed{seed}-n{n}.png"), True
    refuse_existing(out, overwrite)
    samples, given = model.sample_with_given(n, seed)
    kind = out.suffix.lower()
    if kind not in ("", ".png", ".npz"):
        raise BadInput(f"cannot write samples as '{out}'; allowed: FILE.png, FILE.npz or a folder")
    if model.config["data"]["kind"] != "image" and kind != ".npz":
        raise BadInput("this model does not make images; write its samples with --out FILE.npz")
    with writing(out):
        (out if not kind else out.parent).mkdir(parents=True, exist_ok=True)
    if kind == ".png":
        write_grid(out, samples, name, seed)
    elif kind == ".npz":
        images = to_bytes(samples) if model.config["data"]["kind"] == "image" else samples
        labels = {"labels": given["label"].cpu().numpy()} if "label" in given else {}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, images=images.numpy(), **labels)
        write_bytes(out, buffer.getvalue())
    else:
        for number, image in enumerate(samples):
            write_png(out / f"{number:06d}.png", picture(image), name, seed)
    return out


def refuse_existing(out: Path, overwrite: bool) -> None:
    """Raise `BadInput` where something is in the way."""
    if not overwrite and out.exists() and (out.is_file() or any(out.iterdir())):
        raise BadInput(f"'{out}' is there already; choose another --out, or --overwrite to replace it")
