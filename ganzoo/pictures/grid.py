"""Pictures for people: grids of samples, single samples, and the curves of a run."""

import io
import math
from pathlib import Path

from PIL import Image, PngImagePlugin
from torch import Tensor
from torchvision.utils import make_grid

from ganzoo._io import write_bytes
from ganzoo._version import __version__

MIN_IMAGE_SIDE = 64
"""Images below this many pixels are enlarged in a grid."""


def write_grid(path: Path, images: Tensor, model: str, seed: int, columns: int = 0) -> None:
    """Images (n, 1 or 3 channels, height, width) in [0, 1] as one PNG, labelled as synthetic.

    Without a number of `columns` the picture is nearly square.
    """
    write_tiles(path, to_bytes(images), model, seed, columns)


def write_tiles(path: Path, pixels: Tensor, model: str, seed: int, columns: int = 0) -> None:
    """What `write_grid` does, for images that `to_bytes` has turned into uint8 already."""
    grid = to_picture(tile(pixels, columns))
    scale = max(1, MIN_IMAGE_SIDE // max(pixels.shape[1:3]))
    write_png(path, grid.resize((grid.width * scale, grid.height * scale), Image.Resampling.NEAREST), model, seed)


def tile(pixels: Tensor, columns: int = 0) -> Tensor:
    """Images (n, height, width, channels) in uint8 beside and below each other, with white lines between them."""
    columns = columns or math.ceil(math.sqrt(len(pixels)))
    return make_grid(pixels.permute(0, 3, 1, 2), nrow=columns, padding=2, pad_value=255).permute(1, 2, 0)


def write_png(path: Path, image: Image.Image, model: str, seed: int) -> None:
    """A PNG whose text says that ganzoo made it, that it is synthetic, by which model and from which seed."""
    text = PngImagePlugin.PngInfo()
    about = {"Software": f"ganzoo {__version__}", "Synthetic": "true", "Model": model, "Seed": str(seed)}
    for key, value in about.items():
        text.add_text(key, value)
    buffer = io.BytesIO()
    image.save(buffer, "png", pnginfo=text)
    write_bytes(path, buffer.getvalue())


def to_picture(pixels: Tensor) -> Image.Image:
    """An image (height, width, 1 or 3 channels) in uint8 as Pillow has it."""
    array = pixels.numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def to_bytes(images: Tensor) -> Tensor:
    """Images (n, channels, height, width) in [0, 1] as uint8 (n, height, width, channels)."""
    return images.mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().cpu()
