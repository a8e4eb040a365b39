"""Stacked digits: what their labels say, the same for a seed, from either set of digits."""

import pytest
import torch

from downloads import idx_files, write_files
from ganzoo import BadInput, Unavailable
from ganzoo.data.sources import open_data


def test_each_channel_is_a_digit_of_the_label():
    digits, data = open_data("mnist-10k"), open_data("stacked-mnist", digits="mnist-10k", count=200)
    assert data.facts == {"image": (3, 28, 28), "classes": 1000} and data.classes[204] == "204"
    of_pixels = {
        image.numpy().tobytes(): int(label) for image, label in zip(digits.images[:, 0], digits.labels, strict=True)
    }
    for image, label in zip(data.images, data.labels, strict=True):
        assert "".join(str(of_pixels[channel.numpy().tobytes()]) for channel in image) == data.classes[label]


def test_there_are_1000_modes_alike():
    data = open_data("stacked-mnist", digits="mnist-10k", count=20_000)
    counts = torch.bincount(data.labels, minlength=1000)
    assert len(counts) == 1000 and counts.min() >= 3 and counts.max() <= 60  # about 20 each, as digits are uneven


def test_a_seed_draws_the_same_and_another_seed_others():
    first, again, other = (open_data("stacked-mnist", digits="mnist-10k", count=50, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.images, again.images) and not torch.equal(first.labels, other.labels)


def test_the_digits_are_those_of_mnist_by_default(tmp_path, offline):
    images, _, files = idx_files()
    write_files(tmp_path / "MNIST/raw", files)
    data = open_data("stacked-mnist", root=tmp_path, count=30, size=32)
    assert data.facts["image"] == (3, 32, 32)
    data = open_data("stacked-mnist", root=tmp_path, count=30)
    known = {image.tobytes() for image in images}
    assert all(channel.numpy().tobytes() in known for image in data.images for channel in image)


def test_without_network_a_sentence_says_what_to_do(tmp_path, offline):
    with pytest.raises(Unavailable, match=r"or use mnist-10k, which needs no download; as data.digits") as error:
        open_data("stacked-mnist", root=tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"digits": "mnist10k"}, "digits is mnist or mnist-10k, got 'mnist10k'"),
        ({"count": 0}, "count must be a whole number, 1 or more, got 0"),
        ({"count": 10**6}, "1,000,000 pictures of 28 x 28 pixels do not fit in memory, at most 913,045 do"),
        ({"seed": 0.5}, "seed must be a whole number, 0 or more, got 0.5"),
        ({"channels": 1}, "data.channels does not go with stacked-mnist; allowed: background, count, digits"),
    ],
)
def test_bad_input_is_one_sentence(options, sentence):
    with pytest.raises(BadInput, match=sentence):
        open_data("stacked-mnist", **options)
