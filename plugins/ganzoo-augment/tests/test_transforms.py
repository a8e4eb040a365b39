"""DiffAugment's transforms, the mirror, noise and holes, each against a loop over pictures and pixels."""

import numpy as np
import pytest
import torch

from ganzoo_augment import occlusion
from ganzoo_augment.transforms import cut_out, mirror, recolour, translate

SIZES = [(16, 16), (12, 20)]


def test_the_mirror_turns_every_second_picture_round(script, pictures):
    before = pictures(4, 3, 5, 6)
    after = mirror(before, script(before, [[0.1, 0.6, 0.49, 0.5]]))
    for number, turned in enumerate([True, False, True, False]):
        assert (
            after[number].numpy() == (before[number].numpy()[:, :, ::-1] if turned else before[number].numpy())
        ).all()


@pytest.mark.parametrize("size", SIZES)
def test_translation_moves_by_whole_pixels_and_brings_in_grey(script, pictures, size):
    height, width = size
    before = pictures(3, 2, *size)
    x, y = [0.0, 0.5, 0.9999], [0.9999, 0.3, 0.5]
    after = translate(before, script(before, [x, y])).numpy()
    far = [int(side / 8 + 0.5) for side in (width, height)]
    for number in range(3):
        right, down = (int(u[number] * (2 * most + 1)) - most for u, most in ((x, far[0]), (y, far[1])))
        for row in range(height):
            for column in range(width):
                inside = 0 <= row - down < height and 0 <= column - right < width
                expected = before[number, :, row - down, column - right].numpy() if inside else np.zeros(2)
                assert (after[number, :, row, column] == expected).all()


@pytest.mark.parametrize("size", SIZES)
def test_cutout_erases_half_of_either_side(script, pictures, size):
    before = pictures(3, 2, *size)
    rows, columns = [0.0, 0.5, 0.9999], [0.5, 0.25, 0.0]
    after = cut_out(before, script(before, [rows, columns])).numpy()
    for number in range(3):
        middles = [int(u[number] * (side + 1)) for u, side in zip((rows, columns), size, strict=True)]
        for row, column in np.ndindex(size):
            cut = all(
                -side // 4 <= at - middle < side // 4
                for at, middle, side in zip((row, column), middles, size, strict=True)
            )
            assert (after[number, :, row, column] == (0 if cut else before[number, :, row, column].numpy())).all()


def test_diffaugment_changes_brightness_then_saturation_then_contrast(script, pictures):
    before = pictures(3, 3, 4, 5)
    uniform = [[0.0, 0.3, 0.9], [0.1, 0.5, 0.8], [0.9, 0.2, 0.0]]
    after = recolour(before, script(before, uniform)).numpy()
    for number, (bright, saturated, contrast) in enumerate(zip(*uniform, strict=True)):
        expected = before[number].numpy() + bright - 0.5
        expected = (expected - expected.mean(0)) * 2 * saturated + expected.mean(0)
        expected = (expected - expected.mean()) * (0.5 + contrast) + expected.mean()
        np.testing.assert_allclose(after[number], expected, rtol=1e-12, atol=1e-12)


def test_noise_is_as_strong_as_was_drawn_where_it_happens(script, pictures):
    before = pictures(3, 2, 4, 4)
    noise = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    after = occlusion.add_noise(before, script(before, [[0.1, 0.9, 0.4]], [[-2.0, 1.0, 0.5], noise]), 0.5)
    for number, strength in enumerate([0.2, 0.0, 0.05]):
        torch.testing.assert_close(after[number], before[number] + strength * noise[number], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_a_hole_is_half_as_high_and_wide_as_the_picture(script, pictures, size):
    before = pictures(3, 1, *size)
    cut, y, x = [0.1, 0.9, 0.4], [0.5, 0.5, 0.0], [0.5, 0.5, 0.9]
    after = occlusion.cut_out(before, script(before, [cut, y, x]), 0.5)
    for number, row, column in np.ndindex(3, *size):
        near = abs((row + 0.5) / size[0] - y[number]) < 0.25 and abs((column + 0.5) / size[1] - x[number]) < 0.25
        assert after[number, 0, row, column] == (0 if near and cut[number] < 0.5 else before[number, 0, row, column])
    assert (after[0] == 0).double().mean() == 0.25 and (after[1] == before[1]).all()
