"""The bands of frequencies that the layers of StyleGAN3 carry (Karras et al. 2021, section 3.2 and figure 4c).

Frequencies are in cycles, rates in samples, per side of the picture without its margin.
"""

from dataclasses import dataclass
from math import ceil, log2

CRITICAL = 2
"""Last layers whose cutoff is half the rate of the picture, so that they can make its finest details."""
FIRST_CUTOFF, FIRST_STOPBAND = 2.0, 2.0**2.1
LAST_STOPBAND = 2.0**0.3
"""The stopband of the last layers, as a multiple of their cutoff."""


@dataclass(frozen=True)
class Band:
    """What a map carries: frequencies up to `cutoff`, and less and less of them up to `half_width` above it."""

    cutoff: float
    half_width: float
    rate: int

    @classmethod
    def within(cls, cutoff: float, stopband: float, side: int) -> "Band":
        """Return a band at the lowest rate, a power of two up to `side`, that has room for its stopband."""
        rate = min(2 ** ceil(log2(2 * stopband)), side)
        return cls(cutoff, max(stopband, rate / 2) - cutoff, rate)


def list_bands(side: int, layers: int) -> list[Band]:
    """Return the bands after each of the layers: cutoffs and stopbands grow geometrically up to the critical layers."""
    last = side / 2
    shares = [min(layer / (layers - CRITICAL), 1.0) for layer in range(layers)]
    cutoffs = [FIRST_CUTOFF * (last / FIRST_CUTOFF) ** share for share in shares]
    stopbands = [FIRST_STOPBAND * (last * LAST_STOPBAND / FIRST_STOPBAND) ** share for share in shares]
    return [Band.within(*each, side) for each in zip(cutoffs, stopbands, strict=True)]


def choose_layers(side: int) -> int:
    """Return the number of layers for pictures of a side: the paper's 14 for 1024 pixels.

    Ours: as many for each octave of cutoffs, 1.5, for smaller pictures, so 5 for 16 pixels, 6 for 32 and 8 for 64; the
    paper has 14 for 256, too.
    """
    return CRITICAL + round(1.5 * log2(side / (2 * FIRST_CUTOFF)))
