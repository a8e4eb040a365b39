"""The convolutional layers of DCGAN (Radford, Metz and Chintala 2016, section 3), for any `pyramid`.

Each function returns a list of modules, to be put into an `nn.Sequential` with a first or last layer of your own.
"""

from collections.abc import Sequence

from torch import nn

from ganzoo.layers.checks import BASE, check_dropout
from ganzoo.layers.resizing import Upsampling, double, halve
from ganzoo.layers.stages import Size, Stage, both_sides


def linear_stem(features: int, channels: int, size: Size = BASE) -> list[nn.Module]:
    """Return layers from vectors (n, features) to maps (n, channels, 4, 4): linear without bias, then reshaped.

    `size` is another size of the map, such as `smallest_map(stages)`.
    """
    height, width = both_sides(size)
    return [nn.Linear(features, channels * height * width, bias=False), nn.Unflatten(1, (channels, height, width))]


def dcgan_upsampling(
    stages: Sequence[Stage], *, kernel: int = 4, upsample: Upsampling = "transposed"
) -> list[nn.Module]:
    """Return a generator's layers from maps (n, stages[-1].inner, 4, 4) to images in [-1, 1].

    Batch norm and ReLU come first and after each doubling but the last, which is followed by tanh. No layer has a
    bias. `stages` are those of `pyramid`, whose `smallest_map` may have another size than 4 x 4; `kernel` and
    `upsample` are those of `double`.
    """
    layers: list[nn.Module] = []
    for stage in reversed(stages):
        layers += [nn.BatchNorm2d(stage.inner), nn.ReLU(inplace=True)]
        layers.append(double(stage.inner, stage.outer, stage.side, kernel, upsample=upsample))
    return [*layers, nn.Tanh()]


def dcgan_downsampling(
    stages: Sequence[Stage], *, kernel: int = 4, batch_norm: bool = True, dropout: float = 0.0
) -> list[nn.Module]:
    """Return a discriminator's layers from images to features (n, stages[-1].inner, 4, 4).

    Each halving is followed by batch norm, except the first, and by `activation_layers(dropout)`. `batch_norm=False`
    is for losses that need the gradient of each image by itself: then all halvings but the first have a bias.
    `stages` are those of `pyramid`, whose `smallest_map` may have another size than 4 x 4; `kernel` is that of `halve`.
    Raises `ValueError` for a dropout outside [0, 1).
    """
    first, *further = stages
    layers: list[nn.Module] = [halve(first.outer, first.inner, first.side, kernel), *activation_layers(dropout)]
    for outer, inner, side in further:
        layers.append(halve(outer, inner, side, kernel, bias=not batch_norm))
        layers += [nn.BatchNorm2d(inner)] if batch_norm else []
        layers += activation_layers(dropout)
    return layers


def activation_layers(dropout: float = 0.0) -> list[nn.Module]:
    """Return a discriminator's activation, LeakyReLU of slope 0.2, with dropout after it where that is above 0.

    Raises `ValueError` for a dropout outside [0, 1).
    """
    check_dropout(dropout)
    activation = nn.LeakyReLU(0.2, inplace=True)
    return [activation, nn.Dropout(dropout)] if dropout else [activation]
