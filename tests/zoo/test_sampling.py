"""Samples are decided by seed and fixed values, in blocks that do not depend on how many are drawn."""

import itertools
import math
import re
from typing import ClassVar

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo.zoo import sampling
from ganzoo.zoo.model import Model
from model_folders import CLASSES, IMAGES, Conditional, Labelled, Noisy, Several, labelled_model


@pytest.fixture
def model():
    return labelled_model()


@pytest.mark.parametrize("n", [1, 5, 16, 63, 64, 65, 130])
def test_the_first_samples_of_a_seed_do_not_depend_on_how_many_are_drawn(model, n):
    many, few = model.sample_with_given(200, seed=3), model.sample_with_given(n, seed=3)
    assert torch.equal(few[1]["z"], many[1]["z"][:n])
    assert torch.equal(few[1]["label"], many[1]["label"][:n])
    torch.testing.assert_close(few[0], many[0][:n], rtol=0, atol=1e-5)


def test_samples_are_images_in_the_unit_range_on_the_cpu(model):
    images = model.sample(10)
    assert (images.shape, images.dtype, images.device.type) == ((10, 1, 4, 4), torch.float32, "cpu")
    assert images.min() >= 0
    assert images.max() <= 1
    assert images.std() > 0


def test_seeds_and_blocks_give_different_latents(model):
    given = [model.sample_with_given(128, seed)[1]["z"] for seed in (0, 1)]
    assert not torch.equal(given[0], given[1])
    assert not torch.equal(given[0][:64], given[0][64:])


@pytest.mark.parametrize("value", [2, [2] * 70, torch.full((70,), 2)])
def test_one_key_can_be_fixed_without_changing_the_others(model, value):
    free, fixed = model.sample_with_given(70)[1], model.sample_with_given(70, label=value)[1]
    assert torch.equal(free["z"], fixed["z"])
    assert fixed["label"].tolist() == [2] * 70


def test_each_sample_can_have_its_own_fixed_value(model):
    wanted = torch.arange(70) % 4
    assert torch.equal(model.sample_with_given(70, label=wanted)[1]["label"], wanted)


class Ranged(Labelled):
    """Lets users fix z from -2 to 2, and labels from 1."""

    ranges: ClassVar = {"z": (-2, 2), "label": (1, math.inf)}


@pytest.mark.parametrize(
    ("fixed", "sentence"),
    [
        ({"z": 2.5}, "'z' must lie in -2..2, got 2.5"),
        ({"z": torch.tensor([[0.0], [-3.0]])}, "'z' must lie in -2..2, got -3"),
        ({"label": [1, 0]}, "'label' must be 1 or more, got 0"),
    ],
)
def test_a_value_outside_the_range_that_the_generator_states_is_refused(fixed, sentence):
    model = Model(Ranged(), CLASSES, "cpu")
    assert model.sample(2, z=-2, label=1).shape == (2, 1, 4, 4)
    for ask in (model.sample, model.expand_fixed):
        with pytest.raises(ganzoo.BadInput, match=f"^{re.escape(sentence)}$"):
            ask(2, **fixed) if ask == model.sample else ask(2, fixed)


def test_a_network_called_ranges_is_the_authors_own():
    class Own(Labelled):
        def __init__(self):
            super().__init__()
            self.ranges = torch.nn.Linear(1, 1)

    assert Model(Own(), IMAGES, "cpu").sample(2, z=3).shape == (2, 1, 4, 4)


