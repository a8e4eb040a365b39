"""Data sets that a plugin brings: what the one loader makes of them."""

import random

import numpy as np
import pytest
import torch

import ganzoo
from data_plugins import Held, Pairs, Waves
from ganzoo import BadInput, Failed, Spec
from ganzoo.data.sources import open_data
from samples import plain_order, same, take


def odd(value=None, count=3, **attributes):
    """A data set with some things out of order."""
    methods = {"__len__": lambda self: count, "sample": lambda self, index, rng: value}
    return type("Odd", (ganzoo.Dataset,), {**methods, **attributes})()


def test_a_data_set_says_what_it_holds():
    found = open_data(Pairs())
    image, grey = Spec("image", (3, 8, 8), (-1, 1)), Spec("image", (1, 8, 8), (-1, 1))
    assert found.specs == {"image": image, "grey": grey, "label": Spec("label", classes=("even", "odd"))}
    assert found.facts == {"image": (3, 8, 8), "grey": (1, 8, 8), "classes": 2}
    assert (found.count, found.license, found.classes) == (12, "CC0-1.0", ["even", "odd"])
    assert found.notes == ["squares of one colour", "12 images are read while training, by 2 worker processes"]
    assert open_data(Waves(rate=7)).facts == {"wave": (16,), "rate": 7, "alphabet": ["a", "b"]}


def test_samples_become_what_networks_see():
    batch = open_data(Pairs(), workers=0).first(12, 0)
    assert list(batch) == ["image", "grey", "label"] and batch["label"].dtype == torch.int64
    assert batch["image"].dtype == batch["grey"].dtype == torch.float32
    assert batch["image"][:, 0, 0, 0].add(1).mul(127.5).round().int().tolist() == [
        20 * index for index in plain_order(12, 0, 1)
    ]
    assert -1 <= batch["grey"].min() < 0 < batch["grey"].max() <= 1


@pytest.mark.parametrize("bits", [8, 16])
def test_black_and_white_of_whole_numbers_are_the_ends_of_the_range(bits):
    ends = np.array([0, 2**bits - 1], dtype=f"uint{bits}").reshape(1, 1, 2)
    batch = open_data(odd({"image": ends}, kinds={"image": "image"}), workers=0).first(1, 0)
    assert batch["image"].flatten().tolist() == [-1, 1]


def test_other_numbers_keep_what_they_mean():
    sample = {
        "half": np.float16(0.5),
        "double": np.ones(2),
        "token": np.array([1, 2], "uint16"),
        "mask": np.ones(2, bool),
    }
    batch = open_data(odd(sample), workers=0).first(2, 0)
    kinds = [torch.float32, torch.float32, torch.int64, torch.float32]
    assert [value.dtype for value in batch.values()] == kinds and batch["token"].tolist() == [[1, 2]] * 2


@pytest.mark.parametrize("data", [Pairs, Waves])
@pytest.mark.parametrize("start", [1, 4])
def test_a_stream_goes_on_exactly_with_any_number_of_workers(data, start):
    whole = take(open_data(data(), workers=0).batches(5, 3), start + 3)
    same(take(open_data(data(), workers=2).batches(5, 3, 5 * start), 3), whole[start:])


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_what_one_alone_would_read(processes):
    whole = take(open_data(Pairs(), workers=0).batches(6, 1), 3)
    shards = [lambda part, rank=rank: part.chunk(processes)[rank] for rank in range(processes)]
    parts = [take(open_data(Pairs(), workers=0).batches(6, 1, 0, shard), 3) for shard in shards]
    same([{key: torch.cat([part[i][key] for part in parts]) for key in whole[i]} for i in range(3)], whole)


def test_going_on_reads_nothing_of_the_past(tmp_path):
    found = open_data(Waves(log=tmp_path / "log"), workers=0)
    (tmp_path / "log").unlink()  # of the first sample, which shows the shapes
    next(found.batches(4, 0, 4 * 200))
    order = plain_order(20, 0, 41)[800:804]
    assert (tmp_path / "log").read_text().split() == [str(index) for index in order]


