"""Write the files with which samples of MNIST are measured: moments and features of training images, test images.

python benchmarks/mnist_reference.py ganzoo/evaluation/mnist_data --data-root DIR
"""

import gzip
from pathlib import Path

import click
import torch
from safetensors.torch import save_file
from torchvision.datasets import MNIST

from ganzoo._seeds import make_rng
from ganzoo.data.base import normalize_images
from ganzoo.data.named import find_data_root
from ganzoo.evaluation.metrics import moments
from ganzoo.evaluation.mnist_cnn import load_mnist_cnn

KEPT_FEATURES = 10_000
"""Training images whose features are kept for the metrics of nearest neighbours."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--data-root", metavar="DIR", help="Folder of MNIST, which is downloaded if missing.")
def main(folder: Path, data_root: str | None) -> None:
    """Write the files into FOLDER."""
    root = find_data_root(data_root)
    train = MNIST(root, train=True, download=True).data.unsqueeze(1)
    # MNIST's own order is not random: the first images differ from the last ones.
    chosen = torch.randperm(len(train), generator=make_rng("reference"))
    features = torch.cat(
        [load_mnist_cnn().features(normalize_images(part)) for part in torch.split(train[chosen], 1000)]
    )
    reference = moments(features) | {"features": features[:KEPT_FEATURES].half()}
    save_file({name: value.contiguous() for name, value in reference.items()}, folder / "reference.safetensors")
    test = MNIST(root, train=False)
    mixed = torch.randperm(len(test), generator=make_rng("test"))
    for name, values in {"images": test.data[mixed], "labels": test.targets[mixed].byte()}.items():
        (folder / f"test-{name}.gz").write_bytes(gzip.compress(values.numpy().tobytes(), mtime=0))


if __name__ == "__main__":
    with torch.no_grad():
        main()
