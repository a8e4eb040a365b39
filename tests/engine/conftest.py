"""Default types of numbers."""

import pytest
import torch


@pytest.fixture
def float32(float64):
    """Back to float32, in a file whose tests otherwise have float64."""
    torch.set_default_dtype(torch.float32)
