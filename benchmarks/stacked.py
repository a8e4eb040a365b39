"""Count the modes of stacked MNIST that a generator finds, by PacGAN's protocol, beside the published results.

    python benchmarks/stacked.py --seeds 0 --seeds 1 --seeds 2 --data-root DIR
    python benchmarks/stacked.py --seeds 0 --seeds 1 --seeds 2 --recipe r3gan-stacked-mnist

Without `--recipe` it trains the networks of PacGAN's experiment with a discriminator of a quarter of the generator's
size (Lin et al. 2018, table 3, after Metz et al. 2017); sizes are those of the authors' public code, loss, packing and
number of steps are ours, and the discriminator has no batch norm. Counts modes on 26,000 samples of the averaged
generator: mnist-cnn-v1 reads each of the three digits, a mode is found if it is drawn once, and KL is from the shares
of the modes to 1/1000. The last line is JSON.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor, nn

import ganzoo
from ganzoo.evaluation.mnist_cnn import load_mnist_cnn
from ganzoo.layers import initialise_normal

SAMPLES, MODES = 26_000, 1000
RECIPE: dict[str, Any] = {
    "loss": [{"name": "non-saturating"}, {"name": "r1", "gamma": 0.1, "every": 4}, {"name": "pac", "count": 4}],
    "data": {"name": "stacked-mnist"},
    "train": {"steps": 12_000, "batch": 128, "critic_steps": 2, "ema": 0.999, "save_every": 3000, "sample_every": 3000},
    "optimizer": {"betas": [0.5, 0.99], "generator": {"lr": 5e-4}, "discriminator": {"lr": 5e-3}},
}
"""A small discriminator must learn faster than the generator, or it never tells what is real."""
PUBLISHED = {
    "DCGAN, D = 1/4 G": "78.5 ± 17.6 | 5.21 ± 0.19",
    "PacDCGAN4, D = 1/4 G": "667.4 ± 29.0 | 1.81 ± 0.15",
}
"""Modes and KL with standard errors, as published (table 3)."""


class Generator(ganzoo.Generator):
    """Map noise of length 256 to images (n, 3, 28, 28): 64, 32, 16 and 8 channels, kernels of 3."""

    latent_size = 256

    def __init__(self, *, image: tuple[int, int, int]) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(256, 64 * 16), nn.Unflatten(1, (64, 4, 4)), nn.BatchNorm2d(64), nn.ReLU()]
        for before, after, more in ((64, 32, 0), (32, 16, 1), (16, 8, 1)):
            layers += [nn.ConvTranspose2d(before, after, 3, 2, 1, more), nn.BatchNorm2d(after), nn.ReLU()]
        self.network = nn.Sequential(*layers, nn.Conv2d(8, image[0], 3, padding=1), nn.Tanh())
        self.apply(initialise_normal)

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for `given["z"]`."""
        images: Tensor = self.network(given["z"])
        return images


class Discriminator(nn.Module):
    """Map images, or packs of them, to raw scores: 2, 4 and 8 channels, kernels of 3.

    Without batch norm, since R1 takes the gradient of each image by itself.
    """

    def __init__(self, *, image: tuple[int, int, int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((image[0], 2), (2, 4), (4, 8)):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.LeakyReLU(0.3)]
        self.network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * 16, 1), nn.Flatten(0))
        self.apply(initialise_normal)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return one score for each image or pack."""
        scores: Tensor = self.network(images)
        return scores


@torch.no_grad()
def count_modes(model: ganzoo.Model) -> tuple[int, float]:
    """Return how many modes are drawn, and the KL divergence of their shares from equal ones."""
    network, counts = load_mnist_cnn(), torch.zeros(MODES)
    for images, _ in model.blocks(SAMPLES):
        figures = network(2 * images.flatten(0, 1)[:, None] - 1).argmax(1).unflatten(0, (-1, 3))
        counts += torch.bincount((figures * torch.tensor([100, 10, 1])).sum(1), minlength=MODES)
    shares = counts / counts.sum()
    return int((counts > 0).sum()), float(torch.special.xlogy(shares, shares * MODES).sum())


def measure(folder: Path, seed: int, recipe: str | None, steps: int | None, data_root: str | None) -> dict[str, Any]:
    """Train once; return modes, KL, steps and minutes."""
    begun = time.perf_counter()
    own = {} if recipe else {"generator": Generator, "discriminator": Discriminator}
    out = folder / f"{recipe or 'small'}-{seed}"
    settings: dict[str, Any] = {"train.seed": seed, "out": out, "resume": out.exists(), **own}
    settings |= {"train.steps": steps} if steps else {}
    settings |= {"data.root": data_root} if data_root else {}
    run = ganzoo.train(recipe or RECIPE, device="cpu", quiet=True, **settings)
    minutes = (time.perf_counter() - begun) / 60
    modes, divergence = count_modes(ganzoo.load(run.path, "cpu", generator=own.get("generator")))
    steps = run.recipe.train.steps
    return {"seed": seed, "modes": modes, "kl": divergence, "steps": steps, "minutes": round(minutes, 1)}


def format_row(results: list[dict[str, Any]]) -> str:
    """Format mean and standard error of modes and KL."""
    cells = []
    for key, digits in (("modes", 1), ("kl", 3)):
        values = [result[key] for result in results]
        error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
        cells.append(f"{statistics.mean(values):.{digits}f} ± {error:.{digits}f}")
    return " | ".join(cells)


@click.command()
@click.option("--seeds", type=int, multiple=True, default=(0, 1, 2), show_default=True, help="Give it for each seed.")
@click.option("--recipe", help="A recipe with networks of its own, in place of PacGAN's networks.")
@click.option("--steps", type=int, help="Other than those of the recipe.")
@click.option("--data-root", metavar="DIR", help="Folder of MNIST, which is downloaded if missing.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the runs here, and continue those that are.")
def main(seeds: tuple[int, ...], recipe: str | None, out: Path | None, **options: Any) -> None:
    """Train once per seed and count."""
    results = []
    with tempfile.TemporaryDirectory() as made:
        for seed in seeds:
            results.append(measure(out or Path(made), seed, recipe, **options))
            print(json.dumps(results[-1]), flush=True)
    print("| what | steps | modes | KL |\n|---|---|---|---|")
    for name, cells in PUBLISHED.items():
        print(f"| {name}, published | 500000 | {cells} |")
    print(f"| {recipe or 'the same networks, here'} | {results[0]['steps']} | {format_row(results)} |")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
