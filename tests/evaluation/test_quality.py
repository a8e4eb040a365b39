"""The yardstick: distances against what they must be by definition, and what it tells of good and bad samples."""

import itertools

import pytest
import torch

from ganzoo._seeds import make_rng
from ganzoo.data.batches import Batches
from ganzoo.data.memory import hold_images
from ganzoo.data.sources import open_data
from ganzoo.data.stream import Streamed
from ganzoo.dataset import Spec
from ganzoo.evaluation.swd import MAX_VALUES, SlicedWasserstein, project_and_sort, to_vectors, wasserstein_distance


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=make_rng("test", seed), dtype=torch.float64)


def sliced_wasserstein(first, second, ways):
    return wasserstein_distance(project_and_sort(first, ways), project_and_sort(second, ways))


def directions(size, count=16):
    return torch.nn.functional.normalize(drawn(count, size, seed=9), dim=1)


def test_it_is_the_cost_of_the_best_of_all_matchings():
    first, second, ways = drawn(5, 3), drawn(5, 3, seed=1), directions(3)
    costs = []
    for way in ways:
        matchings = itertools.permutations(range(5))
        costs.append(min((first @ way - (second @ way)[list(order)]).abs().mean() for order in matchings))
    assert sliced_wasserstein(first, second, ways) == pytest.approx(float(torch.stack(costs).mean()), rel=1e-12)


def test_a_shift_costs_its_length_along_each_direction():
    points, shift, ways = drawn(50, 4), drawn(4, seed=2), directions(4)
    moved = sliced_wasserstein(points, points[torch.randperm(50)] + shift, ways)
    assert moved == pytest.approx(float((ways @ shift).abs().mean()), rel=1e-9)


def digits():
    return open_data("mnist-10k")


def scaled(images):
    return images.float() / 127.5 - 1


def test_other_real_images_are_at_one_and_noise_and_a_collapse_far_off():
    found = digits()
    yardstick = SlicedWasserstein(found, 0)
    assert yardstick.count == 1024
    others = [scaled(found.images[start : start + 1024]) for start in (0, 3000, 6000)]
    assert all(0.5 < yardstick.ratio(images) < 2 for images in others)
    collapsed = others[0][:1].expand(1024, -1, -1, -1)
    assert yardstick.ratio(collapsed) > 5
    assert yardstick.ratio(torch.rand(1024, 1, 28, 28, generator=make_rng("noise")) * 2 - 1) > 10


def test_measuring_draws_nothing_from_torchs_random_numbers():
    before = torch.get_rng_state()
    SlicedWasserstein(digits(), 0).ratio(torch.zeros(1024, 1, 28, 28))
    assert torch.equal(torch.get_rng_state(), before)


def test_large_images_are_averaged_down():
    images = drawn(2, 3, 64, 96)
    expected = images.reshape(2, 3, 32, 2, 32, 3).mean((3, 5)).flatten(1)
    torch.testing.assert_close(to_vectors(images), expected)
    assert to_vectors(drawn(2, 1, 8, 40)).shape == (2, 8 * 32)


@pytest.mark.parametrize(("count", "shape", "compared"), [(100, (1, 4, 4), 0), (301, (1, 4, 4), 150)])
def test_it_compares_as_many_images_as_there_are_and_none_where_there_are_few(count, shape, compared):
    images = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=make_rng("few"))
    yardstick = SlicedWasserstein(hold_images("few", images), 0)
    assert yardstick.count == compared
    if compared:
        assert yardstick.ratio(scaled(images[:compared])) < 2


@pytest.mark.parametrize("shape", [(4, 8, 12), (7, 12, 8)])
def test_images_of_any_shape_and_number_of_channels_are_compared(shape):
    images = torch.randint(0, 256, (300, *shape), dtype=torch.uint8, generator=make_rng("shapes"))
    yardstick = SlicedWasserstein(hold_images("shapes", images), 0)
    assert 0.5 < yardstick.measure([(images[:150] / 255, {})])["swd_ratio"] < 2
    assert yardstick.measure([({"image": torch.zeros(150, *shape)}, {})])["swd_ratio"] > 5
    assert yardstick.measure([(torch.zeros(150, 2), {})]) == {}


def test_images_that_would_fill_the_memory_are_compared_in_smaller_numbers():
    yardstick = SlicedWasserstein(Streamed("large", range(10_000), {"image": Spec("image", (3, 256, 256))}), 0)
    assert yardstick.count == MAX_VALUES // (3 * 256 * 256)


def test_batches_of_python_code_are_not_measured():
    assert SlicedWasserstein(Batches([{"image": torch.zeros(500, 1, 2, 2)}]), 0).count == 0
    assert SlicedWasserstein(Batches([{"x": torch.zeros(500, 2)}]), 0).count == 0
