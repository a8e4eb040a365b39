"""Halving and doubling: sizes for every kernel, and values against plain sums over pixels."""

import pytest
import torch
from torch.nn.functional import conv2d

from ganzoo.layers import double, halve

SIDES = {7: 4, 8: 4, 14: 7, 28: 14, 32: 16}
"""A larger map's side, and the side of the smaller map."""
KERNELS = [3, 4, 5, 6, 7]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("side", SIDES)
def test_halving_leads_to_half_the_size_whatever_the_kernel(side, kernel):
    assert halve(2, 3, side, kernel)(torch.randn(5, 2, side, side)).shape == (5, 3, SIDES[side], SIDES[side])


@pytest.mark.parametrize("upsample", ["transposed", "nearest"])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("side", SIDES)
def test_doubling_leads_back_whatever_the_kernel(side, kernel, upsample):
    small = torch.randn(5, 2, SIDES[side], SIDES[side])
    assert double(2, 3, side, kernel, upsample=upsample)(small).shape == (5, 3, side, side)


@pytest.mark.parametrize("upsample", ["transposed", "nearest"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_height_and_width_halve_and_double_each_by_itself(kernel, upsample):
    images = torch.randn(5, 2, 7, 32)
    small = halve(2, 3, (7, 32), kernel)(images)
    assert small.shape == (5, 3, 4, 16)
    assert double(3, 2, (7, 32), kernel, upsample=upsample)(small).shape == images.shape


@pytest.mark.parametrize(("side", "kernel", "used"), [(8, 4, 4), (8, 5, 5), (7, 4, 3), (7, 5, 5)])
def test_the_kernel_is_odd_where_the_larger_side_is(side, kernel, used):
    assert halve(1, 1, side, kernel).weight.shape[2:] == (used, used)
    assert double(1, 1, side, kernel).weight.shape[2:] == (used, used)


@pytest.mark.parametrize("bias", [True, False])
def test_a_bias_is_there_where_it_is_asked_for(bias):
    layers = halve(1, 1, 8, bias=bias), double(1, 1, 8, bias=bias), double(1, 1, 8, bias=bias, upsample="nearest")[1]
    assert [layer.bias is not None for layer in layers] == [bias] * 3


@torch.no_grad()
def test_halving_weighs_the_pixels_around_every_second_one():
    layer, image = halve(1, 1, 8).double(), torch.randn(1, 1, 8, 8, dtype=torch.float64)
    padded = torch.zeros(10, 10, dtype=torch.float64)
    padded[1:9, 1:9] = image
    expected = [
        [(padded[2 * r : 2 * r + 4, 2 * c : 2 * c + 4] * layer.weight).sum() for c in range(4)] for r in range(4)
    ]
    torch.testing.assert_close(layer(image)[0, 0], torch.tensor(expected, dtype=torch.float64))


@torch.no_grad()
def test_transposed_doubling_adds_the_kernel_at_every_pixel():
    layer, image = double(1, 1, 8).double(), torch.randn(1, 1, 4, 4, dtype=torch.float64)
    canvas = torch.zeros(10, 10, dtype=torch.float64)
    for r in range(4):
        for c in range(4):
            canvas[2 * r : 2 * r + 4, 2 * c : 2 * c + 4] += image[0, 0, r, c] * layer.weight[0, 0]
    torch.testing.assert_close(layer(image)[0, 0], canvas[1:9, 1:9])


@pytest.mark.parametrize(("kernel", "used"), [(4, 3), (5, 5)])
@torch.no_grad()
def test_nearest_doubling_repeats_pixels_and_then_convolves(kernel, used):
    layer, image = double(2, 3, 8, kernel, upsample="nearest"), torch.randn(5, 2, 4, 4)
    repeated = image.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    assert layer[1].weight.shape == (3, 2, used, used)
    torch.testing.assert_close(layer(image), conv2d(repeated, layer[1].weight, padding=used // 2))
