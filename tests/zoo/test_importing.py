"""Weights of another program become a model folder, whole and checked, or nothing is left and a sentence says why."""

import hashlib
import json

import pytest
import torch
from huggingface_hub import ModelCard

import ganzoo
import importing
from ganzoo.errors import BadInput, Failed
from ganzoo.zoo.publishing.bundle import bundle

NAN = {**importing.WEIGHTS, "first.bias": [0.0, 0.1, 0.2, float("nan")]}


@pytest.fixture
def here(site, tmp_path, monkeypatch):
    importing.install(site)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts)


def config_of(folder):
    return json.loads((folder / "config.json").read_text())


def test_a_file_becomes_a_model_that_draws_by_its_weights(here, typed):
    file = importing.write(here / "faces.json")
    code, out, err = typed("import", "mini-json", "faces.json", "--out", "models/faces", "--license", "cc-by-4.0")
    assert (code, out.strip()) == (0, "models/faces"), err
    assert "these weights are for study only" in err
    model = ganzoo.load("models/faces")
    samples, given = model.sample_with_given(3, seed=5)
    weight, bias = (torch.tensor(importing.WEIGHTS[f"first.{name}"]) for name in ("weight", "bias"))
    expected = (given["z"] @ weight.T + bias).clamp(-1, 1).view(3, 1, 2, 2)
    assert torch.allclose(samples, (expected + 1) / 2, atol=1e-6)
    assert model.score(samples).shape == (3,)
    about = config_of(here / "models/faces")["imported"]
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert (about["file"], about["sha256"], about["size"]) == ("faces.json", digest, file.stat().st_size)
    assert (about["format"], about["distribution"], about["license"]) == ("mini-json", "tiny-import", "cc-by-4.0")
    assert typed("sample", "models/faces", "-n", "4")[0] == 0
    assert typed("info", "models/faces")[0] == 0


@pytest.mark.parametrize(
    ("license", "said", "text"),
    [(None, "unknown", "is not known"), ("other", "other", "is other, as whoever imported")],
)
def test_the_card_says_the_licence_and_the_origin(here, license, said, text):
    importing.write(here / "faces.json")
    folder = ganzoo.import_model("tiny-import:mini-json", "faces.json", "faces", license)
    card = ModelCard.load(folder / "README.md")
    assert card.data.license == said
    assert f"The licence of the weights {text}" in card.text
    assert "imported into ganzoo from faces.json" in card.text and "trained with ganzoo on" not in card.text
    assert "- these weights are for study only" in card.text
    assert config_of(folder)["imported"]["sha256"] in card.text


def test_a_published_model_keeps_the_licence_of_its_weights(here, caplog):
    importing.write(here / "faces.json")
    known = ganzoo.import_model("mini-json", "faces.json", "known", "cc-by-4.0")
    unknown = ganzoo.import_model("mini-json", "faces.json", "unclear")
    with pytest.raises(BadInput, match=r"under the licence 'cc-by-4.0', so that it is not published under 'mit'"):
        bundle(known, here / "one", "mit")
    assert 'license = "cc-by-4.0"' in bundle(known, here / "two", "")
    assert 'license = "unknown"' in bundle(unknown, here / "three", "")
    assert "nobody has said what licence the weights have: faces.json was imported" in caplog.text
    assert 'license = "other"' in bundle(unknown, here / "four", "other")
    card = ModelCard.load(here / "two" / "README.md")
    assert card.data.license == "cc-by-4.0" and "imported into ganzoo from faces.json" in card.text


def test_labels_of_an_import_are_classes_of_the_model(here):
    importing.write(here / "faces.json", classes=["cat", "dog"])
    model = ganzoo.load(ganzoo.import_model("mini-json", "faces.json", "faces"))
    assert model.classes == ["cat", "dog"]
    assert model.sample(2, label="dog").shape == (2, 1, 2, 2)


def test_a_training_begins_with_an_import(here):
    importing.write(here / "faces.json")
    folder = ganzoo.import_model("mini-json", "faces.json", "faces")
    batches = [{"image": torch.zeros(4, 1, 2, 2)}]
    recipe = {"architecture": "mini", "loss": ["hinge"], "train": {"steps": 1, "batch": 4, "precision": "fp32"}}
    recipe["optimizer"] = {"lr": 1e-9}
    run = ganzoo.train(recipe, batches, here / "run", "cpu", init=str(folder), quiet=True)
    state = run.model.generator.state_dict()
    assert state["first.bias"].tolist() == pytest.approx(importing.WEIGHTS["first.bias"], abs=1e-6)


