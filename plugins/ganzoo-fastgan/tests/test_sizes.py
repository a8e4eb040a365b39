import re

import pytest

from ganzoo_fastgan import progressive, projected
from ganzoo_fastgan.generator import Generator
from ganzoo_fastgan.judge import Discriminator as FastJudge
from ganzoo_fastgan.sizes import list_maps, list_widths


@pytest.mark.parametrize(
    "image, maps",
    [
        ((1, 32, 32), [(4, 4), (8, 8), (16, 16), (32, 32)]),
        ((3, 64, 96), [(4, 6), (8, 12), (16, 24), (32, 48), (64, 96)]),
        ((4, 80, 64), [(5, 4), (10, 8), (20, 16), (40, 32), (80, 64)]),
    ],
)
def test_maps_double_from_a_shorter_side_of_4_to_the_image(image, maps):
    assert list_maps(image) == maps


def test_channels_double_inwards_up_to_the_maximum():
    assert list_widths(list_maps((3, 256, 256)), 16, 200) == [200, 200, 200, 128, 64, 32, 16]


@pytest.mark.parametrize("network", [Generator, FastJudge, progressive.Generator, progressive.Discriminator])
@pytest.mark.parametrize(
    "size, nearest, option",
    [
        ((28, 28), "32 x 32", "32"),
        ((16, 16), "32 x 32", "32"),
        ((48, 64), "64 x 64", "64"),
        ((100, 64), "96 x 64", "[96, 64]"),
        ((64, 250), "64 x 256", "[64, 256]"),
    ],
    ids=str,
)
def test_other_sizes_are_refused_in_a_sentence_that_names_the_nearest(network, size, nearest, option):
    rule = (
        "the shorter side of images must be a power of two from 32 up and the longer one a multiple of a quarter of it"
    )
    got = f"got {size[0]} x {size[1]}; the nearest is {nearest}, data.size = {option}"
    with pytest.raises(ValueError, match=f"^{re.escape(f'{rule}, {got}')}$"):
        network(image=(3, *size))


@pytest.mark.parametrize(
    "network, options, sentence",
    [
        (Generator, {"latent_size": 0}, "latent_size must be at least 1, got 0"),
        (Generator, {"width": 0}, "width must be at least 1 and at most max_width (1024), got 0"),
        (
            FastJudge,
            {"width": 8, "max_width": 4},
            "width must be at least 1 and at most max_width (4), got 8",
        ),
        (progressive.Generator, {"latent_size": 0}, "latent_size must be at least 1, got 0"),
        (progressive.Discriminator, {"width": 600}, "width must be at least 1 and at most max_width (512), got 600"),
        (projected.Discriminator, {"size": 31}, "size must be at least 32 pixels, got 31"),
        (projected.Discriminator, {"width": 0}, "width must be at least 1, got 0"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(network, options, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        network(image=(3, 32, 32), **options)


@pytest.mark.parametrize("channels, advice", [(2, 1), (4, 3)])
def test_a_projected_discriminator_refuses_opacity(channels, advice):
    sentence = (
        f"a projected discriminator sees grey images and coloured ones, got {channels} channels; "
        f"set data.channels = {advice}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        projected.Discriminator(image=(channels, 32, 32))
