"""A few bytes that ask for time or memory without end: refused at once, in one sentence."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch

import ganzoo
from ganzoo import _groups, _memory
from ganzoo.zoo import weights
from ganzoo.zoo.export import write_samples
from ganzoo.zoo.model import load
from ganzoo.zoo.scores import read_scores
from model_folders import labelled_model

PRETRAINED = Path(ganzoo.__file__).parent / "pretrained"


def changed(tmp_path, name, change):
    folder = shutil.copytree(PRETRAINED / name, tmp_path / "changed")
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_a_constructor_that_needs_memory_gets_little_more_than_the_file_is_worth():
    with weights.limit_parameters(100, 1010), pytest.raises(ValueError, match="it has far more layers than the file"):
        torch.nn.Linear(100, 11)
    with weights.limit_parameters(100, 1010):
        torch.nn.Linear(100, 10), torch.nn.LazyLinear(10)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("infogan-mnist", {"continuous": 2_000_000_000}, "'continuous' asks for 2,000,000,000, the file has 1,"),
        ("infogan-mnist", {"continuous": 10**30}, "'continuous' asks for 1,000,000,000,000,000,000,000,000,000,000, "),
        ("infogan-mnist", {"continuous": 900_000}, "do not fit the architecture: "),
        ("vanilla-mnist", {"widths": [1] * 100_000}, "it has far more layers than the file"),
        ("vanilla-mnist", {"widths": [2**62]}, "'widths' asks for "),
        ("vanilla-mnist", {"latent_size": 10**9}, "'latent_size' asks for 1,000,000,000"),
    ],
)
def test_a_config_that_asks_for_too_much_is_refused_at_once(tmp_path, name, options, sentence):
    folder = changed(tmp_path, name, lambda config: config["architecture"]["options"].update(options))
    with pytest.raises(ganzoo.Unavailable) as refusal:
        load(folder, "cpu")
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_names_of_thousands_of_digits_are_names_like_others(tmp_path):
    folder = changed(tmp_path, "dcgan-mnist", lambda config: config["data"].update(classes=["9" * 5000, "1"]))
    with pytest.raises(ganzoo.BadInput, match="'label' has no class 'x'; allowed: 1, 999"):
        load(folder, "cpu").sample(1, label="x")


@pytest.mark.parametrize("names", [[f"metric-{number}" for number in range(101)], ["x" * 101]])
def test_scores_without_end_are_refused(tmp_path, names):
    (tmp_path / "scores.json").write_text(json.dumps(dict.fromkeys(names, 1.0)))
    with pytest.raises(ganzoo.BadInput, match="up to 100 metrics with names of up to 100 characters are read"):
        read_scores(tmp_path / "scores.json")


def test_large_images_are_refused_before_there_is_memory_for_them(tmp_path):
    folder = changed(tmp_path, "vanilla-mnist", lambda config: config["data"].update(shape=[1, 10**9, 10**9]))
    with pytest.raises(ganzoo.Error, match="do not fit the architecture"):
        load(folder, "cpu")


def test_frames_of_another_language_are_no_sentence():
    error = RuntimeError("it fails\nException raised from f at a.cpp:3 (most recent call first):\nframe #0: g")
    assert ganzoo._faults.reason(error) == "it fails"
    assert ganzoo._faults.reason(MemoryError()) == "not enough memory"


@pytest.mark.parametrize("out", ["a.png", "a.npz"])
def test_more_samples_than_memory_are_refused_after_the_first_ones(tmp_path, monkeypatch, out):
    model = labelled_model()
    monkeypatch.setattr(_memory, "free_memory", lambda: 2 * 1000 * 16 - 1)
    with pytest.raises(ganzoo.BadInput, match=r"1,000 samples need \d\d kB of memory, and 32 kB are free"):
        write_samples(model, "m", 1000, 0, tmp_path / out, False)
    assert not (tmp_path / out).exists()
    assert write_samples(model, "m", 500, 0, tmp_path / out, False).exists()


def test_more_tensors_than_memory_are_refused(monkeypatch):
    model = labelled_model()
    with pytest.raises(ganzoo.BadInput, match=r"1,000,000,000,000 samples need \d+ TB of memory, and .* are free"):
        model.sample(10**12)
    with pytest.raises(ganzoo.BadInput, match="n must be a whole number, at most 1e"):
        model.sample(10**30)
    assert model.sample(2).dtype == torch.float32


def test_free_memory_is_that_of_the_system_and_of_each_group_around_this_process(monkeypatch, tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 90 kB\nMemAvailable:   50 kB\n")
    (tmp_path / "own").write_text("1:cpu:/x\n0::/outer/inner\n")
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    monkeypatch.setattr(_memory, "SYSTEM", tmp_path / "meminfo")
    monkeypatch.setattr(_groups, "GROUPS", tmp_path)
    monkeypatch.setattr(_groups, "OWN_GROUPS", tmp_path / "own")
    assert _memory.free_memory() == 50 * 1024
    (tmp_path / "outer" / "memory.max").write_text("9000\n")
    (tmp_path / "outer" / "memory.current").write_text("2000\n")
    (tmp_path / "outer" / "inner" / "memory.max").write_text("max\n")
    assert _memory.free_memory() == 7000
    monkeypatch.setattr(_memory, "SYSTEM", tmp_path / "none")
    monkeypatch.setattr(_groups, "OWN_GROUPS", tmp_path / "none")
    assert _memory.free_memory() == sys.maxsize
