"""The filters of ADA, by what defines them: orthogonality, vanishing moments, and Daubechies' closed form."""

import math

import pytest
import torch

from ganzoo_augment.filters import (
    DELAY,
    MARGIN,
    POWER,
    SYMLET_2,
    SYMLET_6,
    amplify_bands,
    band_filters,
    bands,
    doubling,
    halving,
)


@pytest.mark.parametrize(("taps", "moments"), [(SYMLET_2, 2), (SYMLET_6, 6)])
def test_low_passes_are_orthogonal_to_their_shifts_and_have_their_vanishing_moments(taps, moments):
    count = len(taps)
    assert math.fsum(taps) == pytest.approx(math.sqrt(2), abs=1e-10)
    for shift in range(0, count, 2):
        product = math.fsum(taps[k] * taps[k + shift] for k in range(count - shift))
        assert product == pytest.approx(1.0 if shift == 0 else 0.0, abs=1e-10)
    for moment in range(moments):
        assert math.fsum((-1) ** k * k**moment * tap for k, tap in enumerate(taps)) == pytest.approx(0, abs=1e-6)
    assert count == 2 * moments


def test_constant_pictures_stay_so_at_twice_the_resolution_and_back():
    for size in (4, 7, 32):
        torch.testing.assert_close(doubling(size).sum(1), torch.ones(2 * size).double())
        torch.testing.assert_close(halving(2 * size + 2 * MARGIN).sum(1), torch.ones(size).double())


def test_halving_undoes_doubling_away_from_the_edges():
    size = 24
    back = halving(2 * size + 2 * MARGIN)[:, MARGIN : 2 * size + MARGIN] @ doubling(size)
    torch.testing.assert_close(back[3:-3], torch.eye(size).double()[3:-3], rtol=0, atol=1e-10)


def test_doubling_is_a_loop_over_taps_with_mirrored_edges():
    size, picture = 6, [0.3, -1.0, 0.5, 2.0, -0.25, 0.75]
    beyond = [*reversed(picture), *picture, *reversed(picture)]
    spread = [0.0] * (2 * len(beyond))
    spread[::2] = beyond
    for k in range(2 * size):
        at = 2 * size + k
        expected = math.sqrt(2) * math.fsum(SYMLET_6[j] * spread[at + MARGIN - j] for j in range(12))
        found = doubling(size)[k] @ torch.tensor(picture, dtype=torch.float64)
        assert found.item() == pytest.approx(expected, abs=1e-12)


def test_a_slope_at_twice_the_resolution_lies_where_the_delay_says():
    size = 32
    slope = torch.arange(size).double()
    finer = doubling(size) @ slope
    positions = (torch.arange(2 * size) + 0.5) / 2 - 0.5
    torch.testing.assert_close(
        finer[12:-12].mean() - positions[12:-12].mean(), torch.tensor(DELAY).double(), rtol=0, atol=1e-7
    )


def response(filter, frequency):
    """The answer of a symmetric filter to a cosine."""
    middle = len(filter) // 2
    return math.fsum(tap * math.cos(frequency * (k - middle)) for k, tap in enumerate(filter))


def low(frequency):
    """|m0|^2 of Daubechies' filter with two vanishing moments (Ten lectures on wavelets, section 6.1)."""
    return math.cos(frequency / 2) ** 4 * (2 - math.cos(frequency))


@pytest.mark.parametrize("frequency", [0.0, 0.2, math.pi / 8, 0.7, math.pi / 4, 1.3, math.pi / 2, 2.4, math.pi])
def test_the_four_bands_are_products_of_half_bands(frequency):
    one, two, four = (low(frequency * octave) for octave in (1, 2, 4))
    expected = [one * two * four, one * two * (1 - four), one * (1 - two), 1 - one]
    assert [response(each.tolist(), frequency) for each in band_filters()] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("size", [4, 16, 33])
def test_the_bands_add_up_to_the_picture(size):
    torch.testing.assert_close(bands(size).sum(0), torch.eye(size).double(), rtol=0, atol=1e-12)


def test_each_band_is_amplified_and_the_expected_power_stays(script, pictures):
    before, drawn = pictures(2, 3, 10, 14), [0.8, -1.2, 0.4, 1.5]
    after = amplify_bands(before, script(before, [0.1, 0.9, 0.1, 0.1], drawn), 0.5)
    gains = [1.0] * 4
    for band, happens in enumerate([True, False, True, True]):
        gain = [2 ** drawn[band] if each == band and happens else 1.0 for each in range(4)]
        power = math.fsum(share * each**2 for share, each in zip(POWER, gain, strict=True))
        gains = [old * new / math.sqrt(power) for old, new in zip(gains, gain, strict=True)]
    rows, columns = (sum(gain * band for gain, band in zip(gains, bands(side), strict=True)) for side in (10, 14))
    torch.testing.assert_close(after, rows @ before @ columns.T, rtol=1e-12, atol=1e-12)
    assert (amplify_bands(before, script(before, [0.9] * 4, drawn), 0.5) - before).abs().max() < 1e-12
