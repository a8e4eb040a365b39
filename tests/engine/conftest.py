"""Default types of numbers."""

import pytest
import torch


@pytest.fixture
def float64():
    """Everything is made in float64, so that two ways to the same weights can be compared closely."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def float32(float64):
    """Back to float32, in a file whose tests otherwise have float64."""
    torch.set_default_dtype(torch.float32)
