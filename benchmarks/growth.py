"""Measure speed and memory of a training as its folder of images grows.

    python benchmarks/growth.py --counts 1000 10000 100000

Makes folders of that many small grey images, trains the recipe vanilla on each in a process of its own, and prints for
each the seconds from the start to the first training step, images per second, the largest resident memory of the
process, and the bytes of the file list per image. The last line is JSON.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIDE = 28
STEPS = 400


def make(folder: Path, count: int) -> None:
    """Write that many images of noise, a thousand in each sub-folder."""
    rng = np.random.default_rng(0)
    for number in range(count):
        inside = folder / "all" / f"{number // 1000:04d}"
        if number % 1000 == 0:
            inside.mkdir(parents=True)
        pixels = rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
        Image.fromarray(pixels).save(inside / f"{number:07d}.png", compress_level=1)


def measure(folder: Path) -> dict[str, Any]:
    """Train on a folder in this process; return one row of the results."""
    begun = time.perf_counter()
    from ganzoo.data.images import ImageFiles
    from ganzoo.data.sources import open_data
    from ganzoo.data.stream import Streamed
    from ganzoo.recipe.build import resolve
    from ganzoo.recipe.recipe import Recipe
    from ganzoo.training.prepare import Plan, prepare

    data = open_data(folder, size=SIDE)
    recipe = Recipe.load("vanilla", train={"precision": "fp32"})
    prepared = prepare(Plan(resolve(recipe), data, "cpu"))
    started = time.perf_counter() - begun
    for _ in range(20):
        prepared.engine.step(prepared.batches)
    begun = time.perf_counter()
    for _ in range(STEPS):
        prepared.engine.step(prepared.batches)
    speed = STEPS * recipe.train.batch / (time.perf_counter() - begun)
    prepared.readers.close()
    files = data.source if isinstance(data, Streamed) else None
    listed = len(files._names) + files._ends.nbytes if isinstance(files, ImageFiles) else 0
    return {
        "count": data.count,
        "held": "read while training" if files else "in memory",
        "seconds_to_first_step": round(started, 2),
        "images_per_second": round(speed),
        "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "list_bytes_per_image": round(listed / (data.count or 1), 1),
    }


def main() -> None:
    """Make the folders, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure)))
        return
    rows = []
    for count in chosen.counts:
        with tempfile.TemporaryDirectory() as name:
            make(Path(name), count)
            command = [sys.executable, __file__, "--measure", name]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            print(rows[-1], flush=True)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
