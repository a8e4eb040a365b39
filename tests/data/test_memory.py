"""Data in memory: its batches, its pixels, and the images that come with the package."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo import BadInput
from ganzoo.data.base import normalize_images
from ganzoo.data.memory import batch_indices, hold_images
from ganzoo.data.resizing import resize_images
from ganzoo.data.sources import open_data
from samples import same, some, take


def test_in_memory_batches_hold_the_right_images_scaled_and_their_labels():
    images, labels = some(10, 3, 4, 4), torch.arange(10) % 4
    found = hold_images("x", images, labels, "abcd")
    for batch, places in zip(take(found.batches(4, 1), 6), batch_indices(10, 4, 1), strict=False):
        exact = images[places].double() / 127.5 - 1
        assert batch["image"].dtype == torch.float32 and batch["label"].dtype == torch.int64
        assert torch.allclose(batch["image"].double(), exact, atol=2e-7, rtol=0)
        assert torch.equal(batch["label"], labels[places])


def test_black_and_white_are_exactly_minus_one_and_one():
    images = normalize_images(torch.arange(256, dtype=torch.uint8))
    assert images[0] == -1 and images[255] == 1 and images.diff().min() > 0


def test_in_memory_data_says_what_it_is():
    found = hold_images("x", some(10, 3, 4, 6), torch.zeros(10, dtype=torch.int64), ["a", "b"])
    assert (len(found), found.count, found.facts) == (10, 10, {"image": (3, 4, 6), "classes": 2})
    assert found.description == {
        "name": "x",
        "opened_as": "batches",
        "kind": "image",
        "shape": [3, 4, 6],
        "range": [-1, 1],
        "classes": ["a", "b"],
        "specs": {
            "image": {"kind": "image", "shape": [3, 4, 6], "range": [-1, 1], "classes": []},
            "label": {"kind": "label", "shape": [], "range": None, "classes": ["a", "b"]},
        },
        "facts": {"image": [3, 4, 6], "classes": 2},
    }
    assert hold_images("x", some(10, 1, 4, 4)).facts == {"image": (1, 4, 4)}


def test_unlabelled_batches_have_no_label():
    assert take(hold_images("x", some(4, 1, 2, 2)).batches(2, 0), 1)[0].keys() == {"image"}


@pytest.mark.parametrize("start", [1, 2, 9])
def test_in_memory_batches_go_on_exactly(start):
    found = hold_images("x", some(10, 3, 4, 4), torch.arange(10), [str(i) for i in range(10)])
    same(take(found.batches(4, 3, 4 * start), 4), take(found.batches(4, 3), start + 4)[start:])


def test_in_memory_batches_are_made_on_the_device_that_the_data_was_moved_to():
    # The meta device computes no values, and refuses to work together with tensors of another.
    found = hold_images("x", some(10, 3, 4, 4), torch.arange(10)).to("meta")
    batch = take(found.batches(4, 0), 4)[-1]
    assert found.images.device.type == found.labels.device.type == "meta"
    assert batch["image"].device.type == batch["label"].device.type == "meta"
    assert batch["image"].shape == (4, 3, 4, 4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_cuda_batches_are_the_same_and_made_without_synchronisation():
    images, labels = some(1000, 3, 8, 8), torch.arange(1000)
    expected = take(hold_images("x", images, labels).batches(64, 0), 40)
    found = hold_images("x", images, labels).to("cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        made = take(found.batches(64, 0), 40)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    same([{key: value.cpu() for key, value in batch.items()} for batch in made], expected)


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(3, 1, 4, 4).half(),
        torch.zeros(3, 4, 4, dtype=torch.uint8),
        torch.zeros(0, 1, 4, 4, dtype=torch.uint8),
    ],
)
def test_in_memory_refuses_what_is_no_images(images):
    with pytest.raises(BadInput, match="images must be uint8 or float32"):
        hold_images("x", images)


def test_mnist_10k_is_the_start_of_mnist():
    found = open_data("mnist-10k")
    assert found.images.shape == (10_000, 1, 28, 28) and found.facts == {"image": (1, 28, 28), "classes": 10}
    # The counts are those of MNIST's first 10,000 training labels.
    assert found.labels.bincount().tolist() == [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]
    assert found.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert found.images.amin() == 0 and found.images.amax() == 255
    digest = hashlib.sha256(found.images.numpy().tobytes()).hexdigest()
    assert digest == "2f7182bf021ffc5c1f62db987487f14d899b5c639f421a80f3095affc09a7db2"
    digest = hashlib.sha256(found.labels.byte().numpy().tobytes()).hexdigest()
    assert digest == "2f345bad07338ec537641465e169cc4b7288a44244f251211c7f842641e7d927"
    assert found.classes == list("0123456789") and found.notes == []


def test_resizing_agrees_with_pillow():
    images = some(1001, 1, 28, 28)
    resized, notes = resize_images(images, (20, 20), 1)
    for i in (0, 999, 1000):
        expected = Image.fromarray(images[i, 0].numpy()).resize((20, 20), Image.Resampling.BILINEAR)
        assert np.abs(np.asarray(expected).astype(int) - resized[i, 0].numpy()).max() <= 1
    assert notes == ["resized the images from 28 x 28 to 20 x 20"]


def test_named_sets_take_size_and_channels():
    found = open_data("mnist-10k", size=32, channels=3)
    assert found.facts["image"] == (3, 32, 32) and len(found.notes) == 2
    assert torch.equal(found.images[:, 0], found.images[:, 2])


def test_grey_is_the_luma_of_colour():
    images = some(5, 3, 4, 4)
    grey, notes = resize_images(images, (4, 4), 1)
    weights = torch.tensor([0.2989, 0.587, 0.114], dtype=torch.float64).view(3, 1, 1)
    assert ((images.double() * weights).sum(1) - grey[:, 0]).abs().max() <= 1
    assert notes == ["converted the images to grey"]


def test_the_names_are_listed_without_torch():
    code = "import sys\nfrom ganzoo.plugins.datasets import list_names\nassert 'mnist-10k' in list_names()"
    code += "\nsys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_attribution_comes_with_the_embedded_images():
    text = (Path(ganzoo.__file__).parent / "data" / "mnist10k/ATTRIBUTION.md").read_text()
    assert all(word in text for word in ("LeCun", "Cortes", "Burges", "ShareAlike 3.0"))
