"""Which attributes of avatars a model draws, judged by a classifier that learns them from real pictures.

    python benchmarks/attributes.py MODEL ... --data avatars:critters --count 40000

Trains a small network on all attributes of the pictures that are not held out, and prints how many of the held-out ones
it reads right. Attributes below 95 % are named and left out. A value that at least 2 % of the pictures have is drawn if
a model's samples have it at least a quarter as often, where the network is at least 90 % sure. A conditional model is
asked for the attributes of the pictures that are held out, and the network says how often it drew what was asked for.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad
from torch.optim.lr_scheduler import OneCycleLR

import ganzoo
from ganzoo.data.avatars.album import Album
from ganzoo.data.base import Data
from ganzoo.data.sources import open_data

EPOCHS, BATCH, RATE, MAX_SHIFT = 8, 128, 3e-3, 1
READABLE, SURE, COMMON, DRAWN = 0.95, 0.9, 0.02, 0.25
SAMPLES = 10_000

Labels = dict[str, Tensor]


class Reader(nn.Module):
    """Scores of the values of each attribute, for images of shape (n, channels, side, side) in [-1, 1]."""

    def __init__(self, channels: int, side: int, counts: dict[str, int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        widths = [channels, 48, 96, 192, 256]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers, nn.Flatten())
        size = widths[-1] * (side // 16) ** 2
        self.heads = nn.ModuleDict({name: nn.Linear(size, count) for name, count in counts.items()})

    def forward(self, images: Tensor) -> Labels:
        """Return scores (n, values) for each attribute."""
        features = self.features(images)
        return {name: head(features) for name, head in self.heads.items()}


def everything(data: Data) -> tuple[Tensor, Labels]:
    """Return all images in [-1, 1], and their labels."""
    whole = dict(next(data.batches(data.count or 0, 0)))
    return whole.pop("image"), whole


def train(images: Tensor, labels: Labels, counts: dict[str, int]) -> Reader:
    """Train on images that are shifted by up to a pixel."""
    reader = Reader(images.shape[1], images.shape[2], counts).to(memory_format=torch.channels_last)
    steps = EPOCHS * (len(images) // BATCH)
    optimizer = torch.optim.Adam(reader.parameters(), RATE)
    schedule = OneCycleLR(optimizer, RATE, total_steps=steps)
    for chosen in shuffled(len(images)):
        with torch.autocast("cpu", torch.bfloat16):
            scores = reader(shift(images[chosen]).to(memory_format=torch.channels_last))
        losses = [cross_entropy(scores[name].float(), labels[name][chosen]) for name in counts]
        optimizer.zero_grad()
        torch.autograd.backward(torch.stack(losses).sum())
        optimizer.step()
        schedule.step()
    return reader.eval()


def shuffled(count: int) -> Iterator[Tensor]:
    """Yield the indices of batches, in a new order for each epoch."""
    for _ in range(EPOCHS):
        yield from torch.split(torch.randperm(count), BATCH)[: count // BATCH]


def shift(images: Tensor) -> Tensor:
    """Shift all images in the same direction."""
    down, right = torch.randint(0, 2 * MAX_SHIFT + 1, (2,)).tolist()
    height, width = images.shape[2:]
    return pad(images, [MAX_SHIFT] * 4, mode="replicate")[..., down : down + height, right : right + width]


@torch.no_grad()
def read(reader: Reader, images: Tensor) -> Labels:
    """Return the probability of each value of each attribute, (n, values)."""
    parts = [reader(part) for part in torch.split(images, 500)]
    return {name: torch.cat([part[name] for part in parts]).softmax(1) for name in parts[0]}


def right(found: Tensor, labels: Tensor) -> float:
    """Return the share of the labels that are the most probable values."""
    return (found.argmax(1) == labels).float().mean().item()


def missing(found: Tensor, labels: Tensor, names: list[str]) -> tuple[int, list[str]]:
    """Return how many values are common in the data, and those of them that are not drawn, with both shares."""
    sure = torch.where(found.amax(1) >= SURE, found.argmax(1), -1)
    real, drawn = (torch.bincount(side[side >= 0], minlength=len(names)) / len(side) for side in (labels, sure))
    shares = dict(zip(names, zip(real.tolist(), drawn.tolist(), strict=True), strict=True))
    common = {name: both for name, both in shares.items() if both[0] >= COMMON}
    lost = [f"{name} ({its:.2%}, real {share:.1%})" for name, (share, its) in common.items() if its < DRAWN * share]
    return len(common), lost


def judge(model: Path, reader: Reader, names: dict[str, list[str]], labels: Labels) -> None:
    """Print what a model's samples have of each attribute."""
    loaded = ganzoo.load(model, device="cpu")
    asked = {name: values[:SAMPLES] for name, values in labels.items() if name in loaded.generator.categorical}
    samples, given = loaded.sample_with_given(min(SAMPLES, *map(len, labels.values())), **asked)
    found = read(reader, 2 * samples - 1)
    counted = {name: missing(found[name], labels[name], values) for name, values in names.items()}
    lost = [f"{name}: {value}" for name, (_, values) in counted.items() for value in values]
    common = sum(count for count, _ in counted.values())
    print(f"{model}: {common - len(lost)} of {common} values are drawn" + "".join(f"\n  not {each}" for each in lost))
    for name in [name for name in names if name in asked]:
        print(f"  {name} as asked for: {right(found[name], given[name]):.2%}")


@click.command()
@click.argument("models", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--data", default="avatars:critters", show_default=True)
@click.option("--data-root", help="Where avatars are drawn to.")
@click.option("--count", default=40_000, show_default=True)
@click.option("--size", default=32, show_default=True)
@click.option("--holdout", default=0.25, show_default=True)
@click.option("--reader", type=click.Path(path_type=Path), help="Keep the classifier here, or take it from there.")
def main(models: tuple[Path, ...], data: str, data_root: str | None, reader: Path | None, **options: Any) -> None:
    """Train the classifier, print how well it reads, and judge MODELS by it."""
    torch.manual_seed(0)
    attributes = list_attributes(data, data_root, options["size"], options["count"])
    opened = open_data(data, root=data_root, label=attributes, **options)
    names = {name: opened.classes_of(name) for name in attributes}
    counts = {name: len(values) for name, values in names.items()}
    held_images, held = everything(opened.held_out) if opened.held_out else everything(opened)
    if reader and reader.exists():
        network = Reader(*held_images.shape[1:3], counts)
        network.load_state_dict(torch.load(reader, weights_only=True))
        network.eval()
    else:
        network = train(*everything(opened), counts)
        if reader:
            torch.save(network.state_dict(), reader)
    found = read(network, held_images)
    accuracy = {name: right(found[name], held[name]) for name in names}
    for name, share in accuracy.items():
        print(f"{name} ({counts[name]} values): {share:.2%} right" + " (left out)" * (share < READABLE), flush=True)
    kept = {name: values for name, values in names.items() if accuracy[name] >= READABLE}
    for model in models:
        judge(model, network, kept, held)


def list_attributes(data: str, root: str | None, size: int, count: int) -> list[str]:
    """Return the attributes of a style that vary."""
    from ganzoo._io import find_data_root

    open_data(data, root=root, size=size, count=count)  # draws what is missing
    drawn = Album(find_data_root(root), data.partition(":")[2] or "critters", 0, size).attributes(count)
    return [name for name, values in drawn.items() if len(set(values)) > 1]


if __name__ == "__main__":
    main()
