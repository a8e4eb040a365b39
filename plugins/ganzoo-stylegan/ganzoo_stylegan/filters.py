"""Low-pass filters by Kaiser's window, and a leaky ReLU between two of them (Karras et al. 2021, appendix C).

A filter along one axis, with its change of rate, is a matrix. So both axes take two products of matrices, which are
differentiable any number of times, and in half precision faster than a convolution of each channel by itself.
"""

from math import pi

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganzoo_stylegan.bands import Band
from ganzoo_stylegan.mapping import SLOPE

TAPS = 6
"""Length of the filters, in samples of the map before an increase or after a decrease of the rate."""
OVERSAMPLING = 2
"""The rate at which LeakyReLU is taken, as a multiple of that of the map before or after it."""


def kaiser_beta(taps: int, transition: float) -> float:
    """Return the shape of Kaiser's window for a transition band, as a share of half the rate (appendix C.1)."""
    attenuation = 2.285 * (taps - 1) * pi * transition + 7.95
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    above = max(attenuation - 21, 0.0)
    return float(0.5842 * above**0.4 + 0.07886 * above)


def lowpass(taps: int, band: Band, rate: int) -> Tensor:
    """Return a filter (taps,) for signals at a rate that passes a band: a windowed sinc, in float64, with sum 1."""
    beta = kaiser_beta(taps, 4 * band.half_width / rate)
    window = torch.kaiser_window(taps, periodic=False, beta=beta, dtype=torch.float64)
    kernel = window * torch.sinc(2 * band.cutoff / rate * centred(taps))
    return kernel / kernel.sum()


def centred(count: int) -> Tensor:
    """Return the positions of so many samples, (count,), with 0 in the middle."""
    return torch.arange(count, dtype=torch.float64) - (count - 1) / 2


def spread(kernel: Tensor, many: int, few: int, factor: int) -> Tensor:
    """Return the matrix (many, few) that puts a kernel around each of `few` samples, `factor` fine samples apart.

    The middles of the two rows of samples lie at one place.
    """
    offsets = centred(many)[:, None] - factor * centred(few) + (len(kernel) - 1) / 2
    index = offsets.long()
    return kernel[index.clamp(0, len(kernel) - 1)] * (index == offsets) * (index >= 0) * (index < len(kernel))


class FilteredLeakyReLU(nn.Module):
    """Take LeakyReLU at a higher rate and remove the frequencies that the next map cannot carry (section 3.2).

    Maps have `before` samples of a side, in band `lower`; those that come out `after` samples in band `upper`, around
    the same middle. Beyond the map there are zeros.
    """

    up: Tensor
    down: Tensor

    def __init__(self, lower: Band, upper: Band, before: int, after: int) -> None:
        super().__init__()
        rate = OVERSAMPLING * max(lower.rate, upper.rate)
        rise, fall = rate // lower.rate, rate // upper.rate
        fine = (after + TAPS - 1) * fall  # as many as the second filter sees
        up = rise * spread(lowpass(TAPS * rise, lower, rate), fine, before, rise)
        down = spread(lowpass(TAPS * fall, upper, rate), fine, after, fall).T
        self.register_buffer("up", up.to(torch.get_default_dtype()), persistent=False)
        self.register_buffer("down", down.to(torch.get_default_dtype()), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, channels, after, after) for features (n, channels, before, before)."""
        return resample(leaky_relu(resample(features, self.up), SLOPE), self.down)


def resample(maps: Tensor, matrix: Tensor) -> Tensor:
    """Return maps (n, channels, side, side) multiplied with a matrix along both axes."""
    # The axes of maps in channels last, the layout of trainings, are multiplied where they are: no copies.
    rows = matrix @ maps.permute(0, 2, 3, 1).flatten(2)
    columns = matrix @ rows.reshape(*rows.shape[:2], maps.shape[3], maps.shape[1])
    return columns.permute(0, 3, 1, 2)
