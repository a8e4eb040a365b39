"""Measuring models as people do it: tables, files, cards and registries, and one clear sentence for bad input."""

import json
import math
import shutil
import tomllib

import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.evaluation.compare import Column, format_real, write_page
from ganzoo.evaluation.evaluate import evaluate
from ganzoo.zoo.scores import Scores, score

MODEL = "dcgan-mnist"
QUICK = ["-n", "200", "--device", "cpu"]


@pytest.fixture
def run(typed, tmp_path, monkeypatch):
    """A command as it is typed, with a registry of the test's own instead of the user's."""
    monkeypatch.setenv("GANZOO_REGISTRY", str(tmp_path / "no-registry.toml"))
    return typed


@pytest.fixture
def folder(tmp_path, run):
    """A local copy of a model that ships with the package, without scores."""
    from ganzoo.zoo.registry import Registry

    target = tmp_path / "own"
    shutil.copytree(Registry().find(MODEL).folder, target, ignore=shutil.ignore_patterns("scores.json"))
    return target


def changed(folder, **data):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["data"] |= data
    path.write_text(json.dumps(config))
    return folder


def trained(run, recipe, out, *words):
    code, _, said = run(
        "train",
        recipe,
        *words,
        "-o",
        "train.steps=2",
        "-o",
        "train.batch=8",
        "--precision",
        "fp32",
        "--device",
        "cpu",
        "--out",
        out,
    )
    assert code == 0, said
    return out


def test_every_metric_is_shown_beside_that_of_real_images_with_the_protocol(run):
    code, out, _ = run("evaluate", MODEL, *QUICK)
    assert code == 0
    for words in (
        "generated",
        "real",
        "ratio",
        "FD (mnist-cnn-v1)",
        "KID",
        "precision",
        "recall",
        "density",
        "coverage",
    ):
        assert words in out
    assert "classifier score" in out and "label KL" in out and "MS-SSIM" in out
    for words in (
        "samples 200, seed 0",
        "mnist-cnn-v1 (sha256 59c1057decb1",
        "test accuracy 0.9957",
        "k density coverage 5",
    ):
        assert words in out
    assert "label accuracy" not in out


def test_json_has_three_numbers_for_each_metric_and_the_same_ones_again(run):
    words = ["evaluate", MODEL, *QUICK, "--metrics", "fd,coverage,classifier-score", "--json"]
    first, second = (json.loads(run(*words)[1]) for _ in range(2))
    assert first == second
    assert list(first) == ["fd", "coverage", "classifier-score", "protocol"]
    for name in ("fd", "coverage", "classifier-score"):
        numbers = first[name]
        assert numbers.keys() == {"generated", "real", "ratio"}
        assert numbers["ratio"] == pytest.approx(numbers["generated"] / numbers["real"])
    assert first["protocol"]["weights"] == ganzoo.load(MODEL).config["weights"]["sha256"]
    assert json.loads(run(*words, "--seed", "1")[1])["fd"] != first["fd"]


def test_scores_go_from_the_run_into_the_card_and_the_registry(run, folder, tmp_path):
    code, _, said = run("evaluate", folder, *QUICK, "--metrics", "fd,coverage")
    assert code == 0
    assert "written to" in said
    assert run("evaluate", folder, *QUICK, "--metrics", "precision")[0] == 0
    scores = json.loads((folder / "scores.json").read_text())
    assert scores.keys() == {"fd", "coverage", "precision", "protocol"}
    code, entry, _ = run("bundle", folder, tmp_path / "package" / "pretrained" / "mine", "--license", "mit")
    assert code == 0
    registered = tomllib.loads(entry)["mine"]
    assert registered["scores"]["fd"]["ratio"] == pytest.approx(scores["fd"]["ratio"], rel=1e-5)
    assert "scores.json" in registered["files"]
    card = (tmp_path / "package" / "pretrained" / "mine" / "README.md").read_text()
    assert (
        f"| fd | {scores['fd']['generated']:.4g} | {scores['fd']['real']:.4g} | {scores['fd']['ratio']:.4g} |" in card
    )
    assert "real 200 test images of MNIST" in card
    (tmp_path / "no-registry.toml").write_text(entry)
    (tmp_path / "pretrained").symlink_to(tmp_path / "package" / "pretrained")
    assert f"fd ratio {scores['fd']['ratio']:.3g}, coverage" in run("list", "models")[1]
    assert f"fd: generated {registered['scores']['fd']['generated']:.4g}, real" in run("info", "mine")[1]


