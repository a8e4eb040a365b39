"""Grids of images, beside those of torchvision."""

import numpy as np
import pytest
import torch
from torchvision.utils import make_grid

from ganzoo.pictures.grid import draw_tiles, load_font, tile


@pytest.mark.parametrize("count", [1, 2, 7, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("columns", [1, 3, 8, 100])
def test_a_grid_is_that_of_torchvision(count, channels, columns):
    pixels = torch.randint(0, 256, (count, 5, 7, channels), dtype=torch.uint8)
    expected = make_grid(pixels.permute(0, 3, 1, 2), nrow=columns, padding=2, pad_value=255).permute(1, 2, 0)
    assert torch.equal(tile(pixels, columns), expected)


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (4, 2), (5, 3), (64, 8), (65, 9)])
def test_without_columns_a_grid_is_nearly_square(count, columns):
    pixels = torch.randint(0, 256, (count, 4, 4, 3), dtype=torch.uint8)
    assert torch.equal(tile(pixels), tile(pixels, columns))


@pytest.mark.parametrize(
    ("size", "columns"), [((6, 16), 4), ((30, 40), 8), ((28, 28), 8), ((32, 128), 4), ((100, 1), 64)]
)
def test_a_grid_of_images_that_are_not_square_is_nearly_square_too_and_has_full_rows(size, columns):
    pixels = torch.randint(0, 256, (64, *size, 3), dtype=torch.uint8)
    assert torch.equal(tile(pixels), tile(pixels, columns))


@pytest.mark.parametrize("channels", [2, 4])
def test_where_an_image_is_transparent_a_chequerboard_shows_through(channels):
    pixels = torch.randint(0, 256, (2, 16, 24, channels), dtype=torch.uint8)
    pixels[..., -1], pixels[:, :, :12, -1] = 0, 255
    grid = tile(pixels)[2:18, 2:26]
    assert torch.equal(grid[:, :12], pixels[0, :, :12, :-1].expand(-1, -1, 3))
    assert torch.equal(grid[:, 12:].unique(), torch.tensor([204, 255], dtype=torch.uint8))
    assert (grid[:2, 12:14] == grid[0, 12]).all() and (grid[0, 12] != grid[0, 14]).all()


def test_half_an_opacity_is_half_of_both():
    pixels = torch.tensor([100, 0, 200, 51], dtype=torch.uint8).expand(2, 8, 8, 4)
    assert tile(pixels)[2, 2].tolist() == [224, 204, 244]


@pytest.mark.parametrize(("channels", "mode"), [(1, "RGB"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_a_single_image_keeps_its_opacity(channels, mode):
    pixels = torch.randint(0, 256, (1, 16, 24, channels), dtype=torch.uint8)
    picture = draw_tiles(pixels, scale=1)
    assert picture.mode == mode
    assert np.array_equal(np.asarray(picture).reshape(16, 24, -1)[..., -1], pixels[0, ..., -1])


def test_names_beside_rows_are_in_the_font_of_matplotlib():
    from matplotlib.font_manager import findfont

    assert str(load_font(20).path) == findfont("DejaVu Sans")
