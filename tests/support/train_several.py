"""A program of somebody's own that torchrun starts in each of several processes, and that trains several times.

    torchrun --nproc-per-node 2 tests/support/train_several.py FOLDER

Each process leaves `FOLDER/program-RANK.json`: what it came to, errors as [kind, first words, whether it tells them].
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch

import ganzoo
from ganzoo.data import folders
from pictures import write_images
from trainings import keeping

RANK = int(os.environ["RANK"])
SMALL = {"data": "mnist-10k", "device": "cpu", "train.batch": 8, "train.precision": "fp32"}


def met(**how: Any) -> list[Any]:
    """The error that a training ends with."""
    try:
        ganzoo.train("vanilla", **{**SMALL, "train": {"steps": 4}, **how})
    except ganzoo.errors.Error as error:
        return [type(error).__name__, str(error).partition("; begin again")[0], error.reported_by_me]
    return []


def pictures(folder: Path) -> Path:
    """Forty, of which fifteen cannot be read."""
    if RANK == 0:
        write_images(folder, 40, (32, 32))
        for number in range(15):
            (folder / f"{number:02}.png").write_bytes(b"broken")
    return folder


def everything(folder: Path) -> dict[str, Any]:
    """All trainings."""
    came: dict[str, Any] = {}
    run = ganzoo.train("vanilla", **SMALL, out=folder / "again", train={"steps": 3})
    run = ganzoo.train(out=run.path, resume=True, device="cpu", train={"steps": 6})
    came["again"] = json.loads((run.path / "metrics.jsonl").read_text().splitlines()[-1])["step"]
    came["both"] = met(loss=[{"name": "non-saturating"}, {"name": "refusing"}])
    came["one"] = met(loss=[{"name": "non-saturating"}, {"name": "refusing", "rank": 1}])
    drawn = torch.Generator().manual_seed(RANK)
    came["batches"] = met(data=[{"image": torch.rand(4, 1, 28, 28, generator=drawn)}])
    came["tail"] = met(data=[{"image": torch.zeros(4, 1, 28, 28)}, {"image": torch.zeros(5, 1, 28, 28)}])
    folders.MAX_IMAGES_IN_MEMORY = 0  # as for a folder that is too large
    found = {"data": pictures(folder / "pictures"), "data.size": 28, "data.channels": 1}
    lines: list[str] = []
    with keeping(lines):
        ganzoo.train("vanilla", **{**SMALL, **found}, train={"steps": 10, "log_every": 5}, quiet=True)
    came["said"] = lines[-1:]
    return came


if __name__ == "__main__":
    place = Path(sys.argv[1])
    (place / f"program-{RANK}.json").write_text(json.dumps(everything(place)))
