"""ADA's moves: copies of pixels against numpy, the others against pictures of a smooth function of the plane."""

import math

import numpy as np
import pytest
import torch

from ganzoo_augment.geometry import blit, move

STILL = [0.9, 0.9, 0.9, 0.9, 0.9]
"""No change of size, no stretch, no turn, no turn, no shift, where p is 0.5."""


def shifted(picture, right, down):
    """The picture (channels, height, width) moved, with mirrored edges."""
    height, width = picture.shape[1:]
    wide = np.pad(picture, ((0, 0), (height, height), (width, width)), "symmetric")
    return wide[:, height - down : 2 * height - down, width - right : 2 * width - right]


@pytest.mark.parametrize("size", [(8, 8), (16, 24), (9, 5)])
def test_blitting_copies_pixels(script, pictures, size):
    before = pictures(5, 3, *size)
    mirrored, mirror_chance = [0.9, 0.9, 0.1, 0.9, 0.2], [0.1, 0.1, 0.1, 0.9, 0.9]
    turned, turn_chance = [0.0, 0.3, 0.6, 0.9, 0.4], [0.1, 0.1, 0.1, 0.1, 0.9]
    shift_chance, x, y = [0.9, 0.1, 0.1, 0.1, 0.1], [0.9, 0.1, 0.99, 0.5, 0.0], [0.9, 0.8, 0.3, 0.0, 0.99]
    drawn = [mirrored, mirror_chance, turned, turn_chance, shift_chance, x, y]
    after = blit(before, script(before, drawn), 0.5).numpy()
    for number in range(5):
        expected = before[number].numpy()
        if mirrored[number] > 0.5 > mirror_chance[number]:
            expected = expected[:, :, ::-1]
        if turn_chance[number] < 0.5:
            quarters = int(4 * turned[number]) if size[0] == size[1] else 2 * int(2 * turned[number])
            expected = np.rot90(expected, -quarters, (1, 2))
        if shift_chance[number] < 0.5:
            right, down = (round((u - 0.5) / 4 * side) for u, side in ((x[number], size[1]), (y[number], size[0])))
            expected = shifted(expected, right, down)
        assert (after[number] == expected).all()


def draws(scale=None, turn=None, stretch=None, second=None, shift=None):
    """The numbers drawn, uniform and normal, for changes given as the transform has them; None for none."""
    happens = [0.9 if each is None else 0.05 for each in (scale, stretch, turn, second, shift)]
    angles = [0.5 if each is None else each / (2 * math.pi) + 0.5 for each in (turn, second)]
    uniform = [happens[0], happens[1], angles[0], happens[2], angles[1], happens[3], happens[4]]
    normal = [math.log2(each or 1) / 0.2 for each in (scale, stretch)] + [8 * each for each in shift or (0, 0)]
    return uniform, normal


def forward(height, width, scale=None, turn=None, stretch=None, second=None, shift=None):
    """Where positions (x, y, 1) around the middle of a picture go, y down."""
    right, down = shift or (0, 0)
    move = np.array([[1, 0, right * width], [0, 1, down * height], [0, 0, 1]], dtype=float)
    return (
        move
        @ rotation(second or 0)
        @ np.diag([stretch or 1, 1 / (stretch or 1), 1])
        @ rotation(turn or 0)
        @ np.diag([scale or 1, scale or 1, 1])
    )


def rotation(angle):
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def positions(height, width):
    """Positions of all pixels around the middle, (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x - (width - 1) / 2, y - (height - 1) / 2, np.ones((height, width))], -1)


def waves(at):
    """A smooth function of the plane."""
    return np.cos(0.35 * at[..., 0] + 0.2) * np.sin(0.3 * at[..., 1] - 0.15 * at[..., 0] + 1)


CHANGES = [
    {"scale": 1.3},
    {"scale": 0.8},
    {"turn": 0.7},
    {"turn": -2.5},
    {"stretch": 0.85},
    {"shift": (0.11, -0.07)},
    {"turn": 1.1, "stretch": 1.2, "second": -0.4},
    {"scale": 0.9, "turn": 2.0, "stretch": 0.9, "second": 0.8, "shift": (-0.05, 0.1)},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("size", [(48, 48), (40, 56)])
def test_a_moved_picture_is_the_picture_of_the_moved_plane(script, change, size):
    at = positions(*size)
    before = torch.from_numpy(waves(at))[None, None]
    after = move(before, script(before, *draws(**change)), 0.5 if len(change) == 1 else 0.9)[0, 0].numpy()
    come_from = at @ np.linalg.inv(forward(*size, **change)).T
    inside = (abs(come_from[..., 0]) < size[1] / 2 - 5) & (abs(come_from[..., 1]) < size[0] / 2 - 5)
    assert inside.mean() > 0.3
    np.testing.assert_allclose(after[inside], waves(come_from)[inside], rtol=0, atol=0.02)


def test_a_picture_to_which_nothing_happens_stays_to_the_last_bit(script, pictures):
    before = pictures(2, 3, 12, 10)
    uniform, normal = draws(turn=1.0)
    uniform[3] = [0.05, 0.9]  # the first alone is turned
    after = move(before, script(before, uniform, normal), 0.5)
    assert (after[1] == before[1]).all() and (after[0] != before[0]).all()


def test_whole_pixels_are_moved_as_they_are(script, pictures):
    before = pictures(1, 2, 24, 24)
    after = move(before, script(before, *draws(shift=(2 / 24, -3 / 24))), 0.5)[0].numpy()
    np.testing.assert_allclose(after[:, 6:-6, 6:-6], shifted(before[0].numpy(), 2, -3)[:, 6:-6, 6:-6], atol=1e-9)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_one_colour_stays_one_colour_whatever_comes_in_from_beyond_the_edges(script, change):
    before = torch.full((1, 3, 9, 12), 0.37, dtype=torch.float64)
    torch.testing.assert_close(move(before, script(before, *draws(**change)), 0.9), before, rtol=1e-9, atol=1e-9)


def test_beyond_the_edges_pictures_are_mirrored(script):
    # A slope from left to right; a move to the right by a quarter brings in the first quarter again, backwards.
    before = torch.arange(32.0).double().expand(1, 1, 32, 32)
    after = move(before, script(before, *draws(shift=(0.25, 0))), 0.5)[0, 0, 16]
    expected = torch.tensor([*range(7, -1, -1), *range(24)], dtype=torch.float64)
    torch.testing.assert_close(after[2:-2], expected[2:-2], rtol=0, atol=0.5)
    torch.testing.assert_close(after[12:-2], expected[12:-2], rtol=0, atol=1e-6)


def test_one_of_the_two_turns_happens_with_the_probability(script):
    before = torch.zeros(4000, 1, 4, 4, dtype=torch.float64)
    rng = torch.Generator().manual_seed(0)
    uniform = [torch.rand(4000, generator=rng) for _ in range(7)]
    uniform[0], uniform[1], uniform[6] = 0.99, 0.99, 0.99
    picture = torch.rand(1, 1, 4, 4, generator=rng).double().expand_as(before)
    after = move(picture, script(before, uniform, [0.0] * 4), 0.4)
    still = (after == picture).flatten(1).all(1).double().mean().item()
    assert still == pytest.approx(0.6, abs=4 * math.sqrt(0.24 / 4000))
