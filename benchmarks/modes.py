"""Count the modes of a mixture that our recipes find, beside published results, by the published protocol.

    python benchmarks/modes.py --seeds 0 1 2 3 4

Trains the recipes ring8 and grid25 once per seed, counts modes on 2,500 samples of the averaged generator, and prints
mean and standard error of each in a row beside those of PacGAN (Lin et al. 2018, table 1). The last line is JSON.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import ganzoo
from ganzoo.evaluation.evaluate import evaluate
from ganzoo.evaluation.mixtures import PUBLISHED_SAMPLES

NAMES = ("ring8", "grid25")
Result = dict[str, Any]

METRICS = ("modes", "high-quality", "reverse-kl")
PAPER = {
    "ring8": {"GAN": "6.3 | 98.2 % | 0.45", "PacGAN4": "7.8 | 95.9 % | 0.07"},
    "grid25": {"GAN": "17.3 | 94.8 % | 0.70", "PacGAN4": "24.8 | 93.6 % | 0.04"},
}
"""Modes, high quality and reverse KL, as published."""


def measure(name: str, seed: int, folder: Path) -> Result:
    """Train a recipe once; return its seconds and its scores."""
    begun = time.perf_counter()
    run = ganzoo.train(name, out=folder / f"{name}-{seed}", device="cpu", train={"seed": seed}, quiet=True)
    seconds = time.perf_counter() - begun
    scores = evaluate(run.path, n=PUBLISHED_SAMPLES, device="cpu")
    values = {metric: {side: scores[metric][side] for side in ("generated", "real")} for metric in METRICS}
    return {"data": name, "seed": seed, "steps": run.recipe.train.steps, "seconds": round(seconds, 1), **values}


def format_row(results: list[Result]) -> str:
    """Format mean and standard error of several trainings as a row of the table."""
    cells = [format_mean([result[metric]["generated"] for result in results], metric) for metric in METRICS]
    seconds = [result["seconds"] for result in results]
    return " | ".join([*cells, f"{statistics.mean(seconds):.0f} s"])


def format_mean(values: list[float], metric: str) -> str:
    """Format a mean with its standard error."""
    mean, error = statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    if metric == "high-quality":
        return f"{100 * mean:.1f} ± {100 * error:.1f} %"
    return f"{mean:.1f} ± {error:.1f}" if metric == "modes" else f"{mean:.4f} ± {error:.4f}"


def format_real(result: Result) -> str:
    """Format the same metrics of real points of the mixture."""
    modes, quality, divergence = (result[metric]["real"] for metric in METRICS)
    return f"{modes:.0f} | {100 * quality:.1f} % | {divergence:.4f} | - "


def main() -> None:
    """Train, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--out", type=Path, help="Keep the runs in this folder.")
    chosen = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as made:
        for name in NAMES:
            for seed in chosen.seeds:
                results.append(measure(name, seed, chosen.out or Path(made)))
                print(json.dumps(results[-1]), flush=True)
    print("| data | what | modes | high quality | reverse KL | seconds |\n|---|---|---|---|---|---|")
    for name in NAMES:
        own = [result for result in results if result["data"] == name]
        for paper, cells in PAPER[name].items():
            print(f"| {name} | {paper}, published | {cells} | - |")
        print(f"| {name} | recipe {name} | {format_row(own)} |\n| {name} | real points | {format_real(own[0])}|")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
