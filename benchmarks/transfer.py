"""Count the training steps to the same score on a second style of picture, from new networks and from trained ones.

    python benchmarks/transfer.py --recipe stylegan2-32 --steps 6000 --every 500 --out runs/transfer

Trains a recipe on the first data; then on the second data three times: from new networks, with --init, and with
--init and the first layers of the discriminator frozen (FreezeD, Mo et al. 2020). The bar is the score that new
networks reach at their end. Prints for each how many steps it takes to the bar, the ratio to new networks, and the
last score, and then JSON. A run that is broken off goes on where it was, and one that is finished is not made again.
Writes `transfer.png` beside the runs.
"""

import argparse
import json
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ganzoo
from ganzoo.recipe.overrides import parse_value

Curve = list[tuple[int, float]]
WAYS = ("new networks", "--init", "--init, first layers frozen")


def train(chosen: argparse.Namespace, name: str, data: str, steps: int, options: dict[str, Any]) -> ganzoo.Run:
    """Train the recipe on some data, or go on with a run of that name; return the run."""
    folder = chosen.out / name
    measured = {f"train.{key}": chosen.every for key in ("evaluate_every", "log_every", "save_every")}
    common = {"train.steps": steps, "train.keep_discriminator": True, "data.holdout": 0.1, **measured}
    if (folder / "recipe.toml").exists():
        return ganzoo.train(out=folder, resume=True, device=chosen.device, train={"steps": steps})
    words = [word.partition("=") for word in chosen.option]
    given = {key: parse_value(value) for key, _, value in words}
    return ganzoo.train(chosen.recipe, data, folder, chosen.device, **{**common, **given, **options})


def transfer(chosen: argparse.Namespace, seed: int) -> dict[str, Curve]:
    """Train on the first data, then in each way on the second; return the scores of these over the steps."""
    first = train(chosen, f"first-{seed}", chosen.first, chosen.first_steps or chosen.steps, {"train.seed": seed})
    frozen = dict.fromkeys(chosen.freeze, 0) or {find_first_part(first): 0}
    init = {"train.init": str(first.path.absolute())}
    ways = dict(zip(WAYS, ({}, init, {**init, "optimizer.discriminator.parts": frozen}), strict=True))
    size = {f"data.{key}": chosen.__dict__[key] for key in ("size", "count") if chosen.__dict__[key]}
    curves = {}
    for number, (way, options) in enumerate(ways.items()):
        run = train(
            chosen, f"second-{number}-{seed}", chosen.second, chosen.steps, {"train.seed": seed, **size, **options}
        )
        curves[way] = read_curve(run, chosen.metric)
        print(json.dumps({"seed": seed, "way": way, "curve": curves[way]}), flush=True)
    return curves


def find_first_part(run: ganzoo.Run) -> str:
    """Return the name of the first layer of a run's discriminator that has weights, or of the block that it is in."""
    (name, *_) = (name for name, _ in ganzoo.load(run.path).discriminator.named_parameters())
    words = name.split(".")
    return ".".join(words[: 2 if words[1:2] and words[1].isdigit() else 1])


def read_curve(run: ganzoo.Run, metric: str) -> Curve:
    """Return each step at which a run was measured, with its score. Raises `SystemExit` for an unknown metric."""
    curve = [(line["step"], line[metric]) for line in run.metrics if line.get(metric) is not None]
    if not curve:
        known = sorted({key for line in run.metrics for key in line})
        raise SystemExit(f"{run.path} has no {metric} in its metrics.jsonl, which has {', '.join(known)}")
    return curve


def steps_to(curve: Curve, bar: float) -> int | None:
    """Return the first step at which a score, of which less is better, is at the bar; None where it never is."""
    return next((step for step, score in curve if score <= bar), None)


def summarise(seeds: Iterable[dict[str, Curve]]) -> list[dict[str, Any]]:
    """Return for each way and seed the steps to the score that new networks have at their end, and the last score."""
    rows = []
    for number, curves in enumerate(seeds):
        bar = curves[WAYS[0]][-1][1]
        needed = steps_to(curves[WAYS[0]], bar)
        for way, curve in curves.items():
            steps = steps_to(curve, bar)
            ratio = None if steps is None or needed is None else steps / needed
            rows.append({"seed": number, "way": way, "bar": bar, "steps": steps, "ratio": ratio, "last": curve[-1][1]})
    return rows


def print_table(rows: list[dict[str, Any]], metric: str) -> None:
    """Print the median over the seeds of each way; a way that never reached the bar in most of them is told."""
    print(
        f"| second data, from | steps to the bar | of those of new networks | {metric} at the end |\n|---|---|---|---|"
    )
    for way in WAYS:
        own = [row for row in rows if row["way"] == way]
        reached = [row for row in own if row["steps"] is not None]
        last = statistics.median(row["last"] for row in own)
        if 2 * len(reached) <= len(own):
            print(f"| {way} | not reached in {len(own) - len(reached)} of {len(own)} | - | {last:.2f} |")
            continue
        steps, ratio = (statistics.median(row[key] for row in reached) for key in ("steps", "ratio"))
        print(f"| {way} | {steps:,.0f} ({len(reached)} of {len(own)} seeds) | {ratio:.2f} | {last:.2f} |")


def draw(seeds: list[dict[str, Curve]], metric: str, path: Path) -> None:
    """Draw the score of each way over the steps, one line a seed, in the colour of its way."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    for curves in seeds:
        axes.set_prop_cycle(None)
        for way, curve in curves.items():
            axes.plot(*zip(*curve, strict=True), marker="o", markersize=3, label=way if curves is seeds[0] else None)
        axes.axhline(curves[WAYS[0]][-1][1], color="grey", linewidth=0.5)
    axes.set(xlabel="training steps on the second data", ylabel=metric, yscale="log")
    axes.legend()
    figure.savefig(path, dpi=150, bbox_inches="tight")


def main() -> None:
    """Train, count, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="dcgan")
    parser.add_argument("--first", default="avatars-5k", help="The data to begin with (avatars-5k).")
    parser.add_argument("--second", default="avatars:sprouts", help="The data to go on with (avatars:sprouts).")
    parser.add_argument("--size", type=int, default=32, help="Pixels of the second data (32); 0: its own.")
    parser.add_argument("--count", type=int, default=5000, help="Pictures of the second data (5000); 0: its own.")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--first-steps", type=int, help="Steps on the first data; by default as many.")
    parser.add_argument("--every", type=int, default=250, help="Steps between two measurements.")
    parser.add_argument("--metric", default="lite0_fd_ratio", help="A number of metrics.jsonl of which less is better.")
    parser.add_argument(
        "--freeze", nargs="*", default=[], help="Parts of the discriminator; by default the first layer."
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("-o", "--option", action="append", default=[], help="A key of the recipe for all trainings.")
    parser.add_argument("--out", type=Path, required=True, help="The folder of the runs.")
    chosen = parser.parse_args()
    seeds = [transfer(chosen, seed) for seed in chosen.seeds]
    rows = summarise(seeds)
    draw(seeds, chosen.metric, chosen.out / "transfer.png")
    print_table(rows, chosen.metric)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
