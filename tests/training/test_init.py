"""A training that begins with a pretrained generator of grey digits, on colour photographs of another size."""

import pytest
from torch import nn

import ganzoo
from ganzoo.zoo.initial import group_by_layer, shorten
from pictures import write_images

QUICK = ["-o", "train.steps=1", "-o", "train.batch=8", "--precision", "fp32", "--device", "cpu", "--out", "run"]
QUICK += ["--init", "dcgan-mnist", "--data", "photos"]
LIKE_IT = ["dcgan-mnist", *QUICK]


@pytest.fixture
def photos(tmp_path):
    return write_images(tmp_path / "photos", 12, (40, 30), "RGB")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "the images become 28 x 28 in grey, as 'dcgan-mnist' draws them"),
        (["-o", "data.size=28"], "the images become grey, as 'dcgan-mnist' draws them"),
        (["-o", "data.channels=1"], "the images become 28 x 28, as 'dcgan-mnist' draws them"),
    ],
)
def test_photographs_get_what_the_recipe_does_not_set_and_it_is_said(photos, typed, options, said):
    code, _, err = typed("train", *LIKE_IT, *options)
    assert code == 0, err
    assert said in err
    data = ganzoo.Run("run").recipe.data
    assert (data.size, data.channels) == (28, 1)


def test_it_is_the_same_in_python(photos, tmp_path, capfd):
    train = {"steps": 1, "batch": 8, "precision": "fp32", "init": "dcgan-mnist"}
    run = ganzoo.train("dcgan-mnist", photos, tmp_path / "run", "cpu", train=train, **{"data.size": 28})
    assert run.recipe.data.channels == 1
    assert "the images become grey, as 'dcgan-mnist' draws them" in capfd.readouterr().err


@pytest.mark.parametrize(("option", "layers"), [("data.channels=3", "network.9"), ("data.size=32", "network.3")])
def test_of_what_the_generator_cannot_draw_the_rest_of_it_is_taken_and_it_is_said(photos, typed, option, layers):
    code, _, err = typed("train", *LIKE_IT, "-o", option)
    assert code == 0, err
    took = f"begins with 'dcgan-mnist': the generator takes all but {layers}"
    assert took in err
    assert "; the discriminator is new: that model has none" in err


def test_a_generator_of_which_nothing_fits_is_refused_in_a_sentence(photos, typed, tmp_path):
    code, _, err = typed("train", "vanilla", *QUICK)
    assert code == 2
    assert "training cannot begin with 'dcgan-mnist', which is dcgan" in err.splitlines()[-1]
    assert "nothing fits, 'network.0.weight' has the shape" in err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_a_spectrally_normalised_layer_is_taken_as_a_whole():
    names = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)), nn.Linear(3, 2)).state_dict()
    assert {layer: len(own) for layer, own in group_by_layer(names).items()} == {"0": 4, "1": 2}


def test_a_layer_that_does_not_fit_may_have_one_inside_that_does():
    every = ["first", "layers.0", "layers.0.style", "layers.1", "layers.1.style"]
    assert shorten(["layers.0"], every) == ["layers.0"]
    assert shorten(["layers.0", "layers.1", "layers.1.style"], every) == ["layers.0", "layers.1"]
    assert shorten(every[1:], every) == ["layers"]
