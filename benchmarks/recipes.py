"""Measure how long the training of each first-party recipe takes on two CPU cores.

    python benchmarks/recipes.py                # all of them, about fifteen minutes; on an idle machine
    python benchmarks/recipes.py ring8 dcgan    # these alone
    python benchmarks/recipes.py --write        # also writes the second comment line of each recipe file
    python benchmarks/recipes.py --table        # also measures one core, and prints a table with the models' scores

Each recipe is trained in miniature, in a process of its own: a few steps show the speed, then as many steps as fit into
`--seconds` are trained with as many pictures, checkpoints and evaluations as the whole training has. Numbers that vary
do so in the same part of it, such as the size of networks that grow. Its time is that of the steps, times how many more
there are, and that of everything between them. Recipes for all of MNIST are measured with the 10,000 digits that ship
with ganzoo, those for avatars with the 5,000 of them: a step takes as long. Recipes whose comment says that they need a
GPU are left out. The last line is JSON.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo import Recipe

PLUGINS = Path(__file__).resolve().parent.parent / "plugins"
CORES = 2
WARM_UP_SECONDS, SECONDS = 4.0, 15.0
EVENTS = ("log_every", "sample_every", "save_every", "evaluate_every")
SCORES = {"fd": "FD", "lite0-fd": "FD", "recall": "recall", "lite0-recall": "recall"}
"""What the table calls a metric, which it has as the ratio to real samples."""
COLUMNS = ("recipe", "data", "steps", "images/s on one core", "on two", "minutes on two", "its model, beside real ones")
LINE = re.compile(r"^# Takes about .*\n", re.MULTILINE)


def recipe_files() -> dict[str, Path]:
    """Return the file of each first-party recipe by its name."""
    return {path.stem: path for path in sorted(PLUGINS.glob("*/*/recipes/*.toml"))}


def needs_gpu(path: Path) -> bool:
    """Return whether the comment at the top of a recipe says so."""
    head = path.read_text(encoding="utf-8").split("\n[", 1)[0]
    return "GPU" in head


def offline(recipe: "Recipe") -> "Recipe":
    """Return a recipe with data of the same kind and size that come with ganzoo."""
    if recipe.data.name == "mnist":
        return recipe.replace(**{"data.name": "mnist-10k"})
    if recipe.data.name.startswith("avatars"):
        return recipe.replace(**{"data.name": "avatars-5k", "data.size": recipe.data.size})
    return recipe


def hasten(value: Any, share: float) -> Any:
    """Return a part of a recipe in which whatever happens at a step, or takes steps, does so in a shorter training."""
    if isinstance(value, dict):
        steps = ("start", "stop", "over", "warmup")
        return {
            key: max(key != "start", round(each * share)) if key in steps and each else hasten(each, share)
            for key, each in value.items()
        }
    return [hasten(each, share) for each in value] if isinstance(value, list) else value


def measure(name: str, seconds: float, cores: int) -> dict[str, Any]:
    """Measure one recipe in this process."""
    import torch

    from ganzoo import Recipe

    torch.set_num_threads(cores)
    whole = offline(Recipe.load(name))
    warm = train(whole, {"minutes": WARM_UP_SECONDS / 60, **dict.fromkeys(EVENTS[1:3], 10**9)})
    # Of a training that ends by the time they are as many as fit into it.
    steps = whole.train.steps or round(60 * whole.train.minutes * warm["steps"] / warm["seconds"])
    count = max(20, min(steps, round(seconds * warm["steps"] / warm["seconds"])))
    every = {
        key: max(1, round(getattr(whole.train, key) * count / steps)) for key in EVENTS if getattr(whole.train, key)
    }
    found = train(Recipe.load(hasten(whole.written_out(), count / steps)), {"steps": count, **every})
    total = steps * found["seconds"] / count + found["between"]
    return {"images_per_second": found["images"] / found["seconds"], "steps_per_second": count / found["seconds"]} | {
        "steps": steps,
        "total_seconds": total,
    }


def train(recipe: "Recipe", settings: dict[str, Any]) -> dict[str, float]:
    """Train by a recipe with other settings; return steps, images, and seconds in the steps and between them."""
    import ganzoo

    class Meter(ganzoo.Callback):
        """Keeps the trainer, and when its first step began."""

        def on_train_start(self, trainer: ganzoo.Trainer) -> None:
            self.trainer, self.begun = trainer, time.perf_counter()

        def on_train_end(self, trainer: ganzoo.Trainer) -> None:
            self.whole = time.perf_counter() - self.begun

    meter = Meter()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        ganzoo.train(recipe, out=out, device="cpu", quiet=True, callbacks=[meter], train=settings)
    trainer = meter.trainer
    between = meter.whole - trainer.seconds
    return {
        "steps": trainer.step,
        "images": trainer.engine.images,
        "seconds": trainer.seconds,
        "between": between,
    }


def describe(found: dict[str, Any]) -> str:
    """Return the comment line of a recipe file."""
    speed = f"{found['images_per_second']:,.0f} images/s"
    return f"# Takes about {in_words(found['total_seconds'])} on two CPU cores ({speed})."


def in_words(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    if seconds < 90:
        return "a minute"
    if seconds < 55 * 60:
        return f"{round(seconds / 60)} minutes"
    return "an hour" if seconds < 75 * 60 else f"{seconds / 3600:.1f} hours"


def write(path: Path, line: str) -> None:
    """Put the line behind the first one of a recipe file, in the place of an earlier one."""
    first, rest = LINE.sub("", path.read_text(encoding="utf-8")).split("\n", 1)
    path.write_text(f"{first}\n{line}\n{rest}", encoding="utf-8")


def make_row(name: str, path: Path, one: dict[str, Any], two: dict[str, Any]) -> str:
    """Return a row of the table of costs and results: scores are those that the registry has of the trained model."""
    from ganzoo import Recipe
    from ganzoo.zoo.registry import Registry

    scores = next((entry.scores for entry in Registry().entries if entry.name == name), {})
    measures = [f"{SCORES[key]} {scores[key]['ratio']:.2f}" for key in SCORES if key in scores]
    if "label-accuracy" in scores:
        measures.append(f"labels {scores['label-accuracy']['generated']:.1%}")
    speeds = [f"{found['images_per_second']:,.0f}" for found in (one, two)]
    minutes = f"{two['total_seconds'] / 60:,.0f}" if two["total_seconds"] > 90 else f"{two['total_seconds'] / 60:.1f}"
    cells = [f"`{name}`", Recipe.load(path).data.name, f"{two['steps']:,}", *speeds, minutes, ", ".join(measures)]
    return join_cells(cells)


def join_cells(cells: Iterable[str]) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def run_alone(name: str, seconds: float, cores: int) -> dict[str, Any]:
    """Measure a recipe in a process of its own, on the first cores that this one may use."""
    free = sorted(os.sched_getaffinity(0))[:cores] if hasattr(os, "sched_getaffinity") else []
    pin = ["taskset", "-c", ",".join(map(str, free))] if free else []
    command = [*pin, sys.executable, __file__, "--one", name, "--seconds", str(seconds), "--cores", str(cores)]
    environment = {key: value for key, value in os.environ.items() if key not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure, print and, if asked, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="RECIPE")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--write", action="store_true", help="write the line of each recipe into its file")
    parser.add_argument("--table", action="store_true", help="print a Markdown table in the end")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.seconds, options.cores)))
        return
    load = os.getloadavg()[0]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {load:.2f}")
    results, rows = {}, []
    for name, path in recipe_files().items():
        if (options.names and name not in options.names) or (name not in options.names and needs_gpu(path)):
            continue
        found = results[name] = run_alone(name, options.seconds, CORES)
        if options.table:
            rows.append(make_row(name, path, run_alone(name, options.seconds, 1), found))
        print(f"{name:15} {found['steps_per_second']:7.1f} steps/s  {describe(found)}", flush=True)
        if options.write:
            write(path, describe(found))
    if options.table:
        print("\n".join([join_cells(COLUMNS), "|---" * len(COLUMNS) + "|", *rows]))
    print(json.dumps({"load": load, "recipes": results}))


if __name__ == "__main__":
    main()
