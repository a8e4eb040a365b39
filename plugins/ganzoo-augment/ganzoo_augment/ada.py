"""Adaptive discriminator augmentation (Karras et al. 2020, Training GANs with limited data)."""

from collections.abc import Mapping
from functools import partial
from typing import Literal

from ganzoo_augment.adaptive import Adaptive
from ganzoo_augment.colour import recolour
from ganzoo_augment.filters import amplify_bands
from ganzoo_augment.geometry import blit, move
from ganzoo_augment.occlusion import add_noise, cut_out
from ganzoo_augment.transforms import Transform
from ganzoo_augment.views import View, check_policy

PIPELINE = {
    "blit": blit,
    "geometric": move,
    "colour": recolour,
    "filter": amplify_bands,
    "noise": add_noise,
    "cutout": cut_out,
}
"""The groups of transforms of appendix B, in its order. Each takes pictures, numbers and a probability."""

Group = Literal["blit", "geometric", "colour", "filter", "noise", "cutout"]


class Ada(View, Adaptive):
    """Augment real and fake pictures, each transform with a probability that adapts (Karras et al. 2020, appendix B).

    Option `policy`, some of these groups, which are always applied in this order: "blit" (mirror, quarter turns, whole
    pixels; half turns only where pictures are not square), "geometric" (scale, turn, stretch, turn, fractions of a
    pixel), "colour" (brightness, contrast, luma flip, hue, saturation), "filter" (four bands of frequencies), "noise"
    and "cutout". The first three are the default, as the paper's. Options `p`, `adaptive`, `target`, `speed`
    and `limit` as in `Adaptive`.
    """

    def __init__(
        self,
        policy: tuple[Group, ...] = ("blit", "geometric", "colour"),
        p: float = 0.0,
        adaptive: bool = True,
        target: float = 0.6,
        speed: float = 500_000,
        limit: float = 0.8,
    ) -> None:
        super().__init__(p, adaptive, target, speed, limit)
        check_policy(policy)
        self.policy = [group for group in PIPELINE if group in policy]

    def transforms(self) -> Mapping[str, Transform]:
        """Return the transform of each group, with the probability as it is now."""
        return {group: partial(function, p=self.probability) for group, function in PIPELINE.items()}
