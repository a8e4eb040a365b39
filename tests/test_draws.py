"""Random numbers of a batch's samples are the same for one process and for the parts of several."""

import pytest
import torch

from ganzoo._draws import Draws


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("processes", [1, 2, 4])
@pytest.mark.parametrize("times", [1, 2])
def test_each_process_has_its_rows_of_each_part(parts, processes, times):
    length = 2
    whole = torch.rand(times * parts * processes * length, 3, generator=torch.Generator().manual_seed(5))
    rows = whole.unflatten(0, (times, parts, processes, length))
    for rank in range(processes):
        own = {"image": torch.zeros(parts * length, 1)}
        draws = Draws(torch.Generator().manual_seed(5), own, rank, processes, parts)
        drawn = draws.draw(torch.rand, times * parts * length, 3)
        assert torch.equal(drawn, rows[:, :, rank].flatten(0, 2))
