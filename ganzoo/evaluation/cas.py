"""Classification accuracy score: train a small classifier on samples, test it on real images."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo._seeds import preserve_global_generators, seed_of

STUDENT_EPOCHS, STUDENT_BATCH, STUDENT_LEARNING_RATE = 8, 100, 2e-3
MIN_STUDENT_SAMPLES = STUDENT_BATCH
"""With fewer samples there is not one batch to train on."""
TEST_BATCH = 1000


def classification_accuracy_score(images: Tensor, labels: Tensor, real: Tensor, real_labels: Tensor) -> float:
    """Train a small classifier on `images` and `labels` alone; return its accuracy on the real images.

    Images are (n, 1, 28, 28) in [0, 1], labels int64 (n,). Ravuri and Vinyals 2019, "Classification accuracy score
    for conditional generative models", section 3.1. It uses random numbers of its own, the same at every call.
    """
    with preserve_global_generators(), torch.enable_grad():
        torch.default_generator.manual_seed(seed_of("student"))
        student = train_student(images, labels, int(real_labels.bincount().count_nonzero()))
    with torch.no_grad():
        predicted = torch.cat([student(part).argmax(1) for part in torch.split(real, TEST_BATCH)])
    return (predicted == real_labels).double().mean().item()


def train_student(images: Tensor, labels: Tensor, classes: int) -> nn.Module:
    """Train a new classifier for `STUDENT_EPOCHS` epochs; return it in `eval()`. Incomplete batches are left out."""
    student = make_student(classes)
    batches = len(images) // STUDENT_BATCH
    optimizer = torch.optim.Adam(student.parameters(), STUDENT_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STUDENT_EPOCHS * batches)
    for _ in range(STUDENT_EPOCHS):
        for indices in torch.split(torch.randperm(len(images)), STUDENT_BATCH)[:batches]:
            optimizer.zero_grad()
            torch.autograd.backward(cross_entropy(student(images[indices]), labels[indices]))
            optimizer.step()
            schedule.step()
    return student.eval()


def make_student(classes: int) -> nn.Module:
    """Make an untrained classifier: two convolutions with stride 2 and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, classes),
    )
