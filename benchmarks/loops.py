"""Training loops written by hand, to compare ganzoo with.

`Tutorial` has the published tutorials' settings: torchvision's MNIST through a DataLoader with per-image transforms,
BCE on a sigmoid, plain Adam, `.item()` on both losses in each step. `Tuned` is the best eager loop that we could
write: data in memory, raw scores, fused Adam, the other side frozen, channels last, optionally bf16. Both train the
same networks on the same images, 64 at a time, with fresh latents on each turn. (Some tutorials use the
discriminator's fake images again for the generator, which saves a forward pass.)
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from ganzoo.data.named import find_data_root, load_small
from ganzoo.data.resizing import resize_images

BATCH, LATENT = 64, 100
ADAM_RATE, ADAM_BETAS = 2e-4, (0.5, 0.999)


def mlp() -> tuple[nn.Module, nn.Module]:
    """Make a generator 100-256-512-1024-784 with batch norm and a discriminator 784-512-256-1 with raw scores."""
    layers: list[nn.Module] = []
    width = LATENT
    for wider in (256, 512, 1024):
        layers += [nn.Linear(width, wider), nn.LeakyReLU(0.2), nn.BatchNorm1d(wider)]
        width = wider
    generator = nn.Sequential(*layers, nn.Linear(width, 28 * 28), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))
    hidden = [nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2)]
    return generator, nn.Sequential(nn.Flatten(), *hidden, nn.Linear(256, 1), nn.Flatten(0))


def dcgan(width: int = 64) -> tuple[nn.Module, nn.Module]:
    """Make the DCGAN of the PyTorch examples, one stage shorter for 32 x 32 images, with raw scores."""

    def up(before: int, after: int, stride: int, padding: int) -> list[nn.Module]:
        wider = nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False)
        return [wider, nn.BatchNorm2d(after), nn.ReLU(True)]

    def down(before: int, after: int) -> list[nn.Module]:
        return [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2, True)]

    generator = [nn.Unflatten(1, (LATENT, 1, 1)), *up(LATENT, 4 * width, 1, 0), *up(4 * width, 2 * width, 2, 1)]
    generator += [*up(2 * width, width, 2, 1), nn.ConvTranspose2d(width, 1, 4, 2, 1, bias=False), nn.Tanh()]
    critic = [nn.Conv2d(1, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True), *down(width, 2 * width)]
    critic += [*down(2 * width, 4 * width), nn.Conv2d(4 * width, 1, 4, 1, 0, bias=False), nn.Flatten(0)]
    return nn.Sequential(*generator), nn.Sequential(*critic)


NETWORKS = {"mlp": (mlp, 28), "dcgan": (dcgan, 32)}


class Tutorial:
    """The loop of the published tutorials."""

    def __init__(self, kind: str, device: str) -> None:
        make, size = NETWORKS[kind]
        self.device = device
        self.generator, critic = make()
        self.critic = nn.Sequential(critic, nn.Sigmoid()).to(device)
        self.generator.to(device)
        networks = (self.generator, self.critic)
        self.optimizers = [torch.optim.Adam(each.parameters(), ADAM_RATE, ADAM_BETAS) for each in networks]
        self.batches = self._endless(size)

    def _endless(self, size: int) -> Iterator[list[torch.Tensor]]:
        steps = [transforms.Resize(size), transforms.ToTensor(), transforms.Normalize([0.5], [0.5])]
        with tempfile.TemporaryDirectory() as root:
            write_mnist(Path(root))
            images = datasets.MNIST(root, train=True, transform=transforms.Compose(steps))
        loader = DataLoader(images, batch_size=BATCH, shuffle=True, drop_last=True)
        while True:
            yield from loader

    def run(self, steps: int) -> None:
        """Run that many training steps."""
        bce, real, fake = nn.BCELoss(), *(torch.full((BATCH,), value, device=self.device) for value in (1.0, 0.0))
        g_optimizer, d_optimizer = self.optimizers
        for _ in range(steps):
            images = next(self.batches)[0].to(self.device)
            made = self.generator(torch.randn(BATCH, LATENT, device=self.device))
            d_loss = bce(self.critic(images), real) + bce(self.critic(made.detach()), fake)
            d_optimizer.zero_grad()
            torch.autograd.backward(d_loss)
            d_optimizer.step()
            made = self.generator(torch.randn(BATCH, LATENT, device=self.device))
            g_loss = bce(self.critic(made), real)
            g_optimizer.zero_grad()
            torch.autograd.backward(g_loss)
            g_optimizer.step()
            d_loss.item(), g_loss.item()


class Tuned:
    """The best eager loop that we could write by hand."""

    def __init__(self, kind: str, device: str, bf16: bool) -> None:
        make, size = NETWORKS[kind]
        self.device, self.bf16 = device, bf16
        layout = torch.channels_last if kind == "dcgan" else torch.contiguous_format
        networks = [network.to(device).to(memory_format=layout) for network in make()]
        self.generator, self.critic = networks
        self.optimizers = [torch.optim.Adam(each.parameters(), ADAM_RATE, ADAM_BETAS, fused=True) for each in networks]
        self.images = resize_images(load_digits()[0], (size, size), channels=1)[0].to(device)
        self.order, self.used = torch.randperm(len(self.images), device=device), 0

    def _batch(self) -> torch.Tensor:
        if self.used + BATCH > len(self.order):
            self.order, self.used = torch.randperm(len(self.images), device=self.device), 0
        indices = self.order[self.used : self.used + BATCH]
        self.used += BATCH
        return self.images[indices].float().div_(127.5).sub_(1)

    def _autocast(self) -> AbstractContextManager[object]:
        return torch.autocast(self.device, torch.bfloat16) if self.bf16 else nullcontext()

    def run(self, steps: int) -> None:
        """Run that many training steps."""
        g_optimizer, d_optimizer = self.optimizers
        for _ in range(steps):
            images = self._batch()
            with self._autocast():
                with torch.no_grad():
                    made = self.generator(torch.randn(BATCH, LATENT, device=self.device))
                real, fake = self.critic(images), self.critic(made)
            torch.autograd.backward(softplus(-real.float()).mean() + softplus(fake.float()).mean())
            d_optimizer.step()
            d_optimizer.zero_grad()
            self.critic.requires_grad_(False)
            with self._autocast():
                fake = self.critic(self.generator(torch.randn(BATCH, LATENT, device=self.device)))
            torch.autograd.backward(softplus(-fake.float()).mean())
            g_optimizer.step()
            g_optimizer.zero_grad()
            self.critic.requires_grad_(True)


def load_digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Load the 10,000 digits that come with ganzoo, uint8 (n, 1, 28, 28), and their labels."""
    images, labels, _ = load_small("mnist-10k", find_data_root())
    return images, labels


def write_mnist(root: Path) -> None:
    """Write these digits as the files that torchvision reads for MNIST."""
    images, labels = load_digits()
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in ("train", "t10k"):
        write_idx(folder / f"{name}-images-idx3-ubyte", images[:, 0].numpy())
        write_idx(folder / f"{name}-labels-idx1-ubyte", labels.numpy().astype(np.uint8))


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write an array of bytes in MNIST's own format: type, number of axes, their lengths, the bytes."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(head + array.tobytes())


def seconds(run: Callable[[int], object], steps: int, device: str) -> float:
    """Return how long that many steps take."""
    begun = time.perf_counter()
    run(steps)
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun
