"""Downloads that nobody answers."""

import pytest
import torchvision.datasets

NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
def offline(monkeypatch):
    """Have every download go where nobody answers."""
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [NOWHERE])
    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "mirrors", [NOWHERE])
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", NOWHERE)
