"""Initial weights: the statistics of each kind of layer, and what stays as it is."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from ganzoo.layers import initialise_normal

LAYERS = [
    nn.Linear(80, 90), nn.Conv1d(40, 40, 3), nn.Conv2d(30, 30, 3), nn.Conv3d(10, 20, 3), nn.ConvTranspose1d(40, 40, 3),
    nn.ConvTranspose2d(30, 30, 3), nn.ConvTranspose3d(10, 20, 3), nn.BatchNorm1d(5000), nn.BatchNorm2d(5000),
    nn.BatchNorm3d(5000),
]  # fmt: skip


@pytest.mark.parametrize("std", [0.02, 0.5])
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_weights_are_normal_and_biases_zero(layer, std):
    torch.manual_seed(0)
    nn.init.ones_(layer.bias)
    layer.apply(partial(initialise_normal, std=std))
    mean = 1.0 if "BatchNorm" in type(layer).__name__ else 0.0
    # Five standard errors of the mean and of the standard deviation of a normal sample of this size.
    count = layer.weight.numel()
    assert abs(layer.weight.mean().item() - mean) < 5 * std / math.sqrt(count)
    assert abs(layer.weight.std().item() - std) < 5 * std / math.sqrt(2 * count)
    assert not layer.bias.any()


def test_the_standard_deviation_is_two_hundredths_by_default():
    torch.manual_seed(0)
    layer = nn.Linear(100, 100)
    initialise_normal(layer)
    assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_draws_come_in_the_order_of_the_modules_from_the_global_generator():
    network = nn.Sequential(nn.Conv2d(2, 3, 4), nn.Sequential(nn.BatchNorm2d(3), nn.Linear(4, 5)))
    torch.manual_seed(0)
    network.apply(initialise_normal)
    torch.manual_seed(0)
    for layer, mean in (network[0], 0.0), (network[1][0], 1.0), (network[1][1], 0.0):
        assert torch.equal(layer.weight, torch.empty_like(layer.weight).normal_(mean, 0.02))


@pytest.mark.parametrize(
    "layer", [nn.Embedding(5, 6), nn.LayerNorm(6), nn.LSTM(2, 3), nn.PReLU(), nn.GroupNorm(2, 4)], ids=str
)
def test_other_layers_stay_as_they_are(layer):
    before = {name: parameter.clone() for name, parameter in layer.named_parameters()}
    layer.apply(initialise_normal)
    assert all(torch.equal(parameter, before[name]) for name, parameter in layer.named_parameters())


def test_layers_without_scale_or_bias_are_taken():
    network = nn.Sequential(nn.Conv2d(2, 3, 4, bias=False), nn.BatchNorm2d(3, affine=False))
    network.apply(initialise_normal)
    assert network[0].weight.abs().max() < 0.2
