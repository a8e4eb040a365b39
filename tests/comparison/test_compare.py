"""Models and runs beside each other: their titles, samples, curves and scores on a page, in tables and in Python."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.comparison.compare import Column, Comparison, compare, expand
from ganzoo.comparison.page import count_outside, find_spans, to_png
from measured import MODEL, QUICK, trained


@pytest.fixture(scope="module")
def game(tmp_path_factory):
    """A short run on points."""
    recipe = ganzoo.Recipe.load("ring8", train={"steps": 200, "batch": 16, "sample_every": 100})
    return ganzoo.train(recipe, out=tmp_path_factory.mktemp("runs") / "game", device="cpu", quiet=True)


def test_a_page_compares_samples_and_scores(run, folder, tmp_path):
    code, out, said = run("compare", MODEL, folder, "--out", "page.png", *QUICK)
    assert code == 0, said
    assert out.strip() == "page.png"
    assert "measuring" in said
    with Image.open(tmp_path / "page.png") as page:
        assert page.width > page.height > 400


def test_points_share_axes_and_curves_are_drawn(game, run, tmp_path):
    other = trained(run, "ring8", tmp_path / "other")
    found = compare([game, other], n=500, device="cpu")
    assert [column.title for column in found.columns] == ["200 steps, batch 16", "2 steps, batch 8"]
    assert found.logged[0] == "diversity"
    key, curves = found.curves()
    assert (key, [title for title, _ in curves]) == ("diversity", ["A: 200 steps, batch 16"])
    real = np.array([[-2.0, 0.0], [2.0, 0.0]])
    spans = find_spans(found.columns, [np.ones((3, 2)), np.full((1, 2), 99.0)], {"ring8": real})
    assert spans["ring8"] == pytest.approx((-2.6, 2.6, -2.6, 2.6))
    assert count_outside(np.array([[0.0, 0.0], [99.0, 0.0], [np.nan, 0.0]]), spans["ring8"]) == 2
    assert to_png(found.to_pil()).startswith(b"\x89PNG")
    assert found.save(tmp_path / "film.gif").read_bytes().startswith(b"GIF")


def test_tables_hold_what_differs_and_which_is_better(game, run, tmp_path):
    files = [word for name in ("t.csv", "t.md", "t.json") for word in ("--out", name)]
    code, out, said = run("compare", game.path, game.path, *files, "-n", "500", "--device", "cpu")
    assert (code, out.split()) == (0, ["t.csv", "t.md", "t.json"]), said
    with (tmp_path / "t.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == [str(game.path), str(game.path), "real"]
    assert rows[2]["modes"] == "8.0"
    written = json.loads((tmp_path / "t.json").read_text())
    assert written["better"] == {"modes": "higher", "high-quality": "higher", "reverse-kl": "lower"}
    code, out, _ = run("compare", game.path, "-n", "500", "--device", "cpu", "--json")
    assert json.loads(out)[0]["model"] == str(game.path)


def test_without_a_file_the_table_is_printed(game, run):
    code, out, said = run("compare", game.path, MODEL, "-n", "200", "--device", "cpu")
    assert code == 0, said
    assert out.splitlines()[0] == f"A  {game.path}: ring8, 200 steps"
    assert "real ring8" in out
    assert "lower is better: " in out


def test_a_sweep_stands_for_its_runs(game, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = ganzoo.sweep("ring8", {"train.seed": [0, 1]}, train={"steps": 2, "batch": 8}, device="cpu", quiet=True)
    assert expand([done.path, game.path]) == [str(run.path) for run in done.runs] + [game.path]
    folders = [path for path in sorted(done.path.glob("*")) if path.is_dir()]
    assert expand(sorted(done.path.glob("*"))) == folders
    found = compare([done], n=200, device="cpu")
    assert [column.title for column in found.columns] == ["seed 0", "seed 1"]


def test_a_loaded_model_is_taken_as_it_is(folder):
    found = compare([ganzoo.load(folder, "cpu")], n=200, device="cpu")
    assert found.columns[0].kind == "dcgan-mnist on mnist"
    assert "fd" in found.columns[0].scores


def test_the_best_model_of_a_run_has_the_measures_of_its_step(game, tmp_path):
    best = tmp_path / "game" / "best"
    shutil.copytree(game.path, best.parent)
    shutil.copytree(best.parent / "model", best)
    config = json.loads((best / "config.json").read_text())
    config["training"]["steps"] = 100
    (best / "config.json").write_text(json.dumps(config))
    diversity = {line["step"]: line["diversity"] for line in game.metrics if "diversity" in line}
    values = [column.values["diversity"] for column in compare([best, game], n=100, device="cpu").columns]
    assert values == [diversity[100], diversity[200]]


def test_no_title_of_a_page_is_cut_off(folder):
    long, short = (Column("name", ganzoo.load(folder), {}, title=title) for title in ("long title " * 12, "short"))
    page = np.array(Comparison([long, short], [{}] * 2, 10, 0).picture().convert("L"))
    assert (page[[0, -1]] == 255).all() and (page[:, [0, -1]] == 255).all()


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
    assert (code, said.strip()) == (0, f"measuring {folder}, which may take minutes")


def test_a_page_shows_names_as_they_are_and_models_without_scores(folder):
    model = ganzoo.load(folder, "cpu")
    column = Column("one", model, {"name": r"dcgan on $\nothing$"}, title=r"$\nothing$")
    page = Comparison([column], [{}], 10, 0).picture()
    assert page.height > 200


def test_real_samples_of_several_data_sets_have_a_row_each(folder, game):
    scores = [{"modes": {"generated": 7.0, "real": 8.0}}, {"fd": {"generated": 7.0, "real": 2.0}}]
    models = [game.model, ganzoo.load(folder, "cpu")]
    columns = [Column("a", model, {}, scores=score) for model, score in zip(models, scores, strict=True)]
    rows = Comparison(columns, [{}, {}], 10, 0).table.rows[2:]
    assert rows == [{"model": "real ring8", "modes": 8.0}, {"model": "real mnist", "fd": 2.0}]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([MODEL, "--out", "page.jpg"], "'page.jpg' is not a .png, .gif, .csv, .md or .json file"),
        ([MODEL, "--out", "no/page.png"], "cannot write no/page.png: there is no folder no"),
        (["nothing", "--out", "page.png"], "there is no registered model, run or folder 'nothing'"),
        ([MODEL, "--metric", "fdd", *QUICK], "there is no metric 'fdd' in the logs of these runs"),
        ([MODEL, "--out", "film.gif", *QUICK], "a film needs runs that drew pictures"),
    ],
)
def test_a_page_that_cannot_be_made_gets_one_sentence(run, words, sentence):
    code, out, said = run("compare", *words)
    assert (code, out) == (2, "")
    assert sentence in said


def test_what_is_no_list_is_refused():
    with pytest.raises(ganzoo.BadInput, match="compare takes a list of runs and models"):
        compare(MODEL)
