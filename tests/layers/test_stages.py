"""The sizes of a pyramid, against lists written out by hand."""

import pytest

from ganzoo.layers import BASE, Stage, pyramid


@pytest.mark.parametrize(
    ("image", "stages"),
    [
        ((1, 16, 16), [(1, 64, 16), (64, 128, 8)]),
        ((1, 28, 28), [(1, 64, 28), (64, 128, 14), (128, 256, 7)]),
        ((3, 32, 32), [(3, 64, 32), (64, 128, 16), (128, 256, 8)]),
        ((3, 64, 64), [(3, 64, 64), (64, 128, 32), (128, 256, 16), (256, 512, 8)]),
        ((3, 128, 128), [(3, 64, 128), (64, 128, 64), (128, 256, 32), (256, 512, 16), (512, 512, 8)]),
    ],
    ids=str,
)
def test_the_stages_of_each_size_are_those_written_out(image, stages):
    assert pyramid(image) == stages
    assert BASE == 4


def test_a_stage_names_its_three_numbers():
    assert pyramid((1, 16, 16), width=5)[0] == Stage(outer=1, inner=5, side=16)


def test_channels_double_inwards_up_to_max_width():
    assert [stage.inner for stage in pyramid((3, 256, 256), width=6, max_width=25)] == [6, 12, 24, 25, 25, 25]


@pytest.mark.parametrize("size", [(8, 8), (7, 7), (20, 20), (48, 48), (56, 56), (32, 28), (16, 32), (0, 0)], ids=str)
def test_other_sizes_are_refused_in_a_sentence_that_names_the_allowed_ones(size):
    allowed = "images must be square, 28 pixels wide or a power of two from 16 up"
    with pytest.raises(ValueError, match=f"^{allowed}, got {size[0]} x {size[1]}$"):
        pyramid((1, *size))


@pytest.mark.parametrize(("width", "max_width"), [(0, 512), (-1, 512), (9, 8)])
def test_a_width_out_of_range_is_refused_in_a_sentence(width, max_width):
    sentence = rf"^width must be at least 1 and at most max_width \({max_width}\), got {width}$"
    with pytest.raises(ValueError, match=sentence):
        pyramid((1, 28, 28), width, max_width)
