"""A training that begins with a pretrained generator of grey digits, on colour photographs of another size."""

import pytest

import ganzoo
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


@pytest.mark.parametrize("option", ["data.channels=3", "data.size=32"])
def test_what_the_generator_cannot_draw_is_refused_in_a_sentence(photos, typed, tmp_path, option):
    code, _, err = typed("train", *LIKE_IT, "-o", option)
    assert code == 2
    assert "training cannot begin with 'dcgan-mnist', which is dcgan" in err.splitlines()[-1]
    assert not (tmp_path / "run").exists()
