"""Classification accuracy score: what a fixed network learns from samples that it can use on real images."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo._seeds import seed_of

STUDENT_EPOCHS, STUDENT_BATCH, STUDENT_LEARNING_RATE = 8, 100, 2e-3
MIN_STUDENT_SAMPLES = STUDENT_BATCH
"""With fewer samples there is nothing to learn from."""


def classification_accuracy_score(images: Tensor, labels: Tensor, real: Tensor, answers: Tensor) -> float:
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
    """Train a new student for `STUDENT_EPOCHS` epochs; return it in `eval()`. Incomplete batches are left out."""
    student = make_student(classes)
    steps = STUDENT_EPOCHS * (len(images) // STUDENT_BATCH)
    optimizer = torch.optim.Adam(student.parameters(), STUDENT_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(STUDENT_EPOCHS):
        for places in torch.randperm(len(images)).split(STUDENT_BATCH)[: len(images) // STUDENT_BATCH]:
            optimizer.zero_grad()
            cross_entropy(student(images[places]), labels[places]).backward()
            optimizer.step()
            schedule.step()
    return student.eval()


def make_student(classes: int) -> nn.Module:
    """Two convolutions with a stride and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, classes),
    )