def test_scores_by_another_protocol_take_the_place_of_earlier_ones(run, folder):
    run("evaluate", folder, *QUICK, "--metrics", "fd")
    run("evaluate", folder, *QUICK, "--metrics", "coverage", "--seed", "3")
    scores = json.loads((folder / "scores.json").read_text())
    assert "fd" not in scores
    assert scores["protocol"]["seed"] == 3


def test_scores_that_do_not_say_of_which_weights_they_are_give_way(run, folder):
    path = folder / "scores.json"
    path.write_text(json.dumps({"fd": {"generated": 0.1, "real": 2.0, "ratio": 0.05}, "protocol": {"samples": 200}}))
    assert run("evaluate", folder, *QUICK, "--metrics", "coverage")[0] == 0
    assert json.loads(path.read_text()).keys() == {"coverage", "protocol"}


def test_scores_of_other_weights_are_not_published(run, folder, tmp_path):
    run("evaluate", folder, *QUICK, "--metrics", "fd")
    path = folder / "scores.json"
    scores = json.loads(path.read_text())
    scores["protocol"]["weights"] = "0" * 64
    path.write_text(json.dumps(scores))
    code, _, said = run("bundle", folder, tmp_path / "pretrained" / "mine")
    assert code == 2
    assert "was measured with other weights; run ganzoo evaluate" in said


def test_a_registered_models_scores_are_only_written_where_out_says(run, tmp_path):
    assert run("evaluate", MODEL, *QUICK, "--metrics", "coverage")[0] == 0
    assert list(tmp_path.iterdir()) == []
    assert run("evaluate", MODEL, *QUICK, "--metrics", "coverage", "--out", "here.json")[0] == 0
    assert json.loads((tmp_path / "here.json").read_text())["coverage"]["generated"] > 0


def test_a_conditional_model_is_also_measured_by_its_labels(run, tmp_path):
    made = trained(run, "conditional", tmp_path / "run")
    code, out, said = run("evaluate", made, *QUICK, "--metrics", "label-accuracy,cas", "--json")
    assert code == 0, said
    scores = json.loads(out)
    assert scores["label-accuracy"]["generated"] < 0.5 < scores["label-accuracy"]["real"]
    assert scores["cas"]["generated"] < 0.5 < scores["cas"]["real"]
    assert (made / "model" / "scores.json").is_file()


def test_measuring_draws_nothing_from_torchs_random_numbers():
    model, before = ganzoo.load(MODEL, "cpu"), torch.get_rng_state()
    evaluate(model, n=150)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("found", [math.nan, math.inf, "the matrix is singular"])
def test_what_cannot_be_computed_is_shown_as_such(found, tmp_path):
    scores = Scores({"fd": score(found, 2.0)}, {}, {"fd": "FD"})
    (row,) = scores.rows()
    assert (row["generated"], row["real"], row["ratio"]) == ("-", "2", "-")
    assert row["note"]
    scores.save(tmp_path / "scores.json")
    assert json.loads((tmp_path / "scores.json").read_text())["fd"]["generated"] is None


