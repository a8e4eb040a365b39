"""What lite0-v1 says of pictures that were spoilt on purpose: blur, noise, dots, missing modes, few distinct pictures.

python benchmarks/orders.py [--count 1000] [--data avatars-5k]
"""

import time
from collections.abc import Callable, Iterator

import click
import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from ganzoo.data.sources import open_data
from ganzoo.evaluation.lite0 import Lite0Suite
from ganzoo.evaluation.real import RealSamples

BATCH = 64


def blur(images: Tensor) -> Tensor:
    """Blur images with the binomial filter 1 2 1, up and down and across."""
    kernel = torch.tensor([1.0, 2.0, 1.0]) / 4
    filters = (kernel[:, None] * kernel).expand(images.shape[1], 1, 3, 3)
    return conv2d(pad(images, (1, 1, 1, 1), mode="replicate"), filters, groups=images.shape[1])


def halve(images: Tensor) -> Tensor:
    """Make images half as large, and as large as before."""
    small = interpolate(images, scale_factor=0.5, mode="bilinear", antialias=True)
    return interpolate(small, size=images.shape[2:], mode="bilinear")


def add_noise(images: Tensor, levels: int) -> Tensor:
    """Add Gaussian noise with a standard deviation of so many of 255 levels."""
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return (images + levels / 255 * noise).clamp(0, 1)


def add_dots(images: Tensor, levels: int = 10) -> Tensor:
    """Make every second pixel darker and the others brighter, as a bad upsampling does."""
    rows, columns = (torch.arange(side) for side in images.shape[2:])
    return (images + levels / 255 * ((rows[:, None] + columns) % 2 * 2 - 1)).clamp(0, 1)


def repeat(images: Tensor, distinct: int) -> Tensor:
    """Return as many images, of which only so many are distinct."""
    return images[torch.arange(len(images)) % distinct]


def darkest(images: Tensor, others: Tensor, share: float) -> Tensor:
    """Return as many images, all from the darkest share of these and others: modes are missing."""
    both = torch.cat([images, others])
    kept = both.mean((1, 2, 3)).argsort()[: int(share * len(both))]
    return both[kept[torch.arange(len(images)) % len(kept)]]


CASES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "real ones": lambda images, others: images,
    "blurred (1 2 1)": lambda images, others: blur(images),
    "half the size and back": lambda images, others: halve(images),
    "noise of 10 levels": lambda images, others: add_noise(images, 10),
    "noise of 30 levels": lambda images, others: add_noise(images, 30),
    "dots of 10 levels": lambda images, others: add_dots(images),
    "half as many distinct": lambda images, others: repeat(images, len(images) // 2),
    "a tenth distinct": lambda images, others: repeat(images, len(images) // 10),
    "a hundredth distinct": lambda images, others: repeat(images, max(1, len(images) // 100)),
    "the darker half only": lambda images, others: darkest(images, others, 0.5),
    "the darkest tenth only": lambda images, others: darkest(images, others, 0.1),
}


def in_pieces(images: Tensor) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Yield images as a suite takes them."""
    for part in torch.split(images, BATCH):
        yield part, {}


@click.command()
@click.option("--count", default=1000, help="Pictures of each case.")
@click.option("--data", default="avatars-5k", help="Data set or folder.")
@click.option("--holdout", default=0.2, help="Share of the pictures to compare with.")
@torch.no_grad()
def main(count: int, data: str, holdout: float) -> None:
    """Print each metric of each case, the distances as ratios to those of real pictures."""
    real = RealSamples.of(open_data(data, holdout=holdout))
    suite = Lite0Suite(real)
    begun = time.process_time()
    control = suite.control(count)
    seconds = time.process_time() - begun
    print(suite.protocol(count), f"\n{(count + len(suite.reference.values)) / seconds:.0f} images a second of a core")
    images = torch.cat([samples for samples, _ in real.pieces(2 * count, skip=count)])
    fd = suite.frechet_distance(control)
    print("| | FD ratio | KID x 1000 | precision | recall | density | coverage |\n|" + "---|" * 7)
    for name, spoil in CASES.items():
        seen = suite.observe(in_pieces(spoil(images[:count], images[count:])))
        found = [suite.frechet_distance(seen) / fd, 1000 * suite.kernel_distance(seen)]
        found += [suite.precision(seen), suite.recall(seen), suite.density(seen), suite.coverage(seen)]
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in found) + " |", flush=True)


if __name__ == "__main__":
    main()
