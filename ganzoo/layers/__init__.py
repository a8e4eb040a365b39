"""Building blocks of networks for architecture plugins: DCGAN's pyramid, its initial weights, checks of options.

Whole architectures are not here: those are plugins, and what only one of them uses stays in it.
"""

from ganzoo.layers.checks import check_at_least_one, check_dropout, check_image
from ganzoo.layers.dcgan import activation_layers, dcgan_downsampling, dcgan_upsampling, linear_stem
from ganzoo.layers.initialisation import initialise_normal
from ganzoo.layers.resizing import Upsampling, double, halve
from ganzoo.layers.stages import BASE, Stage, pyramid

__all__ = [
    "BASE",
    "Stage",
    "Upsampling",
    "activation_layers",
    "check_at_least_one",
    "check_dropout",
    "check_image",
    "dcgan_downsampling",
    "dcgan_upsampling",
    "double",
    "halve",
    "initialise_normal",
    "linear_stem",
    "pyramid",
]
