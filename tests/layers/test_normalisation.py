"""Normalisation, against the formulas in plain loops."""

import math

import pytest
import torch

from ganzoo.layers import ConditionalBatchNorm2d, PixelNorm


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 2, 4)], ids=str)
def test_pixel_norm_gives_each_pixel_a_mean_square_of_one(shape):
    features = 7 * torch.randn(shape, dtype=torch.float64)
    normed = PixelNorm()(features)
    assert normed.shape == shape
    vector = features[1, :].reshape(5, -1)[:, 0].tolist()
    expected = [x / math.sqrt(sum(v * v for v in vector) / 5 + 1e-8) for x in vector]
    assert normed[1].reshape(5, -1)[:, 0].tolist() == pytest.approx(expected, rel=1e-12)
    torch.testing.assert_close(normed.square().mean(1), torch.ones_like(normed[:, 0]), rtol=0, atol=1e-3)


def test_pixel_norm_of_zeros_is_zero_and_has_a_finite_gradient():
    features = torch.zeros(2, 3, requires_grad=True)
    PixelNorm()(features).sum().backward()
    assert not PixelNorm()(features).any()
    assert features.grad.isfinite().all()


def test_conditional_batch_norm_starts_as_plain_batch_norm():
    features, label = torch.randn(6, 4, 3, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    torch.testing.assert_close(ConditionalBatchNorm2d(4, 3)(features, label), torch.nn.BatchNorm2d(4)(features))


@torch.no_grad()
def test_each_class_has_a_scale_and_a_shift_of_its_own():
    layer = ConditionalBatchNorm2d(2, 3)
    layer.scale.weight.normal_()
    layer.shift.weight.normal_()
    features, label = torch.randn(5, 2, 3, 3), torch.tensor([2, 0, 1, 2, 2])
    result, plain = layer(features, label), torch.nn.BatchNorm2d(2)(features)
    for sample in range(5):
        for channel in range(2):
            scale, shift = layer.scale.weight[label[sample], channel], layer.shift.weight[label[sample], channel]
            torch.testing.assert_close(result[sample, channel], plain[sample, channel] * scale + shift)


def test_no_class_is_refused():
    with pytest.raises(ValueError, match=r"^classes must be at least 1, got 0$"):
        ConditionalBatchNorm2d(4, 0)
