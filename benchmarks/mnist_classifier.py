"""Train `mnist-cnn-v1`, the classifier whose features measure samples of MNIST.

    python benchmarks/mnist_classifier.py mnist-cnn-v1.safetensors --data-root DIR

Learns from the 60,000 training images, shifted by up to two pixels, and tells the accuracy on the 10,000 test images
after each epoch. Nothing is chosen by the test images: the last epoch's weights are written.
"""

from pathlib import Path

import click
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import cross_entropy, pad
from torchvision.datasets import MNIST

from ganzoo.data import named as datasets
from ganzoo.data.base import normalize_images
from ganzoo.evaluation.mnist_cnn import MnistCNN

EPOCHS, BATCH, RATE, SHIFT = 12, 128, 2e-3, 2


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--data-root", metavar="DIR", help="Where MNIST lies, or is downloaded to.")
@click.option("--seed", default=0, show_default=True)
def main(out: Path, data_root: str | None, seed: int) -> None:
    """Train the classifier and write its weights to OUT."""
    torch.manual_seed(seed)
    train, test = mnist(data_root, True), mnist(data_root, False)
    model = MnistCNN().to(memory_format=torch.channels_last)
    steps = EPOCHS * (len(train[0]) // BATCH)
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for epoch in range(EPOCHS):
        learn(model.train(), optimizer, schedule, *train)
        print(f"epoch {epoch + 1}: {100 * accuracy(model.eval(), *test):.2f} % of the test images", flush=True)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, out, metadata={"test_accuracy": f"{accuracy(model, *test):.4f}", "seed": str(seed)})


def mnist(root: str | None, train: bool) -> tuple[Tensor, Tensor]:
    """Images in [-1, 1] and labels."""
    found = MNIST(datasets.find_data_root(root), train=train, download=True)
    return normalize_images(found.data.unsqueeze(1)), found.targets


def learn(model: MnistCNN, optimizer, schedule, images: Tensor, labels: Tensor) -> None:
    """One epoch over shifted images."""
    for places in torch.randperm(len(images)).split(BATCH)[: len(images) // BATCH]:
        with torch.autocast("cpu", torch.bfloat16):
            scores = model(shifted(images[places]).to(memory_format=torch.channels_last))
        optimizer.zero_grad()
        cross_entropy(scores.float(), labels[places]).backward()
        optimizer.step()
        schedule.step()


def shifted(images: Tensor) -> Tensor:
    """The images, all moved the same way by up to `SHIFT` pixels; background comes in at the edge."""
    down, right = torch.randint(0, 2 * SHIFT + 1, (2,)).tolist()
    size = images.shape[-1]
    return pad(images, [SHIFT] * 4, value=-1)[..., down : down + size, right : right + size]


@torch.no_grad()
def accuracy(model: MnistCNN, images: Tensor, labels: Tensor) -> float:
    """The share of images whose class the model finds, in float32."""
    found = torch.cat([model(part).argmax(1) for part in images.split(1000)])
    return (found == labels).float().mean().item()


if __name__ == "__main__":
    main()
