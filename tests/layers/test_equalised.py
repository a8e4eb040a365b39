"""Layers with an equalised learning rate, against plain layers whose weights are scaled by hand."""

import math

import pytest
import torch
from torch import nn

from ganzoo.layers import EqualisedConv2d, EqualisedLinear


@pytest.mark.parametrize("rate, gain", [(1.0, 1.0), (0.01, math.sqrt(2))])
def test_a_linear_layer_divides_by_the_root_of_its_inputs_when_it_is_used(rate, gain):
    torch.manual_seed(0)
    layer = EqualisedLinear(6, 4, rate=rate, gain=gain, start=3.0).double()
    x = torch.randn(2, 6, dtype=torch.float64)
    expected = [
        [gain * (sum(w * v for w, v in zip(row, one, strict=True)) * rate / math.sqrt(6) + 3.0) for row in layer.weight]
        for one in x
    ]
    torch.testing.assert_close(layer(x), torch.tensor(expected, dtype=torch.float64), rtol=1e-6, atol=1e-9)


def test_a_convolution_divides_by_the_root_of_the_inputs_of_a_pixel():
    torch.manual_seed(0)
    layer = EqualisedConv2d(5, 3, 3, gain=2.0).double()
    layer.bias.data.normal_()
    plain = nn.Conv2d(5, 3, 3, padding=1).double()
    plain.weight.data = 2 * layer.weight.data / math.sqrt(45)
    plain.bias.data = 2 * layer.bias.data
    x = torch.randn(2, 5, 4, 6, dtype=torch.float64)
    torch.testing.assert_close(layer(x), plain(x))


@pytest.mark.parametrize("kernel, side, after", [(1, 8, 4), (3, 9, 4), (3, 8, 3)])
def test_a_convolution_with_a_stride_has_no_padding(kernel, side, after):
    layer = EqualisedConv2d(2, 3, kernel, stride=2, bias=False)
    assert layer(torch.zeros(1, 2, side, side)).shape == (1, 3, after, after)
    assert layer.bias is None


@pytest.mark.parametrize("layer", [lambda: EqualisedLinear(400, 300), lambda: EqualisedConv2d(40, 300, 3)])
def test_the_result_has_the_variance_of_the_input_whatever_the_size(layer):
    torch.manual_seed(0)
    made = layer()
    shape = (64, 400) if isinstance(made, nn.Linear) else (8, 40, 12, 12)
    inner = made(torch.randn(shape))
    assert inner.std().item() == pytest.approx(1, abs=0.1 if len(shape) == 4 else 0.05)
    assert not made.bias.any() and made.weight.std().item() == pytest.approx(1, abs=0.02)


def test_a_rate_slows_a_layer_down_as_a_learning_rate_does():
    """One step of Adam moves the result of a layer with rate 0.1 a tenth as far."""
    moved = []
    for rate in (1.0, 0.1):
        torch.manual_seed(0)
        layer = EqualisedLinear(50, 1, rate=rate)
        x = torch.ones(1, 50)
        before = layer(x)
        optimizer = torch.optim.Adam(layer.parameters(), lr=1e-3)
        layer(x).sum().backward()
        optimizer.step()
        moved.append((layer(x) - before).item())
    assert moved[1] == pytest.approx(0.1 * moved[0], rel=1e-3)
