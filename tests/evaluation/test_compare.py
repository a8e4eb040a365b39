"""A page that compares models: their samples, and their scores beside those of real ones."""

import json

import pytest
from PIL import Image

from ganzoo.evaluation.compare import Column, format_real, write_page
from measured import MODEL, QUICK, trained


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
