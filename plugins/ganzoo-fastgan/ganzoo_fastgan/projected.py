"""A discriminator on the features of a pretrained network (Sauer et al. 2021, Projected GANs converge faster)."""

import math
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.parametrizations import spectral_norm

from ganzoo.layers import check_at_least_one, load_lite0

STRIDES = (4, 8, 16, 32)
"""Of the feature maps, from the image inwards."""
DEVIATIONS = (10.0, 8.0, 5.0, 2.0)
"""Of the numbers in these maps, about: they are divided by it, or the judges' first scores are far beyond a margin."""
SMALLEST = 4
"""Side of the map of scores of square images: each judge halves its features until the shorter side is no larger."""


class Discriminator(nn.Module):
    """Judge images by four maps of features that do not learn: a list of four raw score maps (n, height, width).

    Section 3.2, figure 2: the maps of EfficientNet-Lite0, frozen, with strides of 4, 8, 16 and 32 pixels; random 1 x 1
    convolutions mix their channels (CCM), random 3 x 3 convolutions and bilinear doubling mix each with those that are
    smaller (CSM); neither learns. A judge for each of the four maps does: convolutions that halve it, with spectral
    norm, to scores of about 4 x 4. Several score maps count by their mean, so the loss `hinge` is a quarter of the
    paper's sum, which is the same game for an optimizer such as Adam.

    Ours: the maps are divided by their usual deviation. `batch_norm` lets the judges see how the images of a batch
    differ; without it no score depends on other images.

    Images are grey or in colour. Where their shorter side is below `size` pixels, they are enlarged to it (bilinear):
    the network learned to see at 224, and needs 32 pixels for each number of its smallest map. Smaller is faster and
    sees less. `width` is the number of channels of the largest mixed map, each smaller one has twice as many.
    Raises `ValueError` for other channels and for options out of range, and `BadInput` where the weights of
    EfficientNet-Lite0 are not installed.
    """

    uses_pretrained = ("lite0",)

    def __init__(
        self, *, image: tuple[int, int, int], size: int = 224, width: int = 64, batch_norm: bool = False
    ) -> None:
        super().__init__()
        check_at_least_one(width=width)
        if size < STRIDES[-1]:
            raise ValueError(f"size must be at least {STRIDES[-1]} pixels, got {size}")
        if image[0] not in (1, 3):
            raise ValueError(
                f"a projected discriminator sees grey images and coloured ones, got {image[0]} channels; "
                f"set data.channels = {3 if image[0] > 2 else 1}"
            )
        self.seen_size = enlarge_to(image[1:], size)
        self.features = load_lite0()
        widths = [width << depth for depth in range(len(STRIDES))]
        self.mix = Mixing(self.features.channels, widths)
        short = min(self.seen_size)
        self.judges = nn.ModuleList(
            make_judge(channels, math.ceil(short / stride), batch_norm)
            for channels, stride in zip(widths, STRIDES, strict=True)
        )

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> list[Tensor]:
        """Return the scores of each judge; `given` is not used."""
        if images.shape[2:] != self.seen_size:
            images = interpolate(images, self.seen_size, mode="bilinear")
        maps = zip(self.features.maps(images), DEVIATIONS, strict=True)
        mixed = self.mix([features / deviation for features, deviation in maps])
        return [judge(features)[:, 0] for judge, features in zip(self.judges, mixed, strict=True)]


class Mixing(nn.Module):
    """Mix the channels and the scales of feature maps by fixed random weights (section 3.2, CCM and CSM).

    The weights are drawn once, as He et al. 2015 initialise, from torch's global generator, and are part of the state.
    """

    def __init__(self, channels: tuple[int, ...], widths: list[int]) -> None:
        super().__init__()
        self.across_channels = nn.ModuleList(
            nn.Conv2d(before, after, 1) for before, after in zip(channels, widths, strict=True)
        )
        self.across_scales = nn.ModuleList(
            nn.Conv2d(larger, smaller, 3, padding=1) for smaller, larger in pairwise(widths)
        )
        for layer in (*self.across_channels, *self.across_scales):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.requires_grad_(False)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return mixed maps, from the largest to the smallest, for as many maps of features."""
        mixed = [mix(features) for mix, features in zip(self.across_channels, maps, strict=True)]
        for place in reversed(range(len(self.across_scales))):
            smaller = interpolate(mixed[place + 1], mixed[place].shape[2:], mode="bilinear")
            mixed[place] = mixed[place] + self.across_scales[place](smaller)
        return mixed


def enlarge_to(image: tuple[int, int], size: int) -> tuple[int, int]:
    """Return the height and width that images have after their shorter side has been enlarged to `size`."""
    factor = max(1.0, size / min(image))
    height, width = (round(side * factor) for side in image)
    return height, width


def make_judge(channels: int, side: int, batch_norm: bool) -> nn.Sequential:
    """Return convolutions that halve features until their shorter side, now `side`, is `SMALLEST`, and score them."""
    layers: list[nn.Module] = []
    while side > SMALLEST or not layers:
        stride = 2 if side > SMALLEST else 1
        norm = [nn.BatchNorm2d(channels)] * batch_norm
        layers += [spectral_norm(nn.Conv2d(channels, channels, 3, stride, 1)), *norm, nn.LeakyReLU(0.2)]
        side = math.ceil(side / stride)
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(channels, 1, 3, padding=1)))
