"""The standard deviation over a group of samples, against a plain loop."""

import math
import statistics

import pytest
import torch

from ganzoo.layers import MinibatchDeviation


def by_loop(group):
    """The mean over features and pixels of the standard deviation over the samples of a group."""
    variances = [statistics.pvariance(values) for values in zip(*group.flatten(1).tolist(), strict=True)]
    return statistics.mean(math.sqrt(variance + 1e-8) for variance in variances)


@pytest.mark.parametrize(("n", "size", "groups"), [(8, 4, 2), (6, 2, 3), (6, 4, 1), (3, 4, 1)])
def test_the_added_map_has_the_deviation_of_each_samples_group(n, size, groups):
    features = torch.randn(n, 3, 2, 5, dtype=torch.float64)
    result = MinibatchDeviation(size)(features)
    assert result.shape == (n, 4, 2, 5)
    assert torch.equal(result[:, :3], features)
    for index, group in enumerate(features.chunk(groups)):
        added = result.chunk(groups)[index][:, 3]
        torch.testing.assert_close(added, torch.full_like(added, by_loop(group)), rtol=1e-9, atol=0)


def test_equal_samples_have_a_deviation_near_zero_and_a_finite_gradient():
    features = torch.ones(4, 2, 3, 3, requires_grad=True)
    result = MinibatchDeviation()(features)
    result.sum().backward()
    assert result[:, 2].max() < 2e-4
    assert features.grad.isfinite().all()


def test_a_group_of_one_is_refused():
    with pytest.raises(ValueError, match=r"^group must be at least 2, got 1$"):
        MinibatchDeviation(1)