BAD = {
    "unknown model": (["dcgan-mnits"], "there is no registered model, run or folder 'dcgan-mnits'; did you mean"),
    "unknown metric": ([MODEL, "--metrics", "coverag"], "there is no metric 'coverag' here; did you mean 'coverage'?"),
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
    "unknown data": ([MODEL, "--data", "mnits"], "no metric is made for 'mnits'; did you mean 'mnist'?"),
    "no extractor": ([MODEL, "--data", "cifar10"], "no metric is made for 'cifar10'; allowed: grid25, mnist"),
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
        ({"name": "photos"}, "no metric is made for 'photos'; allowed: grid25"),
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
    with pytest.raises(ganzoo.BadInput, match="no metric is made for 'unknown'"):
        evaluate(model, n=150)


def test_samples_of_another_shape_than_the_config_says_are_refused(folder):
    model = ganzoo.load(folder, "cpu")
    model.generator.forward = lambda given: {"image": torch.zeros(len(given["z"]), 1, 14, 14)}
    with pytest.raises(ganzoo.BadInput, match=r"images of shape \(1, 28, 28\) were to be measured"):
        evaluate(model, n=200)


def test_samples_that_are_no_numbers_are_refused(folder):
    model = ganzoo.load(folder, "cpu")
    model.generator.forward = lambda given: torch.full((len(given["z"]), 1, 28, 28), math.nan)
    with pytest.raises(ganzoo.BadInput, match="some samples of this model are not finite numbers"):
        evaluate(model, n=200)


def test_a_page_compares_samples_and_scores(run, folder, tmp_path):
    code, out, said = run("compare", MODEL, folder, "--out", "page.png", *QUICK)
    assert code == 0, said
    assert out.strip() == "page.png"
    assert "measuring" in said
    with Image.open(tmp_path / "page.png") as page:
        assert page.width > page.height > 400


def test_a_page_shows_points_too(run, tmp_path):
    made = trained(run, "ring8", tmp_path / "run")
    code, _, said = run("compare", made, "--out", "page.png", "-n", "500")
    assert code == 0, said
    with Image.open(tmp_path / "page.png") as page:
        assert page.height > 400


def test_a_page_takes_scores_that_are_there_already(run, folder, tmp_path):
    run("evaluate", folder, *QUICK, "--metrics", "fd,coverage")
    code, _, said = run("compare", folder, folder, "--out", "page.png", *QUICK)
    assert (code, said) == (0, "")


def test_a_page_measures_again_what_something_else_has_looked_at(run, folder):
    run("evaluate", folder, *QUICK, "--metrics", "fd")
    path = folder / "scores.json"
    scores = json.loads(path.read_text())
    scores["protocol"]["mnist-cnn-v1"]["sha256"] = "0" * 64
    path.write_text(json.dumps(scores))
    code, _, said = run("compare", folder, "--out", "page.png", *QUICK)
    assert (code, said.strip()) == (0, f"measuring {folder}")


def test_a_page_shows_names_as_they_are_and_models_without_scores(tmp_path):
    column = Column("one", r"dcgan on $\nothing$", Image.new("L", (8, 8)), {})
    write_page(tmp_path / "page.png", [column], "no conditions")
    with Image.open(tmp_path / "page.png") as page:
        assert page.height > 200


def test_real_samples_of_several_data_sets_have_a_number_each():
    picture = Image.new("RGB", (8, 8))
    columns = [Column("one", "", picture, {"modes": {"generated": 7.0, "real": real}}) for real in (8.0, 25.0, 8.0)]
    assert format_real("modes", [*columns, Column("other", "", picture, {})]) == "8 / 25"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([MODEL, "--out", "page.jpg"], "'page.jpg' is not a .png file"),
        ([MODEL, "--out", "no/page.png"], "cannot write no/page.png: there is no folder no"),
        (["nothing", "--out", "page.png"], "there is no registered model, run or folder 'nothing'"),
        ([MODEL], "Missing option '--out'"),
    ],
)
def test_a_page_that_cannot_be_made_gets_one_sentence(run, words, sentence):
    code, out, said = run("compare", *words)
    assert (code, out) == (2, "")
    assert sentence in said
