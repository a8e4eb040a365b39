"""Generators of several pictures, as of both ways between photographs and drawings: all of them are shown."""

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.kinds.files import GAP
from ganzoo.zoo.export import write_samples
from ganzoo.zoo.model import Model

SPECS = {"photo": {"kind": "image", "shape": [3, 64, 64]}, "drawing": {"kind": "image", "shape": [1, 64, 64]}}


class Both(ganzoo.Generator):
    makes = ("photo", "drawing", "depth")

    def forward(self, given):
        grey = given["z"][:, :1, None, None].expand(-1, 1, 64, 64)
        return {"photo": grey.expand(-1, 3, -1, -1), "drawing": -grey, "depth": grey[:, 0]}


@pytest.fixture
def model():
    data = {"kind": "image", "shape": [3, 64, 64], "classes": [], "specs": SPECS}
    return Model(Both(), {"data": data, "architecture": {"name": "both"}}, "cpu")


def test_the_picture_shows_both_beside_one_another(model, tmp_path):
    both = np.asarray(Image.open(write_samples(model, "m", 4, 0, tmp_path / "a.png", False)))
    side = 2 * 66 + 2
    assert both.shape == (side, 2 * side + GAP, 3)
    left, right = both[:, :side], both[:, side + GAP :]
    inside = (slice(2, 66), slice(2, 66))
    assert (left[inside].astype(int) + right[inside]).min() >= 254  # the drawing is the negative of the photograph
    assert np.array_equal(both, np.asarray(model.sample_grid(4)))


def test_a_folder_has_one_for_each_and_an_array_file_an_array(model, tmp_path):
    folder = write_samples(model, "m", 3, 0, tmp_path / "out", False)
    names = [f"{key}/{number:06d}.png" for key in ("drawing", "photo") for number in range(3)]
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png")) == names
    write_samples(model, "m", 1, 0, folder, True)
    assert len(list(folder.rglob("*.png"))) == 2
    arrays = np.load(write_samples(model, "m", 3, 0, tmp_path / "a.npz", False))
    shapes = {"photo": (3, 64, 64, 3), "drawing": (3, 64, 64, 1), "depth": (3, 64, 64)}
    assert {key: arrays[key].shape for key in arrays.files} == shapes
    made = model.sample(3)
    torch.testing.assert_close(made["photo"][:, :1] + made["drawing"], torch.ones(3, 1, 64, 64), atol=1e-6, rtol=0)
    assert made["depth"].min() < 0
