"""Grids of images, beside those of torchvision."""

import pytest
import torch
from torchvision.utils import make_grid

from ganzoo.pictures.grid import load_font, tile


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


def test_names_beside_rows_are_in_the_font_of_matplotlib():
    from matplotlib.font_manager import findfont

    assert str(load_font(20).path) == findfont("DejaVu Sans")
