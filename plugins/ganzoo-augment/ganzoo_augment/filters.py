"""Low passes and bands of frequencies, as matrices along one side of a picture (Karras et al. 2020, appendix B).

A matrix (size after, size before) filters all rows or columns at once and has the mirrored edges in it. For the sizes
of pictures that GANs make this is several times as fast as convolutions of single channels.
"""

import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from ganzoo_augment.numbers import Numbers

SYMLET_6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
"""The low pass of the Symlet with six vanishing moments (Daubechies 1992, section 8.1); its squares add up to 1."""
SYMLET_2 = tuple(numerator / (4 * math.sqrt(2)) for numerator in (1 - 3**0.5, 3 - 3**0.5, 3 + 3**0.5, 1 + 3**0.5))
"""The low pass of the Symlet with two vanishing moments."""
MARGIN = 5
"""Samples at twice the resolution that `halving` needs beyond each edge."""
DELAY = 0.25 - (sum(place * tap for place, tap in enumerate(SYMLET_6)) / math.sqrt(2) - MARGIN) / 2
"""By how many pixels `doubling` moves a picture up and to the left: Symlets are not quite symmetric."""
POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)
"""How much of the power of a picture is expected in each band, from low to high frequencies."""


def resize(pictures: Tensor, make: Callable[[int], Tensor]) -> Tensor:
    """Return pictures (n, channels, height, width) after the matrices that `make` returns for height and width."""
    rows, columns = (at_hand(make, side, pictures.dtype, pictures.device) for side in pictures.shape[-2:])
    return rows @ pictures @ columns.mT


@cache
def at_hand(make: Callable[[int], Tensor], size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the matrix for a size, kept on a device."""
    return make(size).to(device, dtype)


def doubling(size: int) -> Tensor:
    """Return the matrix (2 size, size) of the picture at twice the resolution; constant pictures stay so."""
    full = torch.zeros(2 * size, size, dtype=torch.float64)
    for k in range(2 * size):
        for i in range((k + MARGIN - len(SYMLET_6)) // 2 + 1, (k + MARGIN) // 2 + 1):
            full[k, reflect(i, size)] += math.sqrt(2) * SYMLET_6[k + MARGIN - 2 * i]
    return full


def halving(size: int) -> Tensor:
    """Return the matrix (size / 2 - MARGIN, size) back from twice the resolution: after `doubling`, the identity.

    The first and the last `MARGIN` samples lie beyond the edges.
    """
    full = torch.zeros(size // 2 - MARGIN, size, dtype=torch.float64)
    taps = torch.tensor(SYMLET_6, dtype=torch.float64) / math.sqrt(2)
    for i in range(len(full)):
        full[i, 2 * i : 2 * i + len(taps)] = taps
    return full


def bands(size: int) -> Tensor:
    """Return four matrices (4, size, size), of the frequencies up to pi / 8, pi / 4, pi / 2 and pi; their sum is 1."""
    filters = band_filters()
    middle, full = filters.shape[1] // 2, torch.zeros(4, size, size, dtype=torch.float64)
    for row in range(size):
        for tap in range(filters.shape[1]):
            full[:, row, reflect(row + tap - middle, size)] += filters[:, tap]
    return full


def band_filters() -> Tensor:
    """Return the four filters (4, taps), symmetric; each octave is split by Symlet 2, there and back."""
    low = torch.tensor(SYMLET_2, dtype=torch.float64)
    high = low.flip(0) * torch.tensor([1.0, -1.0, 1.0, -1.0])
    low, high = (convolve(each, each.flip(0)) / 2 for each in (low, high))  # together they are the identity
    below, found = torch.ones(1, dtype=torch.float64), []
    for octave in (1, 2, 4):
        found.append(convolve(below, spread(high, octave)))
        below = convolve(below, spread(low, octave))
    return torch.stack([centre(each, len(below)) for each in (below, *reversed(found))])


def amplify_bands(pictures: Tensor, numbers: Numbers, p: Tensor | float) -> Tensor:
    """Amplify or weaken each band of frequencies, and keep the expected power as it is."""
    gains, power = pictures.new_ones(len(pictures), 4), pictures.new_tensor(POWER)
    for band in range(4):
        gain = torch.ones_like(gains)
        gain[:, band] = numbers.sometimes(p, numbers.normal()).exp2()
        gains = gains * gain / (gain.square() @ power).sqrt()[:, None]
    kept = [at_hand(bands, side, pictures.dtype, pictures.device) for side in pictures.shape[-2:]]
    rows, columns = (torch.einsum("nb,bij->nij", gains, each)[:, None] for each in kept)
    return rows @ pictures @ columns.mT


def convolve(one: Tensor, other: Tensor) -> Tensor:
    """Return the convolution of two filters, with all its taps."""
    return torch.nn.functional.conv1d(one[None, None], other.flip(0)[None, None], padding=len(other) - 1)[0, 0]


def spread(filter: Tensor, step: int) -> Tensor:
    """Return a filter with its taps that many samples apart."""
    found = filter.new_zeros((len(filter) - 1) * step + 1)
    found[::step] = filter
    return found


def centre(filter: Tensor, length: int) -> Tensor:
    """Return a filter of odd length with zeros around it."""
    return torch.nn.functional.pad(filter, [(length - len(filter)) // 2] * 2)


def reflect(index: int, size: int) -> int:
    """Return the index inside [0, size) of a position beyond the edges, which mirror: -1 is 0."""
    inside = index % (2 * size)
    return min(inside, 2 * size - 1 - inside)
