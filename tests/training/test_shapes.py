"""Trainings on images that are not square, have an opacity or more than 8 bits, and all that follows."""

import json
from types import MappingProxyType

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
from trainings import assert_same, broken_off, resume, train_with

COUNT = 160


def wide(number):
    return np.full((20, 30, 3), (number, 200, 30))


def transparent(number):
    pixels = np.zeros((20, 30, 4))
    pixels[5:15, 5 + number % 10 : 20] = (200, number, 30, 255)
    return pixels


def deep(number):
    return (np.arange(600).reshape(20, 30) * 5 + number).astype(np.uint16)


SHAPES = {
    "wide": (wide, {"size": [16, 24]}, "dcgan", (3, 16, 24), "RGB"),
    "RGBA": (transparent, {"size": [16, 20], "channels": 4, "fit": "pad"}, "conditional", (4, 16, 20), "RGBA"),
    "deep": (deep, {"size": [20, 28], "fit": "stretch", "range": [0, 4000]}, "wgan", (1, 20, 28), "I;16"),
}
"""For each kind of images: how one is made, `[data]`, the recipe, what the generator makes, the mode of its files."""


def settings(name, folder, **more):
    _, options, _, _, _ = SHAPES[name]
    data = {f"data.{key}": value for key, value in {"name": str(folder), **options, **more}.items()}
    train = {"steps": 6, "batch": 8, "log_every": 3, "precision": "fp32", "ema": 0.9}
    return {"architecture": {"width": 4}, "train": train, **data}


def write(name, folder):
    make = SHAPES[name][0]
    for number in range(COUNT):
        (folder / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        pixels = make(number)
        kept = pixels if name == "deep" else pixels.astype(np.uint8)
        Image.fromarray(kept).save(folder / "ab"[number % 2] / f"{number}.png")
    return folder


@pytest.fixture(scope="module", params=SHAPES)
def case(request, tmp_path_factory):
    """The kind of images, a folder of them, and a run that learned from it."""
    folder = write(request.param, tmp_path_factory.mktemp("images") / "images")
    out = tmp_path_factory.mktemp("run") / "run"
    train = train_with(SHAPES[request.param][2])
    return request.param, folder, train(out, **{**settings(request.param, folder), "train.save_every": 3})


def test_the_chain_from_pictures_to_files(case, tmp_path, typed):
    name, _, run = case
    *_, shape, mode = SHAPES[name]
    model = ganzoo.load(run.path)
    samples = model.sample(5, seed=1)
    assert samples.shape == (5, *shape) and samples.min() >= 0 and samples.max() <= 1
    assert len(list((run.path / "samples").glob("*.png"))) == 1
    for out in ("grid.png", "arrays.npz", "files"):
        code, _, error = typed("sample", run.path, "--out", tmp_path / out, "-n", 5, "--seed", 1)
        assert code == 0, error
    with Image.open(tmp_path / "grid.png") as grid:
        assert np.array_equal(np.asarray(grid), np.asarray(model.sample_grid(5, seed=1)))
    images = np.load(tmp_path / "arrays.npz")["images"]
    pixels = samples.permute(0, 2, 3, 1).numpy()
    assert np.array_equal(images, pixels if name == "deep" else (pixels * 255).round().astype(np.uint8))
    paths = sorted((tmp_path / "files").rglob("*.png"))
    with Image.open(paths[0]) as single:
        assert (len(paths), single.mode, single.size) == (5, mode, (shape[2], shape[1]))


def test_the_measure_of_a_training_and_its_card_follow(case, tmp_path, typed):
    name, _, run = case
    measured = [line["swd_ratio"] for line in run.metrics if "swd_ratio" in line]
    assert measured and min(measured) > 0
    code, _, error = typed("bundle", run.path, tmp_path / "bundle", "--license", "mit")
    assert code == 0, error
    size = SHAPES[name][3][1:]
    card = (tmp_path / "bundle" / "README.md").read_text()
    assert f"A generator of {size[0]} x {size[1]} images (height x width)" in card
    assert (tmp_path / "bundle" / "samples.png").is_file()
    assert torch.equal(ganzoo.load(tmp_path / "bundle").sample(3), ganzoo.load(run.path).sample(3))
    assert json.loads((run.path / "model" / "config.json").read_text())["data"].get("facts", {}).get(
        "pixel_values"
    ) == ([0, 4000] if name == "deep" else None)


def test_a_run_goes_on_bit_for_bit_also_as_a_stream(case, tmp_path, monkeypatch):
    name, folder, run = case
    monkeypatch.setattr("ganzoo.data.folders.MAX_IMAGES_IN_MEMORY", 0)
    options = settings(name, folder, workers=1)
    assert_same(run.path, broken_off(tmp_path / "broken", [2, 5], SHAPES[name][2], **options).path)


def test_other_data_take_the_shape_of_the_run_and_of_the_model_it_begins_with(case, tmp_path):
    name, folder, run = case
    _, _, recipe, shape, _ = SHAPES[name]
    other = write("wide", tmp_path / "other")
    train = {"steps": 1, "init": str(run.path), "batch": 4}
    begun = train_with(recipe)(tmp_path / "begun", architecture={"width": 4}, data=str(other), train=train)
    size = list(shape[1:])
    assert (list(begun.recipe.data.size), begun.recipe.data.channels) == (size, shape[0])
    copy = broken_off(tmp_path / "copy", [2], recipe, **settings(name, folder))
    moved = resume(copy.path, data=str(other), train={"steps": 8})
    assert (list(moved.recipe.data.size), moved.recipe.data.channels) == (size, shape[0])
    assert ganzoo.load(moved.path).sample(2).shape == (2, *shape)


def test_a_network_that_takes_no_such_size_says_the_nearest(tmp_path, typed):
    folder = write("wide", tmp_path / "images")
    code, _, error = typed("train", "dcgan", "--data", folder, "-o", "data.size=[18,30]", "--out", tmp_path / "run")
    sentence = "images must be multiples of 4 pixels from 16 up, high and wide, got 18 x 30; the nearest is 16 x 32"
    assert code == 2 and sentence in error and "data.size = [16, 32]" in error
    assert not (tmp_path / "run").exists()


class Bands(ganzoo.Dataset):
    """Five bands of 16 bits, as satellites take them."""

    kinds = MappingProxyType({"image": "image"})
    facts = MappingProxyType({"pixel_values": [0, 65535]})

    def __len__(self):
        return COUNT

    def arrays(self):
        rng = np.random.default_rng(0)
        return {"image": rng.integers(0, 65536, (COUNT, 5, 16, 24)).astype(np.uint16)}


def test_five_bands_of_16_bits_are_arrays_of_floats_and_a_sentence(tmp_path, typed):
    settings = {"architecture": {"width": 4}, "train": {"steps": 2, "batch": 8, "save_every": 2, "precision": "fp32"}}
    run = train_with("dcgan")(tmp_path / "run", data=Bands(), **settings)
    assert run.metrics[-1]["swd_ratio"] > 0
    assert typed("sample", run.path, "--out", tmp_path / "some.npz", "-n", 3)[0] == 0
    images = np.load(tmp_path / "some.npz")["images"]
    assert np.array_equal(images, ganzoo.load(run.path).sample(3).permute(0, 2, 3, 1).numpy())
    code, _, error = typed("sample", run.path, "--out", tmp_path / "some.png")
    assert code == 2 and "a picture shows 1 to 4 channels, and these images have 5; allowed: " in error
