"""What augmentation is worth with 100 pictures: trainings with and without it, and whether they copy.

    python benchmarks/few.py --seeds 0 --seeds 1 --seeds 2 --data-root DIR

Trains the recipe few-critters once per seed, and again without the losses that alter pictures or hold scores. Measures
10,000 samples against 10,000 pictures that were held out, and the share of samples that are as near to one of the 100
as only 1 % of unseen pictures are. The last line is JSON.
"""

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import click

import ganzoo
from ganzoo.recipe.recipe import Recipe

RECIPE, SAMPLES = "few-critters", 10_000
AUGMENTATION = ("mirror", "diffaugment", "lecam")
METRICS = ("lite0-fd", "copied-lite0", "copied-pixels")


def measure(folder: Path, seed: int, augmented: bool, steps: int | None, data_root: str | None) -> dict[str, Any]:
    """Train once and measure the averaged generator."""
    losses = [
        loss for loss in Recipe.load(RECIPE).written_out()["loss"] if augmented or loss["name"] not in AUGMENTATION
    ]
    settings: dict[str, Any] = {"train.seed": seed, "loss": losses}
    settings |= {"train.steps": steps} if steps else {}
    settings |= {"data.root": data_root} if data_root else {}
    out = folder / f"{'with' if augmented else 'without'}-{seed}"
    run = ganzoo.train(RECIPE, out=out, resume=out.exists(), device="cpu", quiet=True, **settings)
    scores = ganzoo.evaluate(run, n=SAMPLES, metrics=METRICS, data_root=data_root)
    fd = scores["lite0-fd"]
    copied = {name: [scores[name][side] for side in ("generated", "real")] for name in METRICS[1:]}
    return {"seed": seed, "augmented": augmented, "fd": fd["generated"], "ratio": fd["ratio"], **copied}


@click.command()
@click.option("--seeds", type=int, multiple=True, default=(0, 1, 2), show_default=True, help="Give it for each seed.")
@click.option("--steps", type=int, help="Other than those of the recipe.")
@click.option("--data-root", metavar="DIR", help="Folder of data sets; the pictures are drawn there if missing.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the runs here, and continue those that are.")
def main(seeds: tuple[int, ...], steps: int | None, data_root: str | None, out: Path | None) -> None:
    """Train, measure and print."""
    results = []
    with tempfile.TemporaryDirectory() as made:
        for seed in seeds:
            for augmented in (True, False):
                results.append(measure(out or Path(made), seed, augmented, steps, data_root))
                print(json.dumps(results[-1]), flush=True)
    print("| | FD (lite0-v1) | copied, features (unseen) | copied, pixels (unseen) |\n|---|---|---|---|")
    medians = {}
    for augmented in (True, False):
        own = [result for result in results if result["augmented"] == augmented]
        medians[augmented] = statistics.median(result["fd"] for result in own)
        cells = [" ".join(f"{result['fd']:.0f}" for result in own)]
        cells += [" ".join(f"{result[name][0]:.1%} ({result[name][1]:.1%})" for result in own) for name in METRICS[1:]]
        print(f"| {'with' if augmented else 'without'} augmentation | " + " | ".join(cells) + " |")
    print(f"augmentation lowers the median FD by {1 - medians[True] / medians[False]:.0%}")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
