"""Bands, Kaiser's filters and the filtered LeakyReLU of StyleGAN3, against formulas in float64."""

from math import exp, log2, pi

import numpy as np
import pytest
import torch

from ganzoo_stylegan.bands import Band, choose_layers, list_bands
from ganzoo_stylegan.filters import FilteredLeakyReLU, lowpass

BAND, WIDER = Band(3.4, 4.6, 16), Band(9.5, 6.5, 32)
SLOPE = 0.2


def attenuation_of(taps, band, rate):
    """Kaiser's formula, in dB, of which the transition band is 2 half_width (Karras et al. 2021, appendix C.1)."""
    return 2.285 * (taps - 1) * pi * (2 * band.half_width) / (rate / 2) + 7.95


def beta_of(a):
    return 0.1102 * (a - 8.7) if a > 50 else 0.5842 * (a - 21) ** 0.4 + 0.07886 * (a - 21) if a > 21 else 0.0


NARROW_BAND, HARDLY_ANY = Band(15.0, 1.0, 32), Band(16.0, 0.1, 32)


@pytest.mark.parametrize("rate", [32, 64])
@pytest.mark.parametrize("taps", [12, 24])
@pytest.mark.parametrize("band", [BAND, WIDER, NARROW_BAND, HARDLY_ANY], ids=str)
def test_a_filter_is_a_sinc_in_kaiser_s_window(band, taps, rate):
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    window = np.kaiser(taps, beta_of(attenuation_of(taps, band, rate)))
    expected = np.sinc(2 * band.cutoff * x) * window
    found = lowpass(taps, band, rate)
    np.testing.assert_allclose(found.numpy(), expected / expected.sum(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("band", list_bands(64, 8)[:-2], ids=str)
def test_a_filter_passes_its_band_and_stops_what_lies_above_its_stopband(band):
    rate, taps = 2 * band.rate, 12
    kernel = lowpass(taps, band, rate).numpy()
    ripple = 10 ** (-attenuation_of(taps, band, rate) / 20)
    x = (np.arange(taps) - (taps - 1) / 2) / rate

    def responses(low, high):
        return np.array([(kernel * np.cos(2 * pi * f * x)).sum() for f in np.linspace(low, high, 200)])

    # The formula is an estimate, and for 12 taps a good one up to a factor of 2.
    passed, stopped = responses(0, band.cutoff - band.half_width), responses(band.cutoff + band.half_width, rate / 2)
    assert ripple < 0.1 and abs(stopped).max() < 2 * ripple
    if band.cutoff > band.half_width:
        assert abs(passed - 1).max() < 2 * ripple
        assert responses(band.cutoff, band.cutoff)[0] == pytest.approx(0.5, abs=0.02)


def continuous(x, taps, band, rate):
    """The filter at any place of the side, with the sum 1 at that rate: the window is np.kaiser's, in terms of I0."""
    beta = beta_of(attenuation_of(taps, band, rate))
    half = (taps - 1) / 2 / rate

    def h(x):
        inside = np.clip(1 - (x / half) ** 2, 0, None)
        return np.sinc(2 * band.cutoff * x) * np.i0(beta * np.sqrt(inside)) * (abs(x) <= half * (1 + 1e-9))

    return h(x) / h((np.arange(taps) - (taps - 1) / 2) / rate).sum()


def places(count, rate):
    """Where samples lie, in sides of the picture, with 0 in its middle."""
    return (np.arange(count) + 0.5 - count / 2) / rate


@pytest.mark.parametrize(
    "lower, upper, before, after", [(BAND, BAND, 12, 10), (BAND, WIDER, 10, 18), (WIDER, WIDER, 14, 6)]
)
def test_leaky_relu_is_taken_of_a_continuous_signal(lower, upper, before, after):
    rate = 2 * upper.rate
    fine = places(20 * rate // 8, rate)  # wider than everything that a filter reaches
    x = np.random.default_rng(0).normal(size=(before, before))
    rise, fall = rate // lower.rate, rate // upper.rate
    up = rise * continuous(fine[:, None] - places(before, lower.rate), 6 * rise, lower, rate)
    signal = up @ x @ up.T
    down = continuous(places(after, upper.rate)[:, None] - fine, 6 * fall, upper, rate)
    expected = down @ np.where(signal > 0, signal, SLOPE * signal) @ down.T
    layer = FilteredLeakyReLU(lower, upper, before, after)
    assert not layer.state_dict()
    found = layer(torch.from_numpy(x).float()[None, None])[0, 0]
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=2e-6)


def test_the_filtered_leaky_relu_is_differentiable_twice():
    layer = FilteredLeakyReLU(BAND, BAND, 6, 4).double()
    features = torch.randn(1, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, features, fast_mode=True)
    assert torch.autograd.gradgradcheck(layer, features, fast_mode=True)


@pytest.mark.parametrize("side, layers", [(1024, 14), (256, 14), (32, 6), (16, 5)])
def test_cutoffs_and_stopbands_grow_geometrically_between_their_ends(side, layers):
    bands = list_bands(side, layers)
    assert len(bands) == layers
    first, last = bands[0], bands[-1]
    assert first.cutoff == 2 and first.rate == 16 and last.rate == side
    assert first.cutoff + first.half_width == max(2**2.1, 8)
    assert last == bands[-2] and last.cutoff == pytest.approx(side / 2)
    assert last.cutoff + last.half_width == pytest.approx(side / 2 * 2**0.3)
    for number, band in enumerate(bands):
        share = min(number / (layers - 2), 1)
        stopband = exp((1 - share) * 2.1 * np.log(2) + share * np.log(side / 2 * 2**0.3))
        assert band.cutoff == pytest.approx(2 * (side / 4) ** share)
        assert log2(band.rate) % 1 == 0 and band.rate <= side
        assert band.rate == side or band.rate / 2 < 2 * stopband <= band.rate
        assert band.half_width == pytest.approx(max(stopband, band.rate / 2) - band.cutoff)


def test_small_pictures_have_fewer_layers():
    assert [choose_layers(side) for side in (16, 32, 64, 128, 256, 1024)] == [5, 6, 8, 10, 11, 14]
