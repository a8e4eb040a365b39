"""Grids of images, and PNG files that say which model made them."""

import io
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
from torch import Tensor

from ganzoo._io import write_bytes
from ganzoo._version import __version__
from ganzoo.pictures.decode import WITH_ALPHA

MIN_IMAGE_SIDE = 64
"""Images with a smaller side are enlarged in a grid, in pixels."""
FONT_FILE = "DejaVuSans.ttf"
LINE = 2
"""Width of the lines in a grid, in pixels, before it is enlarged."""
MOST_ASKEW = 1.5
"""Full rows may make a grid so much wider or higher than its columns alone would."""
CELLS, DARK_CELL = 8, 204
"""Cells of a chequerboard along the shorter side of an image, and the level of the darker ones."""
MAX_FONT_SIZE, NAME_MARGIN, MAX_NAME_WIDTH = 24, 8, 480
"""Sizes of the names beside the rows of a grid, in pixels; longer names are cut."""


def draw_tiles(pixels: Tensor, columns: int = 0, row_names: Sequence[str] = (), scale: int = 0) -> Image.Image:
    """Draw images that `to_bytes` has turned into uint8 as a grid, with a name beside each row.

    Every pixel becomes `scale` x `scale` pixels; with 0 small images are enlarged.
    """
    grid = enlarge(to_picture(tile(pixels, columns)), scale or max(1, MIN_IMAGE_SIDE // max(pixels.shape[1:3])))
    return add_names(grid, row_names) if row_names else grid


def enlarge(image: Image.Image, scale: int) -> Image.Image:
    """Return an image with `scale` x `scale` pixels for each of its own."""
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST) if scale > 1 else image


def add_names(grid: Image.Image, names: Sequence[str]) -> Image.Image:
    """Return a grid with a name to the right of each of its rows, which are equally high."""
    pitch, names = grid.height / len(names), [" ".join(name.split()) for name in names]
    font = load_font(min(MAX_FONT_SIZE, int(0.8 * pitch)))
    width = min(MAX_NAME_WIDTH, math.ceil(max(font.getlength(name) for name in names)) + 2 * NAME_MARGIN)
    wide = Image.new(grid.mode, (grid.width + width, grid.height), "white")
    wide.paste(grid)
    draw = ImageDraw.Draw(wide)
    for row, name in enumerate(names):
        draw.text((grid.width + NAME_MARGIN, (row + 0.5) * pitch), name, fill="black", font=font, anchor="lm")
    return wide


def load_font(size: int, name: str = FONT_FILE) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return a font that comes with matplotlib, which is slow to import; where it cannot be found, Pillow's own.

    It has the letters of more languages than Pillow's.
    """
    with suppress(PackageNotFoundError, OSError):
        for file in files("matplotlib") or ():
            if file.name == name:
                return ImageFont.truetype(file.locate(), size)
    return ImageFont.load_default(size)


def tile(pixels: Tensor, columns: int = 0) -> Tensor:
    """Arrange images (n, height, width, 1 to 4 channels) in uint8 as a grid of 3 channels with white lines around each.

    A chequerboard shows where images with an opacity, their second or fourth channel, are transparent. A single image
    gets no lines and keeps its opacity. With `columns` = 0 the grid is nearly square.
    """
    count, height, width, channels = pixels.shape
    if count == 1:
        return pixels[0].expand(-1, -1, 3) if channels == 1 else pixels[0]
    pixels = (on_chequerboard(pixels) if channels in WITH_ALPHA else pixels).expand(-1, -1, -1, 3)
    columns = min(columns or choose_columns(count, height, width), count)
    down, across = height + LINE, width + LINE
    grid = pixels.new_full((math.ceil(count / columns) * down + LINE, columns * across + LINE, 3), 255)
    for number, image in enumerate(pixels):
        top, left = LINE + number // columns * down, LINE + number % columns * across
        grid[top : top + height, left : left + width] = image
    return grid


def choose_columns(count: int, height: int, width: int) -> int:
    """Return the columns of a nearly square grid, for images that are not square of full rows where there are such."""
    ideal = math.sqrt(count * height / width)
    full = [columns for columns in range(1, count + 1) if count % columns == 0 and height != width]
    near = [columns for columns in full if ideal / MOST_ASKEW <= columns <= ideal * MOST_ASKEW]
    return min(near, key=lambda columns: abs(math.log(columns / ideal)), default=math.ceil(ideal))


def on_chequerboard(pixels: Tensor) -> Tensor:
    """Put images (n, height, width, 2 or 4 channels) in uint8 on a chequerboard; return them without their opacity."""
    _, height, width, _ = pixels.shape
    cell = max(1, min(height, width) // CELLS)
    odd = (torch.arange(height)[:, None] // cell + torch.arange(width) // cell) % 2
    ground = torch.where(odd.bool(), DARK_CELL, 255)[:, :, None]
    opacity = pixels[..., -1:].float() / 255
    return (pixels[..., :-1] * opacity + ground * (1 - opacity)).round().byte()


def write_png(path: Path, image: Image.Image, model: str, seed: int) -> None:
    """Write a PNG whose text fields name ganzoo, the model and the seed, and say that the image is synthetic."""
    save_png(path, image, make_mark(model, seed))


def make_mark(model: str, seed: int) -> dict[str, str]:
    """Return the words that samples are marked with: what made them, and that they are synthetic."""
    about = {"Software": f"ganzoo {__version__}", "Synthetic": "true", "Model": model, "Seed": str(seed)}
    return {key: value.encode(errors="backslashreplace").decode() for key, value in about.items()}  # paths may be bytes


def save_png(path: Path, image: Image.Image, mark: Mapping[str, str]) -> None:
    """Write a PNG with a mark in its text fields."""
    text = PngImagePlugin.PngInfo()
    for key, value in mark.items():
        text.add_text(key, value)
    buffer = io.BytesIO()
    image.save(buffer, "png", pnginfo=text)
    write_bytes(path, buffer.getvalue())


def to_picture(pixels: Tensor) -> Image.Image:
    """Turn an image (height, width, 1 to 4 channels) in uint8 into a Pillow image.

    A grey image in [0, 1] becomes one of 16 bits, which Pillow does not have for colour.
    """
    if pixels.is_floating_point() and pixels.shape[2] == 1:
        return Image.fromarray(pixels[:, :, 0].mul(65535).round().clamp(0, 65535).numpy().astype(np.uint16))
    array = eight_bits(pixels).numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def eight_bits(pixels: Tensor) -> Tensor:
    """Return pixels in uint8, or in [0, 1], as uint8."""
    return pixels.mul(255).round().clamp(0, 255).byte() if pixels.is_floating_point() else pixels


def to_bytes(images: Tensor) -> Tensor:
    """Turn images (n, channels, height, width) in [0, 1] into uint8 (n, height, width, channels) on the CPU."""
    return eight_bits(images).permute(0, 2, 3, 1).contiguous().cpu()
