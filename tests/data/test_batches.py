"""Batches that Python code brings: converted, checked, and gone on with exactly."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ganzoo import BadInput
from ganzoo.data.batches import Batches
from ganzoo.data.memory import hold_images
from ganzoo.data.sources import open_data
from samples import same, some, take


def batch_list(count=3, n=4, seed=0):
    images = some(count * n, 1, 2, 2, dtype=torch.float32, seed=seed) / 127.5 - 1
    labels = torch.arange(count * n) % 3
    return [{"image": i, "label": la} for i, la in zip(images.split(n), labels.split(n), strict=True)]


def test_a_list_of_batches_is_gone_through_again():
    batches = batch_list()
    found = open_data(batches, classes=["a", "b", "c"])
    assert found.facts == {"image": (1, 2, 2), "classes": 3} and found.count is None and found.notes == []
    same(take(found.batches(4, 0), 7), (batches * 3)[:7])
    same(take(found.batches(4, 0), 2), batches[:2])
    same([found.first(4, 0)], batches[:1])


@pytest.mark.parametrize("start", [1, 3, 5])
def test_iterables_go_on_exactly(start):
    batches = batch_list()
    same(
        take(open_data(batches).batches(4, 0, 4 * start), 4),
        (batches * 4)[start : start + 4],
    )


def test_a_data_loader_gives_its_own_batches():
    samples = [{"image": torch.full((1, 2, 2), i / 10), "label": i} for i in range(6)]
    found = open_data(DataLoader(samples, batch_size=2), classes=6)
    assert found.facts == {"image": (1, 2, 2), "classes": 6}
    assert [batch["label"].tolist() for batch in take(found.batches(2, 0), 4)] == [[0, 1], [2, 3], [4, 5], [0, 1]]


def test_a_generator_loses_no_batch_and_its_end_is_an_error():
    batches = batch_list()
    stream = open_data(iter(batches)).batches(4, 0)
    same(take(stream, 3), batches)
    with pytest.raises(BadInput, match="a generator function ends"):
        next(stream)


def test_numpy_and_uint8_are_converted():
    raw = some(4, 3, 2, 2)
    found = open_data([{"image": raw.numpy(), "label": np.arange(4, dtype=np.int32), "weight": np.ones(4)}])
    batch = next(found.batches(4, 0))
    assert torch.allclose(batch["image"].double(), raw.double() / 127.5 - 1, atol=2e-7, rtol=0)
    assert (batch["image"].dtype, batch["label"].dtype, batch["weight"].dtype) == (
        torch.float32,
        torch.int64,
        torch.float32,
    )


def test_data_without_images_have_the_shapes_of_their_keys():
    found = open_data([{"x": torch.randn(4, 2, dtype=torch.float64)}])
    assert found.facts == {"x": (2,)} and found.description["kind"] == "other"
    assert next(found.batches(4, 0))["x"].dtype == torch.float32


def test_images_that_may_be_in_zero_to_one_are_remarked_upon():
    assert "[0, 1]" in open_data([{"image": torch.rand(4, 1, 2, 2)}]).notes[0]


def test_data_is_taken_as_it_is():
    found = hold_images("x", some(4, 1, 2, 2))
    assert open_data(found) is found


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (3, "not a int"),
        (None, "not a NoneType"),
        ([], "no batch at all"),
        ([torch.zeros(2, 1, 2, 2)], "a batch is a dict of tensors .* got Tensor"),
        ({"image": torch.zeros(2, 1, 2, 2)}, "a batch is a dict of tensors .* got str"),
        ([{}], "a batch is a dict"),
        ([{"image": [[1.0]]}], "'image' of a batch must be a tensor or a numpy array, got list"),
        ([{"image": np.array([None, "x"])}], "'image' of a batch cannot become a tensor"),
        ([{"x": torch.tensor(1.0)}], "'x' of a batch is empty or a single number"),
        ([{"image": torch.zeros(0, 1, 2, 2)}], "'image' of a batch is empty"),
        ([{"image": torch.zeros(2, 4)}], r"'image' must have the shape \(n, channels, height, width\), got \(2, 4\)"),
        ([{"image": torch.zeros(2, 1, 2, 2, dtype=torch.int64)}], "uint8 or floating point in .* got torch.int64"),
        ([{"image": torch.full((2, 1, 2, 2), 255.0)}], r"images must lie in \[-1, 1\], got values from 255 to 255"),
        ([{"image": torch.full((2, 1, 2, 2), torch.nan)}], r"images must lie in \[-1, 1\], got values from nan"),
        ([{"image": torch.zeros(2, 1, 2, 2), "label": torch.zeros(3)}], "one length, got 'image' 2, 'label' 3"),
    ],
)
def test_what_is_no_batch_is_refused_in_a_sentence(source, sentence):
    with pytest.raises(BadInput, match=sentence):
        open_data(source)


def test_labels_must_be_classes():
    with pytest.raises(BadInput, match=r"labels of 2 classes lie in 0..1, got 0..2"):
        open_data(batch_list(), classes=2)


def test_later_batches_are_looked_at_too():
    good = torch.zeros(2, 1, 2, 2)
    for bad, sentence in [(good + 2, "must lie in"), (torch.zeros(2, 1, 3, 3), "one shape, got")]:
        stream = open_data([{"image": good}, {"image": bad}]).batches(2, 0)
        next(stream)
        with pytest.raises(BadInput, match=sentence):
            next(stream)


@pytest.mark.parametrize("options", [{"size": 32}, {"channels": 3}])
def test_batches_are_not_reshaped(options):
    with pytest.raises(BadInput, match="what Python gives is taken as it is"):
        open_data(batch_list(), **options)


def test_what_an_iterable_raises_comes_through():
    def failing():
        yield batch_list()[0]
        raise OSError("disk")

    stream = Batches(failing()).batches(4, 0)
    next(stream)
    with pytest.raises(OSError, match="disk"):
        next(stream)


def test_unsigned_numbers_become_those_that_torch_computes_with():
    values = np.array([0, 21845, 65535], dtype=np.uint16)
    batch = {"image": values.reshape(3, 1, 1, 1), "token": values.reshape(3, 1), "label": np.arange(3, dtype=np.uint64)}
    found = open_data([batch], classes=3).first(3, 0)
    assert found["image"].flatten().tolist() == pytest.approx([-1, -1 / 3, 1], abs=1e-6) and found["image"].max() == 1
    assert found["token"].tolist() == [[0], [21845], [65535]] and found["label"].tolist() == [0, 1, 2]
    assert found["token"].dtype == found["label"].dtype == torch.int64
    sentence = (
        r"'grey' is torch\.uint16 of shape \(3, 1, 1, 1\): 'image' is scaled from uint16 .*; make it floating point"
    )
    with pytest.raises(BadInput, match=sentence):
        open_data([{"grey": values.reshape(3, 1, 1, 1)}])
