"""Images as picture files have them: without opacity, of 256 levels."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganzoo.errors import BadInput
from ganzoo.pictures.decode import CHANNEL_NAMES, WITH_ALPHA


def check_visible(name: str, data: Mapping[str, Any]) -> None:
    """Raise `BadInput` for data that the network of that name cannot see: others than images of 1 to 4 channels."""
    channels = next(iter(data.get("shape") or ()), 0)
    if data["kind"] != "image" or channels not in CHANNEL_NAMES:
        raise BadInput(f"{name} sees images of 1 to 4 channels, and these have {channels}")


def on_white(images: Tensor) -> Tensor:
    """Return images (n, channels, height, width) in [0, 1] without opacity: transparent parts become white."""
    if images.shape[1] not in WITH_ALPHA:
        return images
    colour, opacity = images[:, :-1], images[:, -1:]
    return colour * opacity + 1 - opacity


def round_to_bytes(images: Tensor) -> Tensor:
    """Return images in [0, 1] as uint8."""
    return images.mul(255).round().clamp(0, 255).byte()


def to_rgb_bytes(images: Tensor) -> Tensor:
    """Return images in [0, 1] as uint8 with 3 channels, transparent parts white."""
    return round_to_bytes(on_white(images)).expand(-1, 3, -1, -1)
