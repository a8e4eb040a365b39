"""Give images that are held in memory another size or another number of channels."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from ganzoo.data.base import image_shape
from ganzoo.pictures.decode import WITH_ALPHA, Background, Fit

IMAGES_PER_RESIZE = 1000
"""Images that are resized at once, as float32."""


def resize_images(
    images: Tensor,
    size: tuple[int, int],
    channels: int,
    fit: Fit = "crop",
    background: Background = "white",
) -> tuple[Tensor, list[str]]:
    """Turn grey or colour images (uint8) into images of `size` (height, width) with 1 to 4 channels.

    A second or fourth channel is their opacity, which is full. Returns them and notes on the change.
    """
    before = image_shape(images)
    images, notes = convert_channels(images, channels)
    if size != before[1:]:
        parts = [resize_part(part, size, fit, background) for part in torch.split(images, IMAGES_PER_RESIZE)]
        images = torch.cat(parts)
        how = f", {DONE[fit]} (data.fit)" * (before[1] * size[1] != before[2] * size[0])
        notes.append(f"resized the images from {before[1]} x {before[2]} to {size[0]} x {size[1]}{how}")
    return images.contiguous(), notes


DONE = {"crop": "cut", "pad": "padded", "stretch": "stretched"}
"""What is done to images of other proportions."""


def convert_channels(images: Tensor, channels: int) -> tuple[Tensor, list[str]]:
    """Return grey or colour images with that many channels, and a note if they have changed."""
    wanted = channels - 1 if channels in WITH_ALPHA else channels
    notes: list[str] = []
    if wanted != images.shape[1]:
        from torchvision.transforms.v2 import functional  # slow to import

        images = (functional.rgb_to_grayscale if wanted == 1 else functional.grayscale_to_rgb)(images)
        notes = [f"converted the images to {'grey' if wanted == 1 else 'RGB'}"]
    if wanted == channels:
        return images, notes
    return pad(images, (0, 0, 0, 0, 0, 1), value=255), [*notes, "the images are opaque everywhere"]


def resize_part(images: Tensor, size: tuple[int, int], fit: Fit, background: Background) -> Tensor:
    """Return images in another size (height, width)."""
    from torchvision.transforms.v2 import functional  # slow to import

    if fit == "crop":
        part = largest_part(image_shape(images)[1:], size)
        images = functional.center_crop(images, list(part))
    inner = largest_part(size, image_shape(images)[1:]) if fit == "pad" else size
    if inner != image_shape(images)[1:]:
        images = functional.resize(images, list(inner))
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    ground = 0 if images.shape[1] in WITH_ALPHA or background == "black" else 255
    return pad(images, (left, size[1] - inner[1] - left, top, size[0] - inner[0] - top), value=ground)


def largest_part(size: tuple[int, int], proportions: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size within `size` that has these proportions; all are (height, width)."""
    (height, width), (high, wide) = size, proportions
    if width * high > height * wide:
        return height, max(1, round(height * wide / high))
    return max(1, round(width * high / wide)), width
