"""Layers that halve or double the size of a feature map, with the same arithmetic for even and for odd sizes.

Input and output are (n, channels, height, width). `side` is the height and width of the larger map, one number where
they are equal. A side may be odd: 7 halves to 4, and 4 doubles to 7; then the kernel is odd in that direction, 3 in
place of 4.
"""

from typing import Literal

from torch import nn

from ganzoo.layers.stages import Size, both_sides

Upsampling = Literal["transposed", "nearest"]
"""How `double` doubles: a transposed convolution, or repeated pixels and then a convolution."""


def halve(before: int, after: int, side: Size, kernel: int = 4, bias: bool = False) -> nn.Conv2d:
    """Return a strided convolution from `before` channels of size `side` to `after` channels of half that size.

    Radford et al. 2016, section 3: strided convolutions in place of pooling. `kernel` is 3 or more.
    """
    return nn.Conv2d(before, after, _fitting_kernel(kernel, side), stride=2, padding=_padding(kernel), bias=bias)


def double(
    before: int, after: int, side: Size, kernel: int = 4, bias: bool = False, upsample: Upsampling = "transposed"
) -> nn.Module:
    """Return a layer from `before` channels of half the size to `after` channels of size `side`.

    "transposed" is a transposed convolution (Radford et al. 2016, section 3). "nearest" repeats pixels and then
    convolves, which leaves no chequerboard (Odena et al. 2016): with 3 x 3 where `kernel` is 4, with 5 x 5 where it
    is 5. `kernel` is 3 or more.
    """
    if upsample == "nearest":
        smooth = nn.Conv2d(before, after, _odd(kernel), padding=_padding(kernel), bias=bias)
        return nn.Sequential(nn.Upsample(size=side), smooth)
    height, width = fitting = _fitting_kernel(kernel, side)
    high, wide = both_sides(side)
    return nn.ConvTranspose2d(
        before,
        after,
        fitting,
        stride=2,
        padding=_padding(kernel),
        output_padding=((height - high) % 2, (width - wide) % 2),
        bias=bias,
    )


def _padding(kernel: int) -> int:
    return (kernel - 1) // 2


def _odd(kernel: int) -> int:
    """Return the odd kernel of the same padding: 3 for 4, and 5 for 5."""
    return 2 * _padding(kernel) + 1


def _fitting_kernel(kernel: int, side: Size) -> tuple[int, int]:
    high, wide = (_odd(kernel) if each % 2 else kernel for each in both_sides(side))
    return high, wide