def test_samples_leave_random_generators_alone():
    states = [random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()]
    take(open_data(Pairs(), workers=0).batches(5, 0), 3)
    assert states == [random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()]


def test_arrays_are_held_in_memory():
    found = open_data(Held())
    batch = found.first(12, 0)
    assert batch["image"][:, 0, 0, 0].add(1).mul(127.5).round().int().tolist() == [
        20 * index for index in plain_order(12, 0, 1)
    ]
    assert torch.allclose(batch["grey"], batch["image"][:, :1], atol=1e-6) and found.notes == ["squares of one colour"]
    same(take(found.batches(5, 1, 10), 2), take(found.batches(5, 1), 4)[2:])


def test_a_broken_sample_is_left_out_and_named():
    found = open_data(Waves(bad=[17]), workers=2)
    batch = found.first(20, 0)
    order = [index if index != 17 else 18 for index in plain_order(20, 0, 1)]
    assert batch["index"].tolist() == order and found.skipped == {17}
    assert found.notes[-1] == (
        "skipped 1 sample that cannot be read, the last is '17.wav', sample 17 of Waves (KeyError: 'no wave 17')"
    )


def test_a_broken_sample_is_refused_where_it_is_to_be():
    sentence = (
        r"cannot read '17\.wav', sample 17 of Waves \(KeyError: 'no wave 17'\); data\.broken='skip' leaves it out"
    )
    for workers in (0, 2):
        with pytest.raises(BadInput, match=sentence):
            open_data(Waves(bad=[17]), workers=workers, broken="refuse").first(20, 0)
    with pytest.raises(BadInput, match=r"cannot read '0\.wav', sample 0 of Waves .*leaves it out"):
        open_data(Waves(bad=[0]), broken="refuse")
    with pytest.raises(BadInput, match=r"none of the first 20 samples can be read: '0\.wav', sample 0 of Waves \(Key"):
        open_data(Waves(bad=list(range(20))))
    assert open_data(Waves(bad=[0, 1])).facts["wave"] == (16,)


def changing(self, index, rng):
    return {"x": np.zeros(3 + (index == 2))}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (odd(count=0), "Odd: the data set has no samples"),
        (odd([1, 2]), r"none of the first 3 .* sample 0 of Odd \(a sample is a dict of arrays .* got list"),
        (odd({"x": "word"}), r"'x' must be an array of numbers, got str"),
        (odd({"x": None}), r"'x' must be an array of numbers, got NoneType"),
        (odd({"x": np.zeros(0)}), r"'x' must be an array of numbers, got an empty array"),
        (odd({"x": np.array([np.nan])}), r"'x' has numbers that are not finite"),
        (odd({"seed": np.zeros(1)}), r"sample 0: no key of a sample can be called 'seed'"),
        (odd({"x y": np.zeros(1)}), r"no key of a sample can be called 'x y'"),
        (odd({"x": np.zeros(1)}, kinds={"x": "sond"}), r"unknown kind 'sond'; did you mean 'sound'\?"),
        (odd({"x": np.zeros(1)}, kinds={"y": "other"}), r"sample 0: `kinds` names 'y', and a sample has 'x'"),
        (odd({"x": np.zeros(1)}, classes={"y": "ab"}), r"sample 0: `classes` names 'y', and a sample has 'x'"),
        (odd({"x": np.zeros(1)}, kinds={"x": 3}), "the kind of 'x' must be a name, got 3"),
        (odd({"x": np.zeros(1)}, classes={"x": 3}), "the classes of 'x' must be their names, got 3"),
        (odd({"x": np.zeros(1)}, notes="one"), "`notes` must be a list of messages, got 'one'"),
        (odd({"x": np.zeros(1)}, license=5), "`license` must be an SPDX identifier, got 5"),
        (odd({"x": np.zeros(1)}, kinds=["x"]), r"`kinds` must be a dict by key, got \['x'\]"),
        (
            odd({"x": np.zeros((8, 8))}, kinds={"x": "image"}),
            r"must have the shape \(channels, height, width\), got \(8, 8",
        ),
        (odd({"x": -np.ones((1, 8, 8))}, kinds={"x": "image"}), r"'x' must lie in \[0, 1\], got -1 to -1"),
        (
            odd({"x": np.ones((1, 8, 8), int)}, kinds={"x": "image"}),
            r"'x' must be uint8, uint16 or floating .* got int64",
        ),
        (odd({"label": 2}, classes={"label": "ab"}), r"'label' has 2 classes, numbered from 0 to 1, got 2"),
        (odd({"label": 0.5}, classes={"label": "ab"}), r"'label' must be the number of a class, a whole number, got"),
        (odd({"label": [0, 1]}, classes={"label": "ab"}), r"'label' is one whole number, got the shape \(2,\)"),
        (odd({"label": 0}, classes={"label": "aa"}), r"the classes of 'label' have one name twice"),
        (odd({"label": 0}, classes={"label": ""}), r"the classes of 'label' have no names"),
        (odd({"x": np.zeros(1)}, facts={"x": 3}), r"the fact 'x' is known from the samples already"),
        (odd({"x": np.zeros(1)}, facts={"y": np.zeros(1)}), r"facts are plain values, which the config"),
        (odd(arrays=lambda self: {"x": np.zeros((2, 3))}), r"'x' of `arrays` must have 3 samples, as len\(\) says"),
        (odd(arrays=lambda self: {"x": [[1], [2, 3]]}), r"Odd: "),
    ],
)
def test_what_a_data_set_cannot_be_is_one_sentence(data, sentence):
    with pytest.raises(BadInput, match=sentence) as caught:
        open_data(data)
    assert "\n" not in str(caught.value)


