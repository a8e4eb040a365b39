"""ADA's changes of colour, each against what it does to one pixel (Karras et al. 2020, appendix B)."""

import math

import numpy as np
import pytest
import torch

from ganzoo_augment.colour import recolour

CHANGES = {"brightness": -1.5, "contrast": 0.7, "flip": 0.6, "hue": 0.8, "saturation": -0.9}
"""The normal number of each, or the uniform one."""


def turn(colour, angle):
    """Rodrigues' formula around grey."""
    axis = np.ones(3) / math.sqrt(3)
    along = axis * (axis @ colour)
    return along + (colour - along) * math.cos(angle) + np.cross(axis, colour) * math.sin(angle)


APPLY = {
    "brightness": lambda colour, drawn: colour + 0.2 * drawn,
    "contrast": lambda colour, drawn: colour * 2 ** (0.5 * drawn),
    "flip": lambda colour, drawn: colour - 2 * colour.mean(),  # u = 0.6 is the 1 of {0, 1}
    "hue": lambda colour, drawn: turn(colour, math.pi * (2 * drawn - 1)),
    "saturation": lambda colour, drawn: colour.mean() + (colour - colour.mean()) * 2**drawn,
}
"""What each does to a colour (3,), in the order of the paper."""


def draws(which):
    """The numbers drawn, uniform and normal, where these changes happen, all with probability 0.5."""
    chance = {name: 0.1 if name in which else 0.9 for name in APPLY}
    uniform = [
        chance["brightness"],
        chance["contrast"],
        CHANGES["flip"],
        chance["flip"],
        CHANGES["hue"],
        chance["hue"],
        chance["saturation"],
    ]
    return uniform, [CHANGES["brightness"], CHANGES["contrast"], CHANGES["saturation"]]


@pytest.mark.parametrize("which", [[], *([name] for name in APPLY), ["flip", "hue"], list(APPLY)], ids="-".join)
@pytest.mark.parametrize("channels", [1, 3])
def test_colours_change_as_in_the_paper_and_grey_is_a_colour_of_equal_parts(script, pictures, which, channels):
    before = pictures(2, channels, 3, 4)
    after = recolour(before, script(before, *draws(which)), 0.5)
    for number, row, column in np.ndindex(2, 3, 4):
        colour = before[number, :, row, column].expand(3).numpy()
        for name in APPLY:
            colour = APPLY[name](colour, CHANGES[name]) if name in which else colour
        np.testing.assert_allclose(after[number, :, row, column].expand(3).numpy(), colour, rtol=1e-12, atol=1e-12)


def test_pictures_change_each_for_itself(script, pictures):
    before = pictures(3, 3, 2, 2)
    uniform, normal = draws(["contrast"])
    uniform[1] = [0.1, 0.9, 0.1]
    after = recolour(before, script(before, uniform, normal), torch.tensor(0.5))
    factor = 2 ** (0.5 * CHANGES["contrast"])
    torch.testing.assert_close(after, before * torch.tensor([factor, 1, factor]).view(3, 1, 1, 1).double())
