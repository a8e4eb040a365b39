"""The filter 1 3 3 1, against sums written out."""

import pytest
import torch

from ganzoo_stylegan.resampling import Blur, Doubling

TAPS = [1 / 8, 3 / 8, 3 / 8, 1 / 8]


def filtered(picture, first, height, width, gain):
    """out[y][x], the sum of gain * taps * picture around it; `first` is the row and column above and left of out[0]."""
    h, w = picture.shape
    out = torch.zeros(height, width, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            for i, down in enumerate(TAPS):
                for j, across in enumerate(TAPS):
                    row, column = y + first + i, x + first + j
                    if 0 <= row < h and 0 <= column < w:
                        out[y, x] += gain * down * across * picture[row, column]
    return out


@pytest.mark.parametrize("padding", [1, 2])
@pytest.mark.parametrize("gain", [1.0, 4.0])
def test_a_blur_is_a_weighted_sum_of_sixteen_pixels(padding, gain):
    features = torch.randn(2, 3, 5, 6, dtype=torch.float64)
    blurred = Blur(padding, gain)(features)
    for out, picture in zip(blurred.flatten(0, 1), features.flatten(0, 1), strict=True):
        expected = filtered(picture, -padding, 5 + 2 * padding - 3, 6 + 2 * padding - 3, gain)
        torch.testing.assert_close(out, expected, rtol=1e-12, atol=1e-12)


def test_doubling_puts_zeros_between_the_pixels_and_filters():
    images = torch.randn(2, 4, 3, 5, dtype=torch.float64)
    doubled = Doubling()(images)
    assert doubled.shape == (2, 4, 6, 10)
    for out, picture in zip(doubled.flatten(0, 1), images.flatten(0, 1), strict=True):
        sparse = torch.zeros(6, 10, dtype=torch.float64)
        sparse[::2, ::2] = picture
        torch.testing.assert_close(out, filtered(sparse, -2, 6, 10, 4), rtol=1e-12, atol=1e-12)


def test_doubling_keeps_the_brightness_and_blurring_too():
    grey = torch.full((1, 1, 8, 8), 0.5, dtype=torch.float64)
    torch.testing.assert_close(Doubling()(grey)[..., 2:-2, 2:-2], torch.full((1, 1, 12, 12), 0.5).double())
    torch.testing.assert_close(Blur(1)(grey)[..., 1:-1, 1:-1], torch.full((1, 1, 5, 5), 0.5).double())


def test_images_are_added_up_in_full_precision_under_autocast():
    with torch.autocast("cpu", torch.bfloat16):
        assert Doubling()(torch.rand(1, 3, 4, 4)).dtype == torch.float32


def test_the_filter_is_no_weight_of_a_model():
    assert not Blur(1).state_dict() and not Doubling().state_dict()
