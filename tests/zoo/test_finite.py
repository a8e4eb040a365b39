"""Samples that are not finite numbers, and counts and seeds that are none: refused, in Python and at the command."""

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo.comparison.compare import compare
from ganzoo.zoo.publishing.bundle import bundle
from ganzoo.zoo.weights import find_unsound
from model_folders import labelled_model, reweighted
from trainings import trained

RECIPE = {"architecture": "vanilla", "loss": ["minimax"]}
NO_NUMBER = r"(n|seed) must be a whole number, (1|0) or more, got "


@pytest.fixture
def huge(run, tmp_path):
    """A model folder whose weights are finite, but whose samples are not."""
    largest = 3e38

    def enlarge(weights):
        return {n: w / w.abs().max() * largest if w.is_floating_point() and w.any() else w for n, w in weights.items()}

    return reweighted(run, tmp_path / "huge", enlarge)


def test_samples_that_are_not_finite_are_refused_everywhere(huge, typed, tmp_path):
    sentence = "the samples have values that are not finite numbers"
    with pytest.raises(ganzoo.Diverged, match=sentence):
        ganzoo.load(huge, "cpu").sample(2)
    with pytest.raises(ganzoo.Diverged, match=sentence):
        bundle(huge, tmp_path / "made", "mit")
    for name in ("a.png", "a.npz", "folder"):
        code, _, told = typed("sample", huge, "--out", tmp_path / name)
        assert (code, sentence in told) == (3, True), told
        assert not (tmp_path / name).exists()


def test_no_training_begins_with_such_a_model(huge, tmp_path):
    with pytest.raises(
        ganzoo.BadInput, match=r"training cannot begin with '.*huge': it makes samples that are not finite"
    ):
        trained({**RECIPE, "train": {"batch": 8, "init": str(huge)}}, out=tmp_path / "run")


class Masked(ganzoo.Generator):
    """A buffer of infinities, as a mask of attention has."""

    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(100, 16)
        self.register_buffer("mask", torch.zeros(2).log())

    def forward(self, given):
        return self.net(given["z"]).tanh().unflatten(1, (1, 4, 4))


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("mask", -torch.inf, ""),
        ("mask", torch.nan, "mask"),
        ("net.bias", torch.inf, "net.bias"),
        ("net.bias", torch.nan, "net.bias"),
    ],
)
def test_infinities_are_numbers_of_buffers_only(name, value, found):
    generator = Masked()
    generator.state_dict()[name].fill_(value)
    assert find_unsound(generator) == found


@pytest.mark.parametrize(("n", "seed"), [(0, 0), (-1, 0), (2.5, 0), (2.0, 0), ("4", 0), (True, 0), (4, -1), (4, 0.5)])
def test_counts_and_seeds_are_whole_numbers(n, seed):
    with pytest.raises(ganzoo.BadInput, match=NO_NUMBER):
        labelled_model().sample(n, seed)


@pytest.mark.parametrize(("n", "seed"), [(0, 0), (200.5, 0), (200, -1)])
def test_measuring_takes_the_same_counts_and_seeds(n, seed):
    with pytest.raises(ganzoo.BadInput, match=NO_NUMBER):
        ganzoo.evaluate("dcgan-mnist", n=n, seed=seed)
    with pytest.raises(ganzoo.BadInput, match=NO_NUMBER):
        compare([], n, seed)


def test_numpy_s_whole_numbers_are_the_same_as_python_s():
    model = labelled_model()
    assert torch.equal(model.sample(np.int64(3), np.int32(7)), model.sample(3, 7))


@pytest.mark.parametrize("flag", [["-n", "2.5"], ["-n", "0"], ["--seed", "-1"], ["--seed", "x"]])
def test_the_command_says_the_same_of_them(typed, run, flag):
    code, _, told = typed("sample", run.path, *flag)
    assert (code, f"{flag[0].strip('-')} must be a whole number, " in told) == (2, True), told


@pytest.mark.parametrize("key", ["n", "seed", "self", "fixed", "key"])
def test_names_of_parameters_are_latents_that_this_generator_does_not_have(typed, run, key):
    code, _, told = typed("sample", run.path, "--set", f"{key}=1")
    assert (code, f"this generator has no '{key}' to fix" in told) == (2, True), told


def test_a_latent_may_have_the_name_of_an_object_s_own_parameter():
    with pytest.raises(ganzoo.BadInput, match="this generator has no 'self' to fix"):
        labelled_model().sample(4, **{"self": 1})
