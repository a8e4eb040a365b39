"""Measure how fast the modern recipes train, beside loops written by hand, and a styled convolution in two ways.

    python benchmarks/modern.py                              # everything, about twenty minutes on two CPU cores
    python benchmarks/modern.py --only stylegan2-32 modulation
    python benchmarks/modern.py --cpu-time                   # ratios on a machine that does other work

Each recipe's networks are trained by ganzoo's engine and by the loop of `by_hand.py`, which has the same losses,
images, batch, precision and optimizer. They take turns in one process, with one warm-up round and five that count. A
result is the median of the rounds, with the smallest and the largest; the ratio is the median of the ratios within the
rounds. `ours` is the recipe as it is, with its averaged generator and its log. Images per second counts real images. A
round is a multiple of 16 steps, so that lazy losses count as in a training; those that start later do not play.
Networks that grow have their full size. Recipes for a GPU are left out.

`modulation` compares the two ways to convolve each sample with weights of its own (Karras et al. 2020, equations 1 and
3): as one convolution with a group for each sample, and by scaling what goes in and what comes out. The last line is
JSON.
"""

import argparse
import copy
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from math import sqrt
from typing import Any

import speed
import torch
from by_hand import Given
from by_hand_games import LOOPS, Separate
from recipes import offline
from speed import ratio, rounds, table
from torch import Tensor
from torch.nn.functional import conv2d

import ganzoo
from ganzoo.data.base import Data
from ganzoo.data.sources import open_data
from ganzoo.engine.hardware import has_bf16_units
from ganzoo.recipe.build import resolve
from ganzoo.recipe.recipe import Recipe

RECIPES = (
    *("stylegan2-32", "stylegan2-64", "stylegan3-32", "r3gan-32", "r3gan-64", "r3gan-stacked-mnist", "sngan-32"),
    *("sagan-32", "biggan-32", "reacgan-32", "fastgan-64", "projected-64", "progressive-64"),
    *("dcgan-few", "dcgan-ada"),
)
STEPS, IMAGES = 16, 1024
SHAPES = {"32 px": (32, 64, 32), "64 px": (32, 32, 64), "256 px": (4, 128, 128)}
"""Samples, channels and side of the maps that are convolved."""
REPEATS = 7
CPU_TIME = False
"""Whether seconds of the processor are counted, on a machine that does other work."""


class Ours:
    """A recipe in ganzoo's engine."""

    def __init__(self, recipe: Recipe, networks: tuple[Any, Any], data: Data) -> None:
        found = resolve(recipe, facts=data.facts)
        train = {**recipe.train.model_dump(exclude_none=True), "steps": 10**9}
        losses = found.make_losses()
        self.engine = ganzoo.Engine(*networks, losses, train=train, optimizer=recipe.optimizer, device="cpu")
        self.batches = data.batches(recipe.train.batch, 0)

    def run(self, steps: int) -> None:
        """Run that many training steps, and read the log once."""
        for _ in range(steps):
            self.engine.step(self.batches)
        self.engine.metrics()


def open_recipe(name: str) -> tuple[Recipe, Data]:
    """Return a recipe with data that need no drawing and no network."""
    recipe = offline(Recipe.load(name))
    losses = [use.model_dump(exclude_none=True) for use in recipe.loss]
    for use in losses:
        use.update({"level": use["level"]["to"]} if isinstance(use.get("level"), dict) else {})
    return recipe.replace(loss=losses), open_data(recipe.data.name, **recipe.data.options())


def in_memory(data: Data) -> Given:
    """Return some of the images as bytes, and their labels."""
    batch = data.first(IMAGES, 0)
    image = (batch["image"] + 1).mul(127.5).round().to(torch.uint8)
    return {**{key: value for key, value in batch.items() if key == "label"}, "image": image}


def training(name: str, count: int) -> tuple[dict[str, list[float]], str]:
    """Measure images per second of each loop; return them, and the precision."""
    recipe, data = open_recipe(name)
    found = resolve(recipe, facts=data.facts).architecture
    networks = found.generator.make(**data.facts), found.discriminator.make(**data.facts)
    copies = {key: copy.deepcopy(networks) for key in ("by hand", "by hand, separate")}
    ours = Ours(recipe, networks, data)
    ours.run(1)
    bf16, images = ours.engine.hardware.precision == "bf16", in_memory(data)
    kind = LOOPS[recipe.loss[0].name.rpartition(":")[2]]
    loops: dict[str, Any] = {"ours": ours, "by hand": kind(recipe, copies["by hand"], images, bf16)}
    if issubclass(Separate, kind):
        loops["by hand, separate"] = Separate(recipe, copies["by hand, separate"], images, bf16)
    real = count * recipe.train.batch * recipe.train.critic_steps
    return rounds({key: timed(loop.run, count, real) for key, loop in loops.items()}), "bf16" if bf16 else "fp32"


