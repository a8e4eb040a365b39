"""Building blocks of networks for plugins: DCGAN's pyramid and initial weights, normalisation, checks of options.

`load_lite0` gives them the features of a trained network.

Whole architectures are not here: those are plugins, and what only one of them uses stays in it.
"""

from ganzoo.layers.checks import (
    BASE,
    check_at_least_one,
    check_below_one,
    check_classes,
    check_dropout,
    check_image,
    check_not_negative,
    check_positive,
    check_share,
    check_size,
    single,
)
from ganzoo.layers.conditions import ConditionEmbedding, Conditions, LabelFacts, find_conditions, read_conditions
from ganzoo.layers.dcgan import activation_layers, dcgan_downsampling, dcgan_upsampling, linear_stem
from ganzoo.layers.equalised import EqualisedConv2d, EqualisedLinear
from ganzoo.layers.initialisation import initialise_normal
from ganzoo.layers.lite0 import Lite0
from ganzoo.layers.lite0_weights import load_lite0
from ganzoo.layers.minibatch import MinibatchDeviation
from ganzoo.layers.normalisation import ConditionalBatchNorm2d, PixelNorm
from ganzoo.layers.palette import Palette, make_palette
from ganzoo.layers.resizing import Upsampling, double, halve
from ganzoo.layers.stages import Size, Stage, both_sides, list_channels, pyramid, smallest_map, split_noise

__all__ = [
    "BASE",
    "ConditionEmbedding",
    "ConditionalBatchNorm2d",
    "Conditions",
    "EqualisedConv2d",
    "EqualisedLinear",
    "LabelFacts",
    "Lite0",
    "MinibatchDeviation",
    "Palette",
    "PixelNorm",
    "Size",
    "Stage",
    "Upsampling",
    "activation_layers",
    "both_sides",
    "check_at_least_one",
    "check_below_one",
    "check_classes",
    "check_dropout",
    "check_image",
    "check_not_negative",
    "check_positive",
    "check_share",
    "check_size",
    "dcgan_downsampling",
    "dcgan_upsampling",
    "double",
    "find_conditions",
    "halve",
    "initialise_normal",
    "linear_stem",
    "list_channels",
    "load_lite0",
    "make_palette",
    "pyramid",
    "read_conditions",
    "single",
    "smallest_map",
    "split_noise",
]
