"""The parts of the networks against plain statements of their formulas."""

import numpy as np
import pytest
import torch
from torch import nn

from ganzoo_resnet.blocks import (
    BatchNorm,
    DownBlock,
    ProjectedBatchNorm,
    SelfAttention,
    UpBlock,
    initialise,
    normalise_spectrally,
)

EXACT = {"rtol": 1e-10, "atol": 1e-10}
LAYERS = {
    "convolution": (lambda: nn.Conv2d(3, 5, 3), torch.randn(2, 3, 4, 4, dtype=torch.float64)),
    "linear": (lambda: nn.Linear(6, 4), torch.randn(2, 6, dtype=torch.float64)),
    "embedding": (lambda: nn.Embedding(7, 3), torch.tensor([0, 6])),
}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def normalised(make):
    layer = nn.Sequential(make()).double()
    normalise_spectrally(layer, embeddings=True)
    return layer[0]


@pytest.mark.parametrize("name", LAYERS)
def test_spectral_norm_divides_by_the_largest_singular_value(name):
    make, inputs = LAYERS[name]
    layer = normalised(make)
    original = layer.parametrizations.weight.original.detach().clone()
    for _ in range(300):
        layer(inputs)
    largest = np.linalg.svd(original.flatten(1).numpy(), compute_uv=False)[0]
    torch.testing.assert_close(layer.eval().weight, original / largest, rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", LAYERS)
def test_a_forward_in_training_is_one_power_iteration_and_in_eval_none(name):
    make, inputs = LAYERS[name]
    layer = normalised(make)
    norm = layer.parametrizations.weight[0]
    matrix, v = layer.parametrizations.weight.original.detach().flatten(1).numpy(), norm._v.numpy().copy()
    layer(inputs)
    u = matrix @ v / np.linalg.norm(matrix @ v)
    v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
    for found, expected in ((norm._u, u), (norm._v, v)):
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)
    kept = norm._u.clone(), norm._v.clone()
    layer.eval()
    layer(inputs), layer.weight
    assert norm._u.equal(kept[0]) and norm._v.equal(kept[1])


def test_only_embeddings_that_are_meant_are_normalised():
    network = nn.ModuleList([nn.Embedding(3, 2), nn.Linear(2, 2), nn.BatchNorm2d(2)])
    normalise_spectrally(network)
    assert [hasattr(layer, "parametrizations") for layer in network] == [False, True, False]


def attention_by_loops(layer, maps):
    """Zhang et al. 2019, equations 1 to 3, pixel by pixel."""
    f, g, h, v = (each.weight.detach()[:, :, 0, 0].numpy() for each in (layer.f, layer.g, layer.h, layer.v))
    found = np.empty_like(maps)
    for sample in range(len(maps)):
        x = maps[sample].reshape(maps.shape[1], -1)
        pixels = x.shape[1]
        for j in range(pixels):
            s = np.array([(f @ x[:, i]) @ (g @ x[:, j]) for i in range(pixels)])
            beta = np.exp(s) / np.exp(s).sum()
            o = v @ sum(beta[i] * (h @ x[:, i]) for i in range(pixels))
            found[sample].reshape(maps.shape[1], -1)[:, j] = layer.gamma.item() * o + x[:, j]
    return found


def test_attention_is_that_of_the_paper():
    layer, maps = SelfAttention(16).double(), torch.randn(2, 16, 3, 2, dtype=torch.float64)
    assert layer(maps).equal(maps), "gamma is 0 at the start"
    nn.init.constant_(layer.gamma, 0.7)
    assert layer.f.weight.shape == (2, 16, 1, 1)
    np.testing.assert_allclose(layer(maps).detach(), attention_by_loops(layer, maps.numpy()), **EXACT)


def batch_norm_by_loops(maps, scales, shifts, epsilon):
    """Each channel by its own mean and variance over all samples and pixels; a scale and a shift for each sample."""
    found = np.empty_like(maps)
    for channel in range(maps.shape[1]):
        values = maps[:, channel].ravel()
        mean, variance = values.sum() / len(values), ((values - values.mean()) ** 2).sum() / len(values)
        for sample in range(len(maps)):
            unit = (maps[sample, channel] - mean) / (variance + epsilon) ** 0.5
            found[sample, channel] = scales[sample, channel] * unit + shifts[sample, channel]
    return found


def test_scales_and_shifts_of_batch_norm_are_linear_in_the_condition():
    layer = ProjectedBatchNorm(3, 5, epsilon=1e-4).double()
    maps, condition = torch.randn(4, 3, 2, 3, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    scale, shift = (each.weight.detach().numpy() for each in (layer.scale, layer.shift))
    by_sample = [1 + condition.numpy() @ scale.T, condition.numpy() @ shift.T]
    expected = batch_norm_by_loops(maps.numpy(), *by_sample, 1e-4)
    np.testing.assert_allclose(layer(maps, condition).detach(), expected, **EXACT)


def test_a_block_that_doubles_computes_what_its_figure_shows():
    block, maps = UpBlock(3, 4, BatchNorm).double(), torch.randn(2, 3, 4, 2, dtype=torch.float64)
    doubled = nn.Upsample(scale_factor=2)
    inside = block.conv1(doubled(torch.relu(block.norm1(maps))))
    inside = block.conv2(torch.relu(block.norm2(inside)))
    torch.testing.assert_close(block(maps, None), inside + block.shortcut(doubled(maps)), **EXACT)


@pytest.mark.parametrize(
    ("before", "halves", "first"), [(3, True, True), (4, True, False), (3, False, False), (4, False, False)]
)
def test_a_block_that_halves_computes_what_its_figure_shows(before, halves, first):
    block = DownBlock(before, 5, 4, halves=halves, first=first).double()
    maps = torch.randn(2, before, 4, 6, dtype=torch.float64)
    pool = nn.AvgPool2d(2) if halves else nn.Identity()
    inside = pool(block.conv2(torch.relu(block.conv1(maps if first else torch.relu(maps)))))
    torch.testing.assert_close(block(maps), inside + pool(block.shortcut(maps)), **EXACT)
    assert isinstance(block.shortcut, nn.Identity) is (before == 4 and not halves)


def test_weights_start_orthogonal_and_biases_at_zero():
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Linear(7, 4))
    initialise(network, nn.init.orthogonal_)
    for layer in network:
        rows = layer.weight.flatten(1)
        torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows)), rtol=0, atol=1e-5)
        assert not layer.bias.any()
