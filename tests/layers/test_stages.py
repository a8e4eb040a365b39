"""The sizes of a pyramid, against lists written out by hand."""

import pytest

from ganzoo.layers import BASE, Stage, pyramid, smallest_map


@pytest.mark.parametrize(
    ("image", "stages"),
    [
        ((1, 16, 16), [(1, 64, 16), (64, 128, 8)]),
        ((1, 28, 28), [(1, 64, 28), (64, 128, 14), (128, 256, 7)]),
        ((1, 20, 20), [(1, 64, 20), (64, 128, 10), (128, 256, 5)]),
        ((4, 16, 48), [(4, 64, (16, 48)), (64, 128, (8, 24))]),
        ((2, 96, 36), [(2, 64, (96, 36)), (64, 128, (48, 18)), (128, 256, (24, 9)), (256, 512, (12, 5))]),
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


@pytest.mark.parametrize(
    ("image", "smallest"),
    [((1, 28, 28), 4), ((3, 64, 64), 4), ((1, 20, 20), 3), ((4, 16, 48), (4, 12)), ((2, 96, 36), (6, 3))],
)
def test_the_smallest_map_is_half_of_the_innermost_stage(image, smallest):
    assert smallest_map(pyramid(image)) == smallest


@pytest.mark.parametrize(
    ("size", "nearest"),
    [
        ((8, 8), "16 x 16, data.size = 16"),
        ((0, 0), "16 x 16, data.size = 16"),
        ((30, 30), "32 x 32, data.size = 32"),
        ((33, 28), "32 x 28, data.size = \\[32, 28\\]"),
        ((16, 8), "16 x 16, data.size = 16"),
    ],
    ids=str,
)
def test_other_sizes_are_refused_in_a_sentence_that_names_the_nearest(size, nearest):
    allowed = "images must be multiples of 4 pixels from 16 up, high and wide"
    with pytest.raises(ValueError, match=f"^{allowed}, got {size[0]} x {size[1]}; the nearest is {nearest}$"):
        pyramid((1, *size))


@pytest.mark.parametrize(("width", "max_width"), [(0, 512), (-1, 512), (9, 8)])
def test_a_width_out_of_range_is_refused_in_a_sentence(width, max_width):
    sentence = rf"^width must be at least 1 and at most max_width \({max_width}\), got {width}$"
    with pytest.raises(ValueError, match=sentence):
        pyramid((1, 28, 28), width, max_width)
