"""The discriminator of StyleGAN2: residual blocks, and a comparison of samples at their end (Karras et al. 2020)."""

from itertools import pairwise
from math import prod, sqrt

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganzoo.layers import (
    EqualisedConv2d,
    EqualisedLinear,
    LabelFacts,
    MinibatchDeviation,
    check_at_least_one,
    find_conditions,
    list_channels,
)
from ganzoo_stylegan.mapping import GAIN, SLOPE, StyleMapping, check_mapping
from ganzoo_stylegan.resampling import Blur
from ganzoo_stylegan.sizes import map_sizes

HALF = sqrt(0.5)
"""The factor that keeps the variance of a sum of two."""


class Block(nn.Module):
    """Two convolutions that halve a map, and a 1 x 1 convolution past them (Karras et al. 2020, figure 7, residual)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv0 = EqualisedConv2d(before, before, 3, gain=GAIN)
        self.blur = Blur(padding=2)
        self.conv1 = EqualisedConv2d(before, after, 3, stride=2, gain=GAIN * HALF)
        # The stride is in the convolution, since a filter of each channel with a stride is slow in bf16 on CPUs.
        self.skip_blur = Blur(padding=1)
        self.skip = EqualisedConv2d(before, after, 1, stride=2, bias=False, gain=HALF)

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, after, height / 2, width / 2)."""
        inner = leaky_relu(self.conv0(features), SLOPE)
        inner = leaky_relu(self.conv1(self.blur(inner)), SLOPE)
        outer: Tensor = self.skip(self.skip_blur(features))
        return inner + outer


class Discriminator(nn.Module):
    """Map images of shape (n, channels, height, width) to raw scores of shape (n,).

    `width` and `max_width` as in `Generator`. `group` samples are compared with each other before the last layers
    (Karras et al. 2018, section 3); 1 compares none, for losses that need the score of each image by itself. With
    `conditional`, scores are products of features and a vector of the label (Miyato and Koyama 2018, without the term
    that does not see the label), which a mapping of `mapping_layers` makes, as in the authors' code.
    Raises `ValueError` as `Generator` does.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int | None = None,
        conditions: LabelFacts | None = None,
        conditional: bool = False,
        mapping_layers: int = 8,
        mapping_rate: float = 0.01,
        width: int = 32,
        max_width: int = 512,
        group: int = 4,
    ) -> None:
        super().__init__()
        check_mapping(mapping_layers, mapping_rate)
        check_at_least_one(group=group)
        known = find_conditions(conditional, classes, conditions)
        self.needs = known.needs if known else ()
        sizes = map_sizes(image)
        widths = list_channels(len(sizes), width, max_width)
        last = widths[-1]
        self.from_image = EqualisedConv2d(image[0], widths[0], 1, gain=GAIN)
        self.blocks = nn.Sequential(*(Block(before, after) for before, after in pairwise(widths)))
        self.compare = MinibatchDeviation(group) if group != 1 else nn.Identity()
        self.last = EqualisedConv2d(last + (group != 1), last, 3, gain=GAIN)
        self.hidden = EqualisedLinear(last * prod(sizes[0]), last, gain=GAIN)
        self.score = EqualisedLinear(last, last if known else 1)
        self.mapping = StyleMapping(0, last, mapping_layers, mapping_rate, known) if known else None

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return one raw score per image, judged by labels of shape (n,) where these are known."""
        features = leaky_relu(self.from_image(images), SLOPE)
        features = leaky_relu(self.last(self.compare(self.blocks(features))), SLOPE)
        scores: Tensor = self.score(leaky_relu(self.hidden(features.flatten(1)), SLOPE))
        if self.mapping is None:
            return scores[:, 0]
        judged: Tensor = (scores * self.mapping(None, given)).sum(1) / sqrt(scores.shape[1])
        return judged
