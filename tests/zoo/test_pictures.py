"""Samples as Pillow images: one picture with the layout of `ganzoo sample`, or an image for each sample."""

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo

NAME = "cgan-mnist"


@pytest.fixture(scope="module")
def model():
    return ganzoo.load(NAME, "cpu")


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ((), {}),
        (("-n", 10, "--seed", 3, "--set", "label=7"), {"n": 10, "seed": 3, "label": 7}),
        (("--rows", "label"), {"rows": "label"}),
        (("-n", 2, "--rows", "label=1,4"), {"n": 2, "rows": "label=1,4"}),
    ],
)
def test_a_grid_is_the_picture_of_the_command(command, model, words, arguments):
    done = command("sample", NAME, *words, "--out", "it.png")
    assert done.returncode == 0, done.stderr
    with Image.open(command.folder / "it.png") as written:
        assert np.array_equal(np.asarray(written), np.asarray(model.sample_grid(**arguments)))


def test_points_are_a_plot():
    class Dots(ganzoo.Generator):
        latent_size, makes = 2, "point"

        def forward(self, given):
            return given["z"]

    config = {"architecture": {"name": "dots"}, "data": {"name": "ring8", "kind": "point", "shape": [2], "classes": []}}
    model = ganzoo.Model(Dots(), config, "cpu")
    plot = model.sample_grid()
    assert plot.size == ganzoo.to_pil(model.sample(9)).size == (560, 560)
    assert len(plot.getcolors(100_000)) > 10
    assert repr(model) == "<ganzoo.Model: dots on ring8, point 2, on cpu>"


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_images_keep_their_values(channels, mode):
    samples = torch.arange(2 * channels * 20).view(2, channels, 4, 5) / 255
    pictures = ganzoo.to_pil(samples)
    assert [(picture.mode, picture.size) for picture in pictures] == [(mode, (5, 4))] * 2
    for one, picture in zip(samples, pictures, strict=True):
        values = np.asarray(picture).reshape(4, 5, channels).transpose(2, 0, 1)
        assert np.array_equal(values, (one * 255).round().byte().numpy())
        assert np.array_equal(np.asarray(ganzoo.to_pil(one)), np.asarray(picture))
    assert len(ganzoo.to_pil({"image": samples, "mask": samples})) == 2


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (torch.rand(2, 5, 4, 4), "a picture shows 1 to 4 channels, and these images have 5; if 4 is their number of"),
        (torch.rand(2, 5, 8, 8), "a picture shows 1 to 4 channels, and these images have 5$"),
        (torch.rand(5), r"to_pil takes images .* and this tensor is \(5,\)"),
        (torch.rand(28, 28), r"to_pil takes images .* and this tensor is \(28, 28\)"),
        ({"point": torch.rand(4, 3)}, "a picture shows points in the plane, and these have 3 dimensions"),
        ({"sound": torch.rand(4, 3)}, "with an 'image' or a 'point', and these have sound"),
        ("digits", "as a tensor, not str"),
    ],
)
def test_what_no_picture_shows(samples, sentence):
    with pytest.raises(ganzoo.BadInput, match=sentence):
        ganzoo.to_pil(samples)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"rows": "lable"}, "no 'lable' to fix; did you mean 'label'"),
        ({"rows": ["label"]}, r"rows is the name of a latent, .* got \['label'\]"),
        ({"rows": "label", "label": 1}, "'label' is fixed, and cannot have rows"),
        ({"n": 20_000}, "at most 10,000 samples; 20,000 are too many"),
        ({"n": 0}, "n must be a whole number, 1 or more"),
        ({"lable": 3}, "no 'lable' to fix; did you mean 'label'"),
    ],
)
def test_grids_that_cannot_be_drawn(model, arguments, sentence):
    with pytest.raises(ganzoo.BadInput, match=sentence):
        model.sample_grid(**arguments)


def test_a_model_says_what_it_is(model):
    assert repr(model) == "<ganzoo.Model: conditional on mnist, image 1 x 28 x 28, 10 classes, on cpu>"
