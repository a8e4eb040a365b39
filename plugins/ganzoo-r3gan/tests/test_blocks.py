"""The parts of the networks against plain statements of their formulas, in float64."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from ganzoo_r3gan.blocks import Basis, Head, Resample, Residual, initialise
from ganzoo_r3gan.networks import Discriminator, Generator


def leaky(values):
    return np.where(values > 0, values, 0.2 * values)


def convolve(features, weight, bias, group_size):
    """A 3 x 3 convolution in groups, as sums: of each output channel over its group's channels and nine places."""
    padded = np.pad(features, ((0, 0), (0, 0), (1, 1), (1, 1)))
    found = np.zeros((len(features), len(weight), *features.shape[2:]))
    for out, (kernel, offset) in enumerate(zip(weight, bias, strict=True)):
        begin = out // group_size * group_size
        for down in range(3):
            for right in range(3):
                seen = padded[:, begin : begin + group_size, down:, right:][
                    ..., : features.shape[2], : features.shape[3]
                ]
                found[:, out] += np.einsum("nchw,c->nhw", seen, kernel[:, down, right])
        found[:, out] += offset
    return found


@torch.no_grad()
def test_a_block_is_the_sum_of_its_input_and_three_convolutions():
    block = Residual(8, depth=4, expansion=3, group_size=4).double()
    for parameter in block.parameters():
        parameter.normal_()
    x = torch.randn(2, 8, 5, 6, dtype=torch.float64)
    widen, narrow = (layer.weight.squeeze().numpy() for layer in (block.widen, block.narrow))
    inside = leaky(np.einsum("nchw,oc->nohw", x.numpy(), widen) + block.widen.bias.numpy()[:, None, None])
    inside = leaky(convolve(inside, block.mix.weight.numpy(), block.mix.bias.numpy(), group_size=4))
    expected = x.numpy() + np.einsum("nchw,oc->nohw", inside, narrow)
    np.testing.assert_allclose(block(x).numpy(), expected, rtol=1e-12, atol=1e-12)
    assert block.narrow.bias is None


def test_a_block_starts_as_the_identity():
    x = torch.randn(2, 16, 5, 6)
    assert Residual(16, depth=4)(x).equal(x)


@pytest.fixture(scope="module", params=[Generator, Discriminator])
def side(request):
    torch.manual_seed(0)
    return request.param(image=(3, 64, 64), width=64, blocks=3)


def check_spread(weight, expected):
    """Within five standard errors of a normal sample of this size."""
    spread = weight.double().square().mean().sqrt().item()
    assert abs(spread / expected - 1) < 5 / math.sqrt(2 * weight.numel()), (tuple(weight.shape), spread, expected)
    assert abs(weight.double().mean().item()) < 5 * expected / math.sqrt(weight.numel())


def test_variances_are_those_of_fix_up(side):
    found = [module for module in side.modules() if isinstance(module, Residual)]
    assert len(found) == 5 * 3  # five sizes, 64 to 4
    for block in found:
        channels = block.widen.in_channels
        # He et al.: 2 / (1 + 0.2^2) / fan-in; times 15^(-1/4), the standard deviation, in each of the first two layers.
        fixed = math.sqrt(2 / 1.04) * 15**-0.25
        check_spread(block.widen.weight, fixed / math.sqrt(channels))
        check_spread(block.mix.weight, fixed / math.sqrt(16 * 9))
        assert not block.narrow.weight.any()
        assert not block.widen.bias.any() and not block.mix.bias.any()


def test_other_layers_keep_the_variance_and_have_no_bias(side):
    inside = {layer for block in side.modules() if isinstance(block, Residual) for layer in block.modules()}
    layers = [module for module in side.modules() if isinstance(module, nn.Conv2d | nn.Linear) and module not in inside]
    assert len(layers) == (3 if isinstance(side, Generator) else 4)
    for layer in layers:
        assert layer.bias is None
        check_spread(layer.weight, 1 / math.sqrt(layer.weight[0].numel()))


def resized(image, size):
    """Bilinear interpolation in one direction after the other: pixels are squares, seen at their middles."""
    for axis, count in ((-2, size[0]), (-1, size[1])):
        length, image = image.shape[axis], np.moveaxis(image, axis, 0)
        lines = []
        for place in range(count):
            at = max(0.0, (place + 0.5) * length / count - 0.5)
            low, share = int(at), at - int(at)
            lines.append((1 - share) * image[low] + share * image[min(low + 1, length - 1)])
        image = np.moveaxis(np.stack(lines), 0, axis)
    return image


@pytest.mark.parametrize("larger, smaller", [(8, 4), ((8, 12), (4, 6)), (7, 4)], ids=str)
@pytest.mark.parametrize("down", [True, False])
@torch.no_grad()
def test_resampling_is_bilinear_interpolation(larger, smaller, down):
    layer = Resample(3, 3, larger, smaller, down).double()
    sizes = [(side, side) if isinstance(side, int) else side for side in (larger, smaller)]
    before, after = sizes if down else sizes[::-1]
    x = torch.randn(2, 3, *before, dtype=torch.float64)
    np.testing.assert_allclose(layer(x).numpy(), resized(x.numpy(), after), rtol=1e-12, atol=1e-13)


def test_half_the_size_is_the_mean_of_four_pixels():
    x = torch.randn(2, 3, 8, 12)
    torch.testing.assert_close(Resample(3, 3, (8, 12), (4, 6), down=True)(x), nn.functional.avg_pool2d(x, 2))


@pytest.mark.parametrize("down", [True, False])
@torch.no_grad()
def test_channels_change_on_the_smaller_map_which_is_the_same(down):
    layer = Resample(3, 5, 8, 4, down).double()
    x = torch.randn(2, 3, *((8, 8) if down else (4, 4)), dtype=torch.float64)
    torch.testing.assert_close(layer(x), layer.change(layer.resize(x)))
    torch.testing.assert_close(layer(x), layer.resize(layer.change(x)))


@torch.no_grad()
def test_the_basis_is_a_map_whose_channels_are_linear_in_z():
    basis = Basis(6, 3, (4, 5)).double()
    z = torch.randn(2, 6, dtype=torch.float64)
    expected = np.einsum("chw,cl,nl->nchw", basis.map.numpy(), basis.modulate.weight.numpy(), z.numpy())
    np.testing.assert_allclose(basis(z).numpy(), expected, rtol=1e-12, atol=1e-12)


@torch.no_grad()
def test_the_head_sums_each_channel_over_the_map_and_is_linear():
    head = Head(3, (4, 5), outputs=2).double()
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    pool, judge = head.pool.weight.squeeze(1).numpy(), head.judge.weight.numpy()
    expected = np.einsum("nchw,chw,oc->no", x.numpy(), pool, judge)
    np.testing.assert_allclose(head(x).numpy(), expected, rtol=1e-12, atol=1e-12)


def test_initial_weights_may_be_scaled():
    torch.manual_seed(0)
    plain = initialise(nn.Linear(4, 3)).weight
    torch.manual_seed(0)
    torch.testing.assert_close(initialise(nn.Linear(4, 3), scale=0.5).weight, plain / 2)
