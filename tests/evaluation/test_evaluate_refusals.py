"""What cannot be measured is refused in one sentence."""

import math

import pytest
import torch

import ganzoo
from ganzoo.evaluation.evaluate import evaluate
from measured import MODEL, QUICK

BAD = {
    "unknown model": (["dcgan-mnits"], "there is no registered model, run or folder 'dcgan-mnits'; did you mean"),
    "unknown metric": ([MODEL, "--metrics", "coverag"], "there is no metric 'coverag' here; did you mean 'coverage'"),
    "no list": ([MODEL, "--metrics", "fd,"], "'--metrics fd,' is not a list of names"),
    "too few": ([MODEL, "-n", "100"], "'fd' needs at least 129 samples, got -n 100"),
    "too many": (
        [MODEL, "-n", "20000"],
        "MNIST has 10,000 test images to compare with, so 20,000 samples are too many",
    ),
    "unlabelled": (
        [MODEL, "--metrics", "cas"],
        "'cas' needs samples with labels of mnist, and this model has none",
    ),
    "a folder": ([MODEL, "--out", "."], "cannot write .: it is a folder"),
    "no folder": ([MODEL, "--out", "no/scores.json"], "cannot write no/scores.json: there is no folder no"),
    "unknown data": ([MODEL, "--data", "mnits"], "there is no data set or folder 'mnits'; did you mean 'mnist'?"),
    "too many of others": (
        [MODEL, "--data", "mnist-10k", "--metrics", "lite0-fd", "-n", "6000"],
        "mnist-10k has 10,000 images, half of them to compare with: measure at most 5,000, not 6,000",
    ),
    "too few of others": ([MODEL, "--metrics", "lite0-fd", "-n", "49"], "'lite0-fd' needs at least 50 samples"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_sentence(run, case):
    words, sentence = BAD[case]
    code, out, said = run("evaluate", *words, "--device", "cpu")
    assert (code, out) == (2, "")
    assert said.startswith("error: ") and said.count("\n") == 1
    assert sentence in said


def test_a_file_that_holds_no_scores_is_refused_before_anything_is_measured(run, folder):
    code, out, said = run("evaluate", folder, *QUICK, "--out", folder / "config.json")
    assert (code, out) == (2, "")
    assert "config.json is not a file of scores: 'ganzoo' is '" in said
    assert not (folder / "scores.json").exists()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            {"shape": [1, 32, 32]},
            "measures images of 1 x 28 x 28 (channels, height, width), this model makes 1 x 32 x 32",
        ),
        ({"shape": [3, 28, 28]}, "this model makes 3 x 28 x 28"),
        ({"range": [0, 1]}, "measures images in [-1, 1], this model makes [0, 1]"),
        ({"name": "photos"}, "does not say where the images of 'photos' are; give them with --data"),
    ],
)
def test_samples_that_do_not_fit_are_refused(folder, data, sentence):
    model = ganzoo.load(folder, "cpu")
    model.config["data"] = {**model.config["data"], **data}
    with pytest.raises(ganzoo.BadInput) as refused:
        evaluate(model, n=200)
    assert sentence in str(refused.value)


def test_a_model_that_does_not_name_its_data_is_measured_against_named_ones(folder):
    model = ganzoo.load(folder, "cpu")
    del model.config["data"]["name"]
    assert evaluate(model, "mnist", n=150, metrics=["coverage"])["coverage"]["generated"] > 0
    with pytest.raises(ganzoo.BadInput, match="does not say where the images of 'unknown' are"):
        evaluate(model, n=150)


def test_samples_of_another_shape_than_the_config_says_are_refused(folder):
    model = ganzoo.load(folder, "cpu")
    model.generator.forward = lambda given: {"image": torch.zeros(len(given["z"]), 1, 14, 14)}
    with pytest.raises(ganzoo.BadInput, match=r"images of shape \(1, 28, 28\) were to be measured"):
        evaluate(model, n=200)


def test_samples_that_are_no_numbers_are_refused(folder):
    model = ganzoo.load(folder, "cpu")
    model.generator.forward = lambda given: torch.full((len(given["z"]), 1, 28, 28), math.nan)
    with pytest.raises(ganzoo.Diverged, match="the samples have values that are not finite numbers"):
        evaluate(model, n=200)