def test_what_cannot_be_fixed_is_refused(model):
    with pytest.raises(ganzoo.BadInput, match=r"no 'lable' to fix; did you mean 'label'\?"):
        model.sample(4, lable=1)
    with pytest.raises(ganzoo.BadInput, match="n must be a whole number, 1 or more, got 0"):
        model.sample(0)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("label", [1, 2, 3], r"'label' is fixed to values of shape \(3,\), which do not fit 4 x \(\)"),
        ("z", [1.0, 2.0], r"'z' is fixed to values of shape \(2,\), which do not fit 4 x \(100,\)"),
        ("label", "cat", "'label' must be a number, or one for each sample, got 'cat'"),
        ("label", None, "'label' must be a number, or one for each sample, got None"),
        ("label", {"a": 1}, "'label' must be a number"),
        ("label", 2**80, "'label' must be a number"),
        ("label", 1.5, "'label' takes whole numbers, got torch.float32"),
        ("label", 99, "cannot take the given 'label': "),
        ("label", [0, 1, 2, -1], "cannot take the given 'label': "),
    ],
)
def test_a_value_that_cannot_be_fixed_is_refused_in_one_sentence(model, key, value, sentence):
    with pytest.raises(ganzoo.BadInput, match=sentence) as refusal:
        model.sample(4, **{key: value})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("label", [99, [0, 1, 2, -1], torch.tensor(4)])
def test_a_label_that_is_no_class_of_the_model_is_refused(label):
    with pytest.raises(ganzoo.BadInput, match=r"'label' must lie in 0\.\.3, one for each of the model's 4 classes"):
        Model(Labelled(), CLASSES, "cpu").sample(4, label=label)


def test_what_a_generator_needs_and_does_not_draw_must_be_fixed():
    model = Model(Conditional(), IMAGES, "cpu")
    with pytest.raises(ganzoo.BadInput, match=r"needs 'label'; fix it, such as sample\(16, label=\.\.\.\)"):
        model.sample(3)
    assert model.sample(3, label=1).shape == (3, 1, 4, 4)
    with pytest.raises(ganzoo.BadInput, match="cannot take the given 'label': "):
        model.sample(3, label=[[1, 2], [1, 2], [1, 2]])


def test_noise_drawn_inside_the_generator_depends_on_seed_and_block_alone():
    model = Model(Noisy(), IMAGES, "cpu")
    before, z = torch.get_rng_state(), torch.zeros(100)
    first = model.sample(128, z=z)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert torch.equal(model.sample(128, z=z), first)
    assert not torch.equal(model.sample(128, seed=1, z=z), first)
    assert not torch.equal(first[:64], first[64:])


def test_of_several_outputs_only_images_are_brought_to_the_unit_range(tmp_path):
    model = Model(Several(), IMAGES, "cpu")
    samples, given = model.sample_with_given(70)
    image = torch.tanh(given["z"][:, :16]).unflatten(1, (1, 4, 4))
    torch.testing.assert_close(samples["image"], (image + 1) / 2)
    torch.testing.assert_close(samples["mask"], 7 * image)
    assert model.outputs.select(samples) is samples["image"]


def test_the_generator_can_be_differentiated_through(model):
    z = torch.randn(2, 100, requires_grad=True)
    model.generator({"z": z, "label": torch.zeros(2, dtype=torch.long)}).sum().backward()
    assert z.grad.abs().sum() > 0


def test_large_samples_are_made_in_smaller_pieces(model):
    made = {"image": torch.zeros(64, 3, 512, 512, device="meta"), "mask": torch.zeros(64, 1, 512, 512, device="meta")}
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert [sampling.blocks_per_call(made, 64, device) for device in (cpu, gpu)] == [1, 1]
    assert [sampling.blocks_per_call(torch.zeros(64, 1, 64, 64), 64, device) for device in (cpu, gpu)] == [2, 4]
    assert [sampling.blocks_per_call(torch.zeros(64, 1, 28, 28), 64, device) for device in (cpu, gpu)] == [2, 16]


def test_samples_are_turned_into_bytes_block_by_block(model):
    blocks = model.blocks(10**9)
    assert [len(samples) for samples, _ in itertools.islice(blocks, 3)] == [64, 128, 128]
    assert model.outputs.kind.to_array(next(blocks)[0]).dtype == np.uint8


def test_names_in_either_form_of_unicode_are_one_name():
    for name in ("caf\u00e9", "cafe\u0301"):
        assert [sampling.class_number("label", typed, ["bar", name]) for typed in ("caf\u00e9", "cafe\u0301")] == [1, 1]