def test_every_sample_is_held_against_the_first():
    found = open_data(odd(sample=changing), workers=0)
    found.first(3, 0)
    assert found.notes[-1].endswith("sample 2 of Odd ('x' has the shape (3,) in the first sample, got the shape (4,))")


@pytest.mark.parametrize("part", ["__len__", "arrays"])
def test_code_that_fails_is_named(part):
    def fail(*_):
        raise RuntimeError("out of luck")

    with pytest.raises(Failed, match="Odd failed: RuntimeError: out of luck"):
        open_data(odd({"x": np.zeros(1)}, **{part: fail}))


def test_a_sample_may_not_end_the_training():
    def leave(self, index, rng):
        raise SystemExit(3)

    with pytest.raises(BadInput, match=r"none of the first 3 samples .* \(SystemExit: 3\)"):
        open_data(odd(sample=leave))


def test_classes_take_the_numbers_of_a_run_begun_before():
    for data in (Pairs(), Held()):
        found = open_data(data, workers=0)
        before = found.first(12, 0)["label"]
        found.use_classes(["odd", "even"])
        assert torch.equal(found.first(12, 0)["label"], 1 - before) and found.specs["label"].classes == ("odd", "even")
        found.use_classes([])
        assert "label" not in found.first(12, 0) and found.facts == {"image": (3, 8, 8), "grey": (1, 8, 8)}


def test_any_key_may_have_classes():
    kinds = {"kinds": {"image": "image"}, "classes": {"tone": ["low", "high"], "label": ["a"]}}
    image = np.zeros((1, 2, 2), np.uint8)
    streamed = odd(sample=lambda self, index, rng: {"image": image, "tone": index % 2, "label": 0}, **kinds)
    held = odd(arrays=lambda _: {"image": image[None].repeat(3, 0), "tone": [0, 1, 0], "label": [0, 0, 0]}, **kinds)
    for found in (open_data(streamed, workers=0), open_data(held)):
        conditions = {"tone": 2, "label": 1}
        assert found.facts == {"image": (1, 2, 2), "tone": 2, "classes": 1, "conditions": conditions}
        before = found.first(3, 0)["tone"]
        found.use_classes(["high", "low"], "tone")
        assert torch.equal(found.first(3, 0)["tone"], 1 - before)
        with pytest.raises(BadInput, match="Odd has other classes than before: without 'none', with 'low'"):
            found.use_classes(["high", "none"], "tone")
