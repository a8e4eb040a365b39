"""Measuring models as people do it: tables, files of scores, cards and the registry."""

import json
import math
import tomllib

import pytest
import torch

import ganzoo
from ganzoo.evaluation.evaluate import evaluate
from ganzoo.zoo.scores import Scores, score
from measured import MODEL, QUICK, trained


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