BAD = {
    "format": (["import", "mini-jsn", "faces.json"], {}, "unknown importer 'mini-jsn'; did you mean 'mini-json'?"),
    "recipe": (["import", "hinge", "faces.json"], {}, "unknown importer 'hinge', which is a loss; allowed: mini-json"),
    "no file": (["import", "mini-json", "face.json"], {}, "cannot read face.json: No such file"),
    "folder": (["import", "mini-json", "."], {}, "cannot read .: Is a directory"),
    "other file": (["import", "mini-json", "text.txt"], {}, "importer 'mini-json': text.txt: Expecting value"),
    "no function": (["import", "number", "faces.json"], {}, "'tiny_import.files:NUMBER' is not a function"),
    "shape": (
        [],
        {"image": [1, 3, 3]},
        "do not fit the architecture 'mini': 'first.weight' has the shape (4, 2), not (9, 2)",
    ),
    "too much": (
        [],
        {"generator": {**importing.WEIGHTS, "b": [1.0]}},
        "do not fit the architecture 'mini': 'b' is too much",
    ),
    "too few": ([], {"generator": {"first.bias": [0.0] * 4}}, "'first.weight' is missing"),
    "judge": ([], {"discriminator": {"last.bias": [0.0]}}, "'last.weight' is missing"),
    "type": ([], {"generator": {**importing.WEIGHTS, "first.bias": [1, 2, 3, 4]}}, "'first.bias' is torch.int64"),
    "not finite": ([], {"generator": NAN}, "is damaged: 'first.bias' has a number that is not finite"),
    "option": ([], {"options": {"bia": False}}, "unknown key 'architecture.bia'; did you mean 'bias'?"),
    "huge option": ([], {"options": {"depth": 10**15}}, "'depth' asks for 1,000,000,000,000,000"),
    "architecture": ([], {"architecture": "minni"}, "unknown architecture 'minni'; did you mean 'mini'"),
    "code": ([], {"architecture": "./nets.py:G"}, "unknown architecture './nets.py:G'"),
    "code of a side": ([], {"options": {"generator": {"name": "./nets.py:G"}}}, "names a side of its own"),
    "licence": (["--license", "a b\n"], {}, "is not the name of a licence"),
    "not empty": (["--out", "full"], {}, "'full' is not empty; choose another --out, or --overwrite"),
    "not a model": (["--out", "full", "--overwrite"], {}, "'full' is not just a model, so --overwrite leaves it alone"),
    "a file": (["--out", "text.txt"], {}, "'text.txt' is a file; choose another --out"),
    "in a file": (["--out", "text.txt/faces"], {}, "cannot write"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_gets_one_sentence_and_leaves_nothing(here, typed, what):
    words, changes, sentence = BAD[what]
    importing.write(here / "faces.json", **changes)
    (here / "text.txt").write_text("A letter.")
    (here / "nets.py").write_text("raise SystemExit('was run')")
    (here / "full").mkdir()
    (here / "full" / "letter.txt").write_text("A letter.")
    before = files_of(here)
    start = [] if "import" in words else ["import", "mini-json", "faces.json"]
    end = [] if "--out" in words else ["--out", "models/faces"]
    code, out, err = typed(*start, *words, *end)
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1), err
    assert sentence in err
    assert files_of(here) == before


def test_a_generator_without_finite_samples_is_refused(here):
    importing.write(here / "faces.json")
    text = importing.NETWORKS.replace(".clamp(-1, 1)", " * float('nan')")
    (here / "site" / "tiny_import" / "networks.py").write_text(text)
    with pytest.raises(BadInput, match="draws samples that are not finite numbers"):
        ganzoo.import_model("mini-json", "faces.json", "faces")
    assert not (here / "faces").exists()


@pytest.mark.parametrize(
    ("table", "sentence"),
    [("[1]", "must return a ganzoo.Imported, got \\[1\\]"), ("{}", "must return a ganzoo.Imported, got {}")],
)
def test_an_importer_that_returns_something_else_is_named(here, table, sentence):
    (here / "odd.json").write_text(table)
    with pytest.raises(Failed, match=f"importer 'other-json' of tiny-import {sentence}"):
        ganzoo.import_model("other-json", "odd.json", "faces")


def test_overwrite_replaces_a_model_and_nothing_else(here):
    importing.write(here / "faces.json")
    folder = ganzoo.import_model("mini-json", "faces.json", "faces", "mit")
    with pytest.raises(BadInput, match="'faces' is not empty"):
        ganzoo.import_model("mini-json", "faces.json", "faces")
    ganzoo.import_model("mini-json", "faces.json", "faces", "other", overwrite=True)
    assert config_of(folder)["imported"]["license"] == "other"
    (here / "run" / "model").mkdir(parents=True)
    for name in ("recipe.toml", "model/config.json"):
        (here / "run" / name).write_text("{}")
    with pytest.raises(BadInput, match="not just a model"):
        ganzoo.import_model("mini-json", "faces.json", "run/model", overwrite=True)


def test_importers_are_listed_and_described(here, typed):
    rows = {row["name"]: row for row in json.loads(typed("list", "importers", "--json")[1])}
    assert rows["mini-json"]["summary"] == "weights of mini as JSON"
    assert "mini-json" not in typed("list", "--json")[1]
    text = typed("info", "mini-json")[1]
    assert "importer 'mini-json' from tiny-import 1.0" in text and "Read the weights of mini." in text
    assert typed("info", "number")[::2][0] == 2
    assert "mini-json" in typed("plugins", "tiny-import")[1]
