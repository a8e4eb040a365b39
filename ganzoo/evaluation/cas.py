"""Classification accuracy score: what a fixed network learns from samples that it can use on real images."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo._seeds import seed_of

EPOCHS, BATCH, RATE = 8, 100, 2e-3
FEWEST = BATCH
"""With fewer samples there is nothing to learn from."""


def accuracy_of_a_student(images: Tensor, labels: Tensor, real: Tensor, answers: Tensor) -> float:
    """The share of real images whose label a small network finds that learned from `images` and `labels` alone.

    Images are (n, 1, 28, 28) in [0, 1], labels int64 (n,). Ravuri and Vinyals 2019, "Classification accuracy score
    for conditional generative models", section 3.1. Its own random generator always starts the same.
    """
    with torch.random.fork_rng([]), torch.enable_grad():
        torch.default_generator.manual_seed(seed_of("student"))
        student = train_student(images, labels, len(answers.unique()))
    with torch.no_grad():
        found = torch.cat([student(part).argmax(1) for part in real.split(1000)])
    return (found == answers).double().mean().item()


def train_student(images: Tensor, labels: Tensor, classes: int) -> nn.Module:
    """A new student after `EPOCHS` epochs, in `eval()`; what does not fill a batch is left out of each epoch."""
    student = network(classes)
    steps = EPOCHS * (len(images) // BATCH)
    optimizer = torch.optim.Adam(student.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(EPOCHS):
        for places in torch.randperm(len(images)).split(BATCH)[: len(images) // BATCH]:
            optimizer.zero_grad()
            cross_entropy(student(images[places]), labels[places]).backward()
            optimizer.step()
            schedule.step()
    return student.eval()


def network(classes: int) -> nn.Module:
    """Two convolutions with a stride and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, classes),
    )
