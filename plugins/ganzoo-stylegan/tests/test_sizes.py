import re
from itertools import pairwise

import pytest
import torch

from ganzoo_stylegan.discriminator import Discriminator
from ganzoo_stylegan.generator import Generator
from ganzoo_stylegan.sizes import map_sizes

SMALL = {"width": 2, "max_width": 8}
SIZES = {
    (16, 16): (4, 4), (32, 32): (4, 4), (1024, 1024): (4, 4), (32, 64): (4, 8), (48, 64): (3, 4), (28, 28): (7, 7),
    (96, 160): (3, 5), (20, 20): (5, 5), (64, 16): (16, 4),
}  # fmt: skip
REFUSED = {
    (8, 8): (16, 16), (36, 36): (32, 32), (30, 32): (32, 32),
    (100, 100): (96, 96), (64, 66): (64, 64), (17, 40): (16, 40),
}  # fmt: skip


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_both_sides_are_halved_down_to_a_small_map(size):
    sizes = map_sizes((3, *size))
    assert sizes[0] == SIZES[size] and sizes[-1] == size
    assert all(later == (2 * height, 2 * width) for (height, width), later in pairwise(sizes))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(16, 16), (32, 64), (48, 64), (28, 28)], ids=str)
def test_images_have_the_shape_of_the_data_and_each_gets_one_raw_score(size, channels):
    generator = Generator(image=(channels, *size), latent_size=8, w_size=8, mapping_layers=2, **SMALL)
    images, extras = generator(generator.latent(4, torch.Generator().manual_seed(0)))
    assert images.shape == (4, channels, *size) and images.isfinite().all() and images.std() > 0.01
    assert extras["w"].shape == (4, 2 * len(map_sizes((3, *size))), 8)
    scores = Discriminator(image=(channels, *size), **SMALL)(1e6 * images, {})
    assert scores.shape == (4,) and scores.abs().max() > 1


@pytest.mark.parametrize("size", REFUSED, ids=str)
@pytest.mark.parametrize("side", [Generator, Discriminator])
def test_other_sizes_are_refused_with_the_nearest_that_works(side, size):
    better = REFUSED[size]
    said = f"got {size[0]} x {size[1]}; the nearest is {better[0]} x {better[1]}, data.size = "
    with pytest.raises(ValueError, match="^images must have sides of 16 pixels or more .*" + re.escape(said)):
        side(image=(3, *size))
    assert map_sizes((3, *better))


def test_channels_double_towards_the_smallest_map_up_to_max_width():
    generator = Generator(image=(3, 64, 64), width=4, max_width=16, w_size=8)
    assert [layer.weight.shape[0] for layer in generator.synthesis.layers] == [16, 16, 16, 16, 16, 8, 8, 4, 4]
    discriminator = Discriminator(image=(3, 64, 64), width=4, max_width=16)
    assert [block.conv1.weight.shape[:2] for block in discriminator.blocks] == [(8, 4), (16, 8), (16, 16), (16, 16)]


@pytest.mark.parametrize(
    "side, options, sentence",
    [
        (Generator, {"width": 0}, r"width must be at least 1 and at most max_width \(512\), got 0"),
        (Discriminator, {"width": 8, "max_width": 4}, r"width must be at least 1 and at most max_width \(4\), got 8"),
        (Generator, {"latent_size": 0}, "latent_size must be at least 1, got 0"),
        (Generator, {"w_size": 0}, "w_size must be at least 1, got 0"),
        (Generator, {"mapping_layers": 0}, "mapping_layers must be at least 1, got 0"),
        (Generator, {"mapping_rate": 0.0}, "mapping_rate must be a number greater than 0, got 0.0"),
        (Discriminator, {"mapping_layers": 0}, "mapping_layers must be at least 1, got 0"),
        (Discriminator, {"mapping_rate": -1.0}, "mapping_rate must be a number greater than 0, got -1.0"),
        (Generator, {"mixing": 1.5}, "mixing must lie between 0 and 1, got 1.5"),
        (Generator, {"conditional": True}, "conditional = true needs data with labels, .*"),
        (Discriminator, {"conditional": True}, "conditional = true needs data with labels, .*"),
        (Discriminator, {"group": 0}, "group must be at least 1, got 0"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(side, options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        side(image=(3, 32, 32), **options)
