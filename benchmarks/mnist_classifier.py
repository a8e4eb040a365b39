"""Train `mnist-cnn-v1`, the classifier whose features measure samples of MNIST.

    python benchmarks/mnist_classifier.py mnist-cnn-v1.safetensors --data-root DIR

Trains on the 60,000 training images, shifted by up to two pixels, and prints the accuracy on the 10,000 test images
after each epoch. The test images choose nothing: the weights of the last epoch are written.
"""

from pathlib import Path

import click
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import cross_entropy, pad
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchvision.datasets import MNIST

from ganzoo.data.base import normalize_images
from ganzoo.data.named import find_data_root
from ganzoo.evaluation.mnist_cnn import MnistCNN

EPOCHS, BATCH, RATE, MAX_SHIFT = 12, 128, 2e-3, 2


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--data-root", metavar="DIR", help="Folder of MNIST, which is downloaded if missing.")
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
        train_epoch(model.train(), optimizer, schedule, *train)
        print(f"epoch {epoch + 1}: {100 * accuracy(model.eval(), *test):.2f} % of the test images", flush=True)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, out, metadata={"test_accuracy": f"{accuracy(model, *test):.4f}", "seed": str(seed)})


def mnist(root: str | None, train: bool) -> tuple[Tensor, Tensor]:
    """Load images in [-1, 1] and labels; download them if missing."""
    data = MNIST(find_data_root(root), train=train, download=True)
    return normalize_images(data.data.unsqueeze(1)), data.targets


def train_epoch(model: MnistCNN, optimizer: Optimizer, schedule: LRScheduler, images: Tensor, labels: Tensor) -> None:
    """Train for one epoch on shifted images."""
    for indices in torch.split(torch.randperm(len(images)), BATCH)[: len(images) // BATCH]:
        with torch.autocast("cpu", torch.bfloat16):
            scores = model(shift(images[indices]).to(memory_format=torch.channels_last))
        optimizer.zero_grad()
        torch.autograd.backward(cross_entropy(scores.float(), labels[indices]))
        optimizer.step()
        schedule.step()


def shift(images: Tensor) -> Tensor:
    """Shift all images in the same direction by up to `MAX_SHIFT` pixels; fill with background."""
    down, right = torch.randint(0, 2 * MAX_SHIFT + 1, (2,)).tolist()
    size = images.shape[-1]
    return pad(images, [MAX_SHIFT] * 4, value=-1)[..., down : down + size, right : right + size]


@torch.no_grad()
def accuracy(model: MnistCNN, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose class the model predicts, in float32."""
    predicted = torch.cat([model(part).argmax(1) for part in torch.split(images, 1000)])
    return (predicted == labels).float().mean().item()


if __name__ == "__main__":
    main()