def timed(run: Callable[[int], None], steps: int, images: int) -> Callable[[], float]:
    """Return a function that measures images per second."""

    def measure() -> float:
        begun = clock()
        run(steps)
        return images / (clock() - begun)

    return measure


def clock() -> float:
    """Return seconds: of the world, or those that this process has computed."""
    return time.process_time() if CPU_TIME else time.perf_counter()


def grouped(features: Tensor, weight: Tensor, style: Tensor) -> Tensor:
    """Convolve each sample with weights of its own, modulated and demodulated: one group for each sample."""
    own = weight * style[:, None, :, None, None]
    own = own * (own.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    n, channels, height, width = features.shape
    made = conv2d(
        features.reshape(1, n * channels, height, width), own.flatten(0, 1).to(features.dtype), padding=1, groups=n
    )
    return made.view(n, -1, height, width)


def scaled(features: Tensor, weight: Tensor, style: Tensor) -> Tensor:
    """Do the same by scaling the channels before and after one convolution for all samples."""
    factor = (style.square() @ weight.square().sum((2, 3)).T + 1e-8).rsqrt()
    made = conv2d(features * style[:, :, None, None].to(features.dtype), weight.to(features.dtype), padding=1)
    return made * factor[:, :, None, None].to(features.dtype)


def modulation() -> dict[str, dict[str, float]]:
    """Measure milliseconds of both ways, forward and backward, for maps as in networks of several sizes."""
    found = {}
    for size, (n, channels, side) in SHAPES.items():
        for dtype in (torch.float32, torch.bfloat16):
            features = torch.randn(n, channels, side, side, dtype=dtype).contiguous(memory_format=torch.channels_last)
            weight, style = torch.randn(channels, channels, 3, 3) / sqrt(9 * channels), torch.randn(n, channels) + 1
            ways = {"grouped": grouped, "scaled": scaled}
            if dtype == torch.float32:
                torch.testing.assert_close(*(way(features, weight, style) for way in ways.values()), rtol=0, atol=1e-4)
            inputs = [each.requires_grad_() for each in (features, weight, style)]
            taken: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(REPEATS):
                for name, way in ways.items():
                    begun = clock()
                    torch.autograd.backward(way(*inputs).sum())
                    taken[name].append(1000 * (clock() - begun))
            medians = {name: round(statistics.median(values[1:]), 2) for name, values in taken.items()}
            found[f"{size}, {str(dtype).removeprefix('torch.')}"] = medians
    return found


def print_modulation(found: Mapping[str, Mapping[str, float]]) -> None:
    """Print both ways beside each other."""
    print("\nmodulated convolution, forward and backward, ms")
    for name, both in found.items():
        print(f"  {name:20}grouped {both['grouped']:9.1f}   scaled {both['scaled']:9.1f}")


def main() -> None:
    """Measure what the arguments ask for and print it."""
    global CPU_TIME
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[*RECIPES, "modulation"], default=[*RECIPES, "modulation"])
    parser.add_argument("--rounds", type=int, default=speed.ROUNDS, help="rounds that count")
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps of a round, a multiple of 16")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu-time", action="store_true", help="count seconds of one thread, beside other work")
    chosen = parser.parse_args()
    speed.ROUNDS, CPU_TIME = chosen.rounds, chosen.cpu_time
    threads = 1 if CPU_TIME else chosen.threads  # threads that wait for others would count
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    units = "bf16 units" if has_bf16_units(torch.device("cpu")) else "no bf16 units"
    print(f"torch {torch.__version__}, {threads} threads of {os.cpu_count()} cores, {units}")
    results: dict[str, Any] = {"load": os.getloadavg()[0]}
    for name in [name for name in RECIPES if name in chosen.only]:
        measured, precision = training(name, chosen.steps)
        print(f"\n{name}: {precision}, {chosen.steps} steps a round")
        results[name] = {**table(measured), "ratio": ratio(measured, "ours", "by hand"), "precision": precision}
        print(f"  ours / by hand {results[name]['ratio']}", flush=True)
    if "modulation" in chosen.only:
        results["modulation"] = modulation()
        print_modulation(results["modulation"])
    print(json.dumps(results))


if __name__ == "__main__":
    main()
