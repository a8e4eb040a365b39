"""Images that are mixtures of a few colours."""

import torch

from ganzoo.layers import Palette


def test_a_pixel_is_the_mean_of_the_colours_by_a_softmax_of_its_maps() -> None:
    palette = Palette(4, 3, 5, 1.0).double()
    with torch.no_grad():
        palette.sharpness.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0])[:, None, None])
    maps, code = torch.randn(2, 4, 6, 7, dtype=torch.float64), torch.randn(2, 5, dtype=torch.float64)
    images, colours = palette(maps, code), palette.choose(code)
    assert images.shape == (2, 3, 6, 7)
    for n, row, column in [(0, 0, 0), (1, 5, 6), (0, 3, 2)]:
        weights = [((k + 1) * maps[n, k, row, column]).exp() for k in range(4)]
        for channel in range(3):
            mean = sum(weight * colours[n, channel, k] for k, weight in enumerate(weights)) / sum(weights)
            torch.testing.assert_close(images[n, channel, row, column], mean)


def test_where_one_map_is_far_above_the_others_the_image_is_flat() -> None:
    palette, maps = Palette(3, 3, 5, 1.0), torch.randn(1, 3, 8, 8)
    maps[:, 1] += 100
    code = torch.randn(1, 5)
    images = palette(maps, code)
    assert images.equal(palette.choose(code)[:, :, 1, None, None].expand_as(images))
    assert images.abs().max() <= 1
