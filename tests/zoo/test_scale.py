"""Enlarged pictures, and the names beside their rows: looked at pixel by pixel."""

import numpy as np
import pytest
from PIL import Image

from ganzoo.pictures.layout import name_row

ROWS = ["--rows", "label"]


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_scale_repeats_each_pixel(typed, tmp_path):
    assert typed("sample", "dcgan-mnist", "-n", 3, "--scale", 1, "--out", "one.png")[0] == 0
    assert typed("sample", "dcgan-mnist", "-n", 3, "--scale", 5, "--out", "five.png")[0] == 0
    assert typed("sample", "dcgan-mnist", "-n", 3, "--scale", 3, "--out", "singles")[0] == 0
    assert typed("sample", "dcgan-mnist", "-n", 3, "--out", "plain")[0] == 0
    one, five = pixels("one.png"), pixels("five.png")
    assert (five == one.repeat(5, 0).repeat(5, 1)).all()
    for place in range(3):
        plain, large = (pixels(f"{folder}/{place:06d}.png") for folder in ("plain", "singles"))
        assert plain.shape == (28, 28)
        assert (large == plain.repeat(3, 0).repeat(3, 1)).all()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--out", "a.npz"], "--scale enlarges the pixels of pictures, and an array file has the samples as they are"),
        (["--scale", 65], "scale must be a whole number from 1 to 64, got 65"),
        (["--scale", 0], "scale must be a whole number from 1 to 64, got 0"),
        (["--scale", "x"], "scale must be a whole number from 1 to 64, got 'x'"),
    ],
)
def test_what_cannot_be_enlarged_is_refused_before_anything_is_written(typed, tmp_path, words, sentence):
    code, _, err = typed("sample", "dcgan-mnist", "-n", 2, "--scale", 2, *words)
    assert code == 2
    assert sentence in err
    assert not list(tmp_path.glob("*"))


@pytest.mark.parametrize(
    ("model", "rows", "count"),
    [("cgan-mnist", "label", 10), ("infogan-mnist", "code", 10), ("infogan-mnist", "c1=-1,0,1", 3)],
)
def test_every_row_has_its_name_beside_it(typed, model, rows, count):
    assert typed("sample", model, "-n", 2, "--scale", 2, "--rows", rows, "--out", "a.png")[0] == 0
    picture = np.asarray(Image.open("a.png").convert("L"))
    height, right = picture.shape[0], 2 * (2 + 2 * 30)
    beside = picture[:, right:]
    ink = [(beside[height * row // count : height * (row + 1) // count] < 128).any() for row in range(count)]
    assert ink == [True] * count


@pytest.mark.parametrize(
    ("key", "number", "classes", "name"),
    [
        ("label", 1, ["cat", "dog"], "dog"),
        ("label", 7, list("0123456789"), "label 7"),
        ("label", 2, [], "label 2"),
        ("label", 0, ["07"], "label 07"),
        ("code", 3, ["cat", "dog", "x", "y"], "y"),
        ("code", 3, [], "code 3"),
        ("c1", -0.5, [], "c1 -0.5"),
        ("label", 0, ["T-shirt/top"], "T-shirt/top"),
    ],
)
def test_a_row_is_called_by_its_class_or_by_its_latent(key, number, classes, name):
    assert name_row(key, number, classes) == name


def test_the_pictures_of_a_conditional_training_say_what_each_row_is(typed, tmp_path):
    quick = ["-o", "train.steps=1", "-o", "train.batch=8", "-o", "architecture.width=8", "--precision", "fp32"]
    assert typed("train", "conditional", *quick, "--device", "cpu", "--out", "run")[0] == 0
    picture = np.asarray(Image.open("run/samples/step-000001.png").convert("L"))
    plain = 2 * (2 + 8 * 30)
    assert picture.shape[1] > plain
    rows = [picture[picture.shape[0] * row // 10 : picture.shape[0] * (row + 1) // 10, plain:] for row in range(10)]
    assert all((row < 128).any() for row in rows)
