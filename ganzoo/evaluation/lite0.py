"""Measures images of any kind by the features of EfficientNet-Lite0, which need no download."""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganzoo.evaluation.features import FeatureSuite
from ganzoo.evaluation.pixels import check_visible, on_white, round_to_bytes
from ganzoo.layers import Lite0, load_lite0
from ganzoo.pictures.decode import WITH_ALPHA

SMALLEST_SIDE, LARGEST_SIDE = 64, 224
"""Images with a shorter side below or above are resized to it: the network learned on images of 224 pixels."""
IMAGES_PER_FORWARD = 64
"""Images that go through the network at once."""


class Lite0Suite(FeatureSuite):
    """FD, KID, precision, recall, density and coverage of images by EfficientNet-Lite0.

    Images of 1 to 4 channels are rounded to 256 levels first, as in an image file; transparent parts become white.
    """

    name, prefix = "lite0-v1", "lite0"
    uses_pretrained = Lite0.uses_pretrained

    def extract(self, samples: Tensor) -> Tensor:
        """Return the features (n, 1280) of images in [0, 1]."""
        return torch.cat([self._look(part) for part in torch.split(samples, IMAGES_PER_FORWARD)])

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` for images that have another shape than the data's, or that the network cannot see."""
        super().check_data(data)
        check_visible(self.name, data)

    def describe(self) -> dict[str, Any]:
        """Return the hash of the weights, and how images become what the network sees."""
        channels, height, width = self.real.kind.spec.shape
        seen = scaled_sides(height, width)
        return {
            "sha256": Lite0.sha256,
            "rounded_to": 256,
            **({"transparent": "white"} if channels in WITH_ALPHA else {}),
            "resize": f"to {seen[0]} x {seen[1]}, bicubic" if seen != (height, width) else "none",
            "crop": "none",
            "normalisation": "(value of 0 to 255 - 127) / 128",
        }

    @cached_property
    def _network(self) -> Lite0:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return load_lite0().to(device).to(memory_format=torch.channels_last)

    def _look(self, images: Tensor) -> Tensor:
        device = next(self._network.buffers()).device
        seen = resize(round_to_bytes(on_white(images)).div(255).to(device))
        with torch.autocast(device.type, enabled=False):  # features of half precision would be others
            return self._network.pooled((seen * 2 - 1).contiguous(memory_format=torch.channels_last))


def resize(images: Tensor) -> Tensor:
    """Resize images in [0, 1] to `scaled_sides`."""
    sides = scaled_sides(*images.shape[2:])
    if sides == tuple(images.shape[2:]):
        return images
    return interpolate(images, size=sides, mode="bicubic", antialias=True).clamp(0, 1)


def scaled_sides(height: int, width: int) -> tuple[int, int]:
    """Return height and width with the shorter side in `SMALLEST_SIDE` to `LARGEST_SIDE`, in proportion."""
    shorter = min(height, width)
    scale = min(max(shorter, SMALLEST_SIDE), LARGEST_SIDE) / shorter
    return math.floor(height * scale + 0.5), math.floor(width * scale + 0.5)
