"""The order of samples: shuffled epochs in a row, from any step on."""

import pytest
import torch

from ganzoo.data.memory import batch_indices, permute_epoch
from samples import plain_order, take


@pytest.mark.parametrize(("count", "batch"), [(10, 5), (10, 4), (3, 8), (1, 2), (7, 7)])
def test_batches_are_cut_from_shuffled_epochs_in_a_row(count, batch):
    found = [place for places in take(batch_indices(count, batch, 5), 12) for place in places.tolist()]
    expected = plain_order(count, 5, 12 * batch // count + 1)
    assert found == expected[: 12 * batch]
    assert sorted(found[:count]) == list(range(count))


@pytest.mark.parametrize("start", [1, 2, 3, 7, 50])
def test_positions_can_start_anywhere(start):
    whole = take(batch_indices(10, 4, 0), start + 5)[start:]
    assert [p.tolist() for p in take(batch_indices(10, 4, 0, 4 * start), 5)] == [p.tolist() for p in whole]


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = [
        tuple(permute_epoch(100, seed, epoch, torch.device("cpu")).tolist()) for seed in (0, 1) for epoch in (0, 1)
    ]
    assert len(set(orders)) == 4
