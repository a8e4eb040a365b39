"""Two processes play the games of `games` as one process with the double batch does."""

import math

import pytest
import torch

import play_games
from command import Command
from ganzoo.engine.hardware import Hardware
from ganzoo.engine.processes import Processes
from ganzoo.errors import BadInput
from launch import LAUNCH, SUPPORT


@pytest.fixture(scope="module")
def games(tmp_path_factory):
    """What two processes came to after each step of each game, by rank."""
    folder = tmp_path_factory.mktemp("games")
    done = Command(folder).python(*LAUNCH, SUPPORT / "play_games.py", folder)
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


@pytest.mark.parametrize("name", play_games.ALL)
def test_both_processes_have_the_same_weights_after_every_step(games, name):
    for one, other in zip(*(of_rank[name] for of_rank in games), strict=True):
        assert one["terms"] == other["terms"]
        for side in ("generator", "discriminator"):
            weights = [key for key in one[side] if "running" not in key]  # batch norm's means are each process's own
            assert weights and all(torch.equal(one[side][key], other[side][key]) for key in weights)


@pytest.mark.parametrize("name", sorted(play_games.ALL.keys() - {*play_games.NORMED}))
def test_two_processes_come_to_the_weights_of_one_with_the_double_batch(games, name, float64):
    for one, other in zip(games[0][name], play_games.played(name, Processes()), strict=True):
        assert one["terms"].keys() == other["terms"].keys()
        assert max(difference(one[side], other[side]) for side in ("generator", "discriminator")) < 1e-10
        assert all(math.isclose(value, other["terms"][key], rel_tol=1e-6) for key, value in one["terms"].items())


def difference(one, other):
    return max((one[key] - other[key]).abs().max().item() for key in one)


def test_a_gradient_that_only_some_samples_give_counts_and_one_that_none_gives_stays_away(games, float64):
    name, batch = "a_part_without_gradient", next(play_games.whole_batches(play_games.ALL["vanilla"]))
    chosen = [bool((part[:, 0] > play_games.CHOSEN).any()) for part in batch["image"].chunk(2)]
    assert sorted(chosen) == [False, True]  # at the first step only one of the two processes has that gradient
    _, started = play_games.ALL[name].networks()
    after = games[0][name][0]["discriminator"]
    assert not torch.equal(after["extra.weight"], started.extra.weight)
    assert torch.equal(after["never.weight"], started.never.weight)


def test_a_batch_norm_of_somebody_s_own_cannot_look_at_all_processes():
    class Conditional(torch.nn.BatchNorm2d):
        pass

    plain, own = torch.nn.BatchNorm2d(3), torch.nn.Sequential(Conditional(3))
    with pytest.raises(BadInput, match="works with torch's own batch norms only, not with Conditional"):
        Hardware("cpu").check_sync_batch_norm(plain, own)
    with pytest.raises(BadInput, match="needs GPUs"):
        Hardware("cpu").check_sync_batch_norm(plain)
