"""Modulated convolutions, against the paper's equations 1 and 3 for one sample and one weight at a time."""

import itertools
import math

import pytest
import torch
from torch.nn.functional import conv2d, pad

from ganzoo_stylegan.resampling import Doubling
from ganzoo_stylegan.synthesis import StyledLayer, Synthesis, ToImage

N, BEFORE, AFTER, W = 3, 4, 5, 6


def fill(module):
    """Everything that starts at zero moves away from it."""
    for parameter in module.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return module


def drawn(layer, height=4, width=6):
    torch.manual_seed(0)
    layer = fill(layer).double()
    return layer, torch.randn(N, BEFORE, height, width).double(), torch.randn(N, W).double()


def style_of(layer, w):
    """s = A w + b with equalised weights, number by number."""
    weight, bias = layer.style.weight, layer.style.bias
    return [
        sum(a * b for a, b in zip(row, w, strict=True)) / math.sqrt(W) + b for row, b in zip(weight, bias, strict=True)
    ]


def modulated(weight, style):
    """Equation 1: w'_ijk = s_i w_ijk, of weights (after, before, k, k)."""
    scale = 1 / math.sqrt(weight[0].numel())
    return torch.stack([torch.stack([scale * s * part for s, part in zip(style, row, strict=True)]) for row in weight])


def demodulated(weight):
    """Equation 3: w''_ijk = w'_ijk / sqrt(sum_ik w'_ijk^2 + epsilon)."""
    return torch.stack([row / math.sqrt(sum(v**2 for v in row.flatten().tolist()) + 1e-8) for row in weight])


def doubled(features, weight):
    """A map of zeros and every pixel in its place, convolved (with the kernel turned round), then filtered."""
    before, height, width = features.shape
    out = torch.zeros(len(weight), 2 * height + 1, 2 * width + 1, dtype=torch.float64)
    for o, i, y, x in itertools.product(range(len(weight)), range(before), range(height), range(width)):
        out[o, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3] += features[i, y, x] * weight[o, i]
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64) / 4  # sum 2 in each direction
    out = pad(out, (1, 1, 1, 1))
    out = sum(tap * out[:, k : k + 2 * height] for k, tap in enumerate(taps))
    return sum(tap * out[:, :, k : k + 2 * width] for k, tap in enumerate(taps))


@pytest.mark.parametrize("double", [False, True])
@torch.no_grad()
def test_a_styled_layer_is_the_paper_s_equations_for_each_sample(double):
    layer, features, w = drawn(StyledLayer(BEFORE, AFTER, W, double))
    factor = 2 if double else 1
    noise = torch.randn(N, 1, 4 * factor, 6 * factor).double()
    result = layer(features, w, noise)
    for n in range(N):
        weight = demodulated(modulated(layer.weight, style_of(layer, w[n])))
        y = doubled(features[n], weight) if double else conv2d(features[n][None], weight, padding=1)[0]
        y = y + layer.noise_strength * noise[n] + layer.bias[:, None, None]
        expected = math.sqrt(2) * torch.where(y > 0, y, 0.2 * y)
        torch.testing.assert_close(result[n], expected, rtol=1e-9, atol=1e-10)


@torch.no_grad()
def test_to_image_modulates_and_does_not_demodulate():
    layer, features, w = drawn(ToImage(BEFORE, 3, W))
    result = layer(features, w)
    for n in range(N):
        weight = modulated(layer.weight, style_of(layer, w[n]))[:, :, 0, 0]
        expected = torch.einsum("oi,ihw->ohw", weight, features[n]) + layer.bias[:, None, None]
        torch.testing.assert_close(result[n], expected, rtol=1e-9, atol=1e-10)


def test_the_gradient_and_its_gradient_are_those_of_weights_for_each_sample():
    """Path length differentiates twice with respect to styles: against one convolution for each sample."""
    layer, features, w = drawn(StyledLayer(BEFORE, AFTER, W))
    noise = torch.zeros(N, 1, 4, 6).double()

    def plain(w):
        style = layer.style(w)
        weight = layer.weight[None] * style[:, None, :, None, None] / math.sqrt(9 * BEFORE)
        weight = weight / (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()
        y = torch.stack([conv2d(x[None], k, padding=1)[0] for x, k in zip(features, weight, strict=True)])
        y = y + layer.bias[:, None, None]
        return math.sqrt(2) * torch.where(y > 0, y, 0.2 * y)

    found = []
    for function in (lambda w: layer(features, w, noise), plain):
        w.requires_grad_()
        (slope,) = torch.autograd.grad(function(w).pow(3).sum(), w, create_graph=True)
        found.append([slope, *torch.autograd.grad(slope.square().sum(), [w, layer.weight, layer.style.weight])])
    for ours, expected in zip(*found, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-8, atol=1e-8)


@torch.no_grad()
def test_a_larger_style_of_a_layer_changes_nothing_since_it_is_demodulated():
    layer, features, w = drawn(StyledLayer(BEFORE, AFTER, W))
    noise = torch.zeros(N, 1, 4, 6).double()
    before = layer(features, w, noise)
    layer.style.weight *= 7
    layer.style.bias *= 7
    torch.testing.assert_close(layer(features, w, noise), before, rtol=1e-6, atol=1e-7)


@torch.no_grad()
def test_each_layer_takes_its_style_and_its_noise_and_the_images_are_added_up():
    torch.manual_seed(0)
    synthesis = fill(Synthesis(3, [(4, 6), (8, 12), (16, 24)], [8, 8, 4], W)).double()
    assert synthesis.style_count == 6 and synthesis.noise_length == 24 + 2 * 96 + 2 * 384
    seen, images = {}, []
    for kind in ("layers", "to_images"):
        for number, module in enumerate(getattr(synthesis, kind)):
            module.register_forward_hook(lambda m, args, out, key=(kind, number): seen.update({key: (args, out)}))
    styles = torch.randn(2, 6, W).double()
    noise = torch.arange(2 * synthesis.noise_length).double().reshape(2, -1)
    result = synthesis(styles, noise)
    taken = [0, 1, 2, 3, 4]
    assert all(seen["layers", i][0][1].equal(styles[:, taken[i]]) for i in range(5))
    assert all(seen["to_images", j][0][1].equal(styles[:, 2 * j + 1]) for j in range(3))
    flat = torch.cat([seen["layers", i][0][2].flatten(1) for i in range(5)], 1)
    assert flat.equal(noise)
    images = [seen["to_images", j][1] for j in range(3)]
    expected = Doubling()(Doubling()(images[0]) + images[1]) + images[2]
    torch.testing.assert_close(result, expected)
