"""Pictures that the DiceBear packages draw: those in the package, and the ones that are drawn here."""

import numpy as np
import pytest
import torch

from ganzoo import BadInput
from ganzoo.data.avatars.bundled import read_bundled
from ganzoo.data.sources import open_data

ATTRIBUTES = {
    "body": 14,
    "top": 16,
    "eyes": 19,
    "mouth": 19,
    "cheeks": 4,
    "pattern": 11,
    "bodyColor": 12,
    "accentColor": 13,
    "backgroundColor": 12,
}


def test_the_bundled_set_holds_5000_different_pictures_of_one_licence():
    data = open_data("avatars-5k")
    assert data.images.shape == (5000, 3, 32, 32) and data.images.dtype == torch.uint8
    assert len(torch.unique(data.images.flatten(1), dim=0)) == 5000
    assert data.facts == {"image": (3, 32, 32), "classes": 14}
    assert data.description["license"] == "CC0-1.0"


def test_each_attribute_can_be_the_label():
    arrays = read_bundled()
    assert {label: len(set(arrays[label].tolist())) for label in arrays if label != "images"} == ATTRIBUTES
    data = open_data("avatars-5k", label="eyes")
    assert len(data.classes) == ATTRIBUTES["eyes"]
    assert np.array_equal(np.array(data.classes)[data.labels.numpy()], arrays["eyes"])


def test_the_colour_of_the_background_is_what_its_label_says():
    data = open_data("avatars-5k", label="backgroundColor")
    corners = ["#" + bytes(pixel.tolist()).hex() for pixel in data.images[:, :, 0, 0]]
    assert corners == [data.classes[number] for number in data.labels]


def test_the_bundled_set_has_the_options_of_any_other():
    data = open_data("avatars-5k", size=(16, 24), channels=1)
    assert data.facts["image"] == (1, 16, 24)


def test_fewer_are_the_first_with_the_classes_of_all():
    few, data = open_data("avatars-5k", count=50), open_data("avatars-5k")
    assert few.images.equal(data.images[:50]) and few.labels.equal(data.labels[:50])
    assert few.facts == data.facts
    for count, allowed in ((0, "1 or more, got 0"), (5001, "at most 5,000")):
        with pytest.raises(BadInput, match=f"count must be a whole number, {allowed}"):
            open_data("avatars-5k", count=count)


def test_an_attribute_that_is_not_there_gives_the_nearest():
    with pytest.raises(BadInput, match=r"avatars-5k has no attribute 'eye' for data.label; did you mean 'eyes'"):
        open_data("avatars-5k", label="eye")
