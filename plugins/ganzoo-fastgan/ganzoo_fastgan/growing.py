"""Progressive growing: the images that a discriminator sees, and the networks, grow with the training."""

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

import ganzoo
from ganzoo.layers import check_not_negative, check_share, single

BUFFER = "growth"
"""The buffer of both networks that holds how far they have grown."""


class Growing(ganzoo.Loss):
    """Let both networks grow from small images to large ones (Karras et al. 2018, section 2, figure 2, appendix A).

    It has no terms. `level` is where the training stands: 0 for the smallest map, 4 pixels high, 1 for twice that, and
    so on; a recipe lets it vary, `level = {from = 0, to = 4, over = 12000}`. `fade` is the share of each level, before
    the next one, in which the next size fades in; before that, the networks stay as they are. Real images have the size
    that the networks have grown to, as smaller ones whose pixels are repeated, and are a mixture of two sizes while one
    fades in. It needs networks with a buffer `growth`, as `progressive` has.
    Raises `ValueError` for a level below 0 or above the last one, and for a `fade` that is not between 0 and 1.
    """

    schedulable = ("level",)

    def __init__(self, level: float, fade: float = 0.5) -> None:
        super().__init__()
        check_not_negative(level=level)
        check_share(fade=fade)
        self.level, self.fade = level, fade

    def setup(self, step: ganzoo.Step) -> None:
        """Begin with the first level. Raises `ValueError` for networks that do not grow, or not so far."""
        for side, network in (("generator", step.generator), ("discriminator", step.discriminator)):
            if not isinstance(getattr(network, BUFFER, None), Tensor):
                raise ValueError(f"it needs networks that grow, and the {side} does not; 'progressive' has such ones")
        check_level(self.level, single(step.real))
        self._grow(step)

    def after(self, step: ganzoo.Step, terms: dict[str, Tensor]) -> None:
        """Let the networks grow at the end of each training step."""
        if step.turn == "generator":
            self._grow(step)

    def view(
        self, step: ganzoo.Step, images: Tensor | dict[str, Tensor], given: dict[str, Tensor]
    ) -> Tensor | dict[str, Tensor]:
        """Return real images in the size of this time; generated ones are in it already."""
        if isinstance(images, dict) or not step.sees_real:
            return images
        return show_at(images, step.discriminator.get_buffer(BUFFER).item())

    def _grow(self, step: ganzoo.Step) -> None:
        growth = grow(self.level, self.fade)
        for network in (step.generator, step.discriminator):
            network.get_buffer(BUFFER).fill_(growth)


def grow(level: float, fade: float) -> float:
    """Return the growth at a level: a whole number, and between two of them in the last part, `fade`, of each level.

    >>> [grow(level, 0.5) for level in (0, 0.5, 0.75, 1, 1.25)]
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    whole = math.floor(level)
    return whole + max(0.0, level - whole - (1 - fade)) / fade if fade else float(whole)


def check_level(level: float, images: Tensor) -> None:
    """Raise `ValueError` for a level after the last one of such images."""
    if level > (last := last_level(images)):
        height, width = images.shape[2:]
        raise ValueError(f"level must be at most {last}, the last one for images of {height} x {width}, got {level:g}")


def last_level(images: Tensor) -> int:
    """Return the level of images (n, channels, height, width) in their own size: 3 for 32 pixels."""
    return min(images.shape[2:]).bit_length() - 3


def show_at(images: Tensor, growth: float) -> Tensor:
    """Return images (n, channels, height, width) as they look at a growth, in their own size.

    They are averaged to the next larger whole size, and mixed with those of the size before while that fades in.
    """
    full = last_level(images)
    level = min(math.ceil(growth), full)
    shown = coarsen(images, 2 ** (full - level))
    share = growth - (level - 1)
    return shown if share >= 1 or not level else torch.lerp(coarsen(images, 2 ** (full - level + 1)), shown, share)


def coarsen(images: Tensor, factor: int) -> Tensor:
    """Return images whose pixels are the means of squares of `factor` by `factor`."""
    return images if factor == 1 else interpolate(avg_pool2d(images, factor), scale_factor=float(factor))
