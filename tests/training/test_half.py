"""A model with weights of 16 bits: half as large, drawn as before; the training keeps its own."""

import pytest
import torch
from safetensors.torch import load_file

import ganzoo
from ganzoo.zoo.weights import halve

SMALL = {"architecture": {"name": "vanilla", "widths": [32]}, "device": "cpu", "data": "mnist-10k", "quiet": True}


def train(out, steps, resume=False, **settings):
    settings |= {"steps": steps, "batch": 8, "save_every": 4, "ema": 0.9, "precision": "fp32"}
    return ganzoo.train("vanilla", out=out, resume=resume, train=settings, **SMALL)


def weights(run):
    return load_file(run.model_folder / "model.safetensors")


def test_the_model_has_the_weights_of_the_training_rounded_and_draws_nearly_the_same(tmp_path):
    whole, half = train(tmp_path / "whole", 4), train(tmp_path / "half", 4, half=True)
    for name, weight in weights(whole).items():
        expected = weight.half() if weight.is_floating_point() else weight
        assert weights(half)[name].dtype == expected.dtype and torch.equal(weights(half)[name], expected)
    sizes = [(run.model_folder / "model.safetensors").stat().st_size for run in (whole, half)]
    assert sizes[1] < 0.6 * sizes[0]
    torch.testing.assert_close(half.sample(5), whole.sample(5), atol=5e-3, rtol=0)


def test_the_discriminator_that_is_kept_is_rounded_too_and_another_training_begins_with_it(tmp_path):
    keep = {"keep_discriminator": True}
    whole, half = train(tmp_path / "whole", 4, **keep), train(tmp_path / "half", 4, half=True, **keep)
    files = [load_file(run.model_folder / "discriminator.safetensors") for run in (whole, half)]
    for name, weight in files[0].items():
        assert files[1][name].dtype == torch.float16 and torch.equal(files[1][name], weight.half())
    begun = train(tmp_path / "begun", 1, init=str(half.path), **keep)
    for name, weight in load_file(begun.model_folder / "discriminator.safetensors").items():
        assert weight.dtype == torch.float32
        torch.testing.assert_close(weight, files[0][name], atol=1e-3, rtol=0)  # one small step away


def test_a_training_that_goes_on_has_lost_nothing(tmp_path):
    train(tmp_path / "parts", 4, half=True)
    parts, once = train(tmp_path / "parts", 8, resume=True, half=True), train(tmp_path / "once", 8, half=True)
    assert all(torch.equal(weights(parts)[name], weight) for name, weight in weights(once).items())


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1.0, -65504.0], torch.float16),
        ([1.0, 1e6], torch.float32),
        ([float("-inf"), 0.0], torch.float16),
    ],
    ids=["fits", "too large", "a mask"],
)
def test_numbers_that_16_bits_cannot_hold_keep_32(values, dtype):
    halved = halve(torch.tensor(values))
    assert halved.dtype == dtype and halved.tolist() == values


def test_other_types_stay():
    for tensor in (torch.tensor([3]), torch.tensor([0.1], dtype=torch.float64)):
        assert torch.equal(halve(tensor), tensor) and halve(tensor).dtype == tensor.dtype
