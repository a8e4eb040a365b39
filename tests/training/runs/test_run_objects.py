"""A run as an object: it says what it is, goes where a path of a run goes, and gives its log as CSV."""

import csv
import io
import shutil
from pathlib import Path

import pytest

import ganzoo
from ganzoo.cli.main import main
from trainings import assert_same_weights, resume, tiny, trained


def test_it_says_what_it_is(run):
    assert repr(run) == f"<ganzoo.Run '{run.path}': run on mnist-10k, 8 of 8 steps>"
    (run.path / "metrics.jsonl").unlink()
    assert "0 of 8 steps" in repr(run)
    for content in (b"\xff", b"[loss", None):
        (run.path / "recipe.toml").write_bytes(content) if content else shutil.rmtree(run.path)
        assert repr(run) == f"<ganzoo.Run '{run.path}': no recipe can be read there>"


def test_it_is_taken_where_a_run_is(run, tmp_path):
    weights = run.model.config["weights"]["sha256"]
    assert ganzoo.load(run, "cpu").config["weights"]["sha256"] == weights
    assert ganzoo.evaluate(run, n=200, metrics=["fd"], device="cpu").protocol["weights"] == weights
    assert ganzoo.Run.open(run).path == run.path
    assert Path(run) == run.path
    shutil.copytree(run, tmp_path / "other")
    assert_same_weights(resume(run, train={"steps": 9}), resume(tmp_path / "other", train={"steps": 9}))


@pytest.mark.parametrize("kind", ["run", "path", "text", "model", "nested"])
def test_a_training_begins_with_it(run, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(run.path.parent)  # the run's name alone could be that of a registered model
    given = {"run": run, "path": Path(run.path.name), "text": str(run.path), "model": ganzoo.load(run, "cpu")}
    begun = {"train": {"init": run}} if kind == "nested" else {"init": given[kind]}
    train = begun.get("train", {})
    recipe = tiny(steps=1, ema=0)
    new = trained({**recipe, "train": {**recipe["train"], **train}}, out=tmp_path / "new", **begun)
    assert new.recipe.train.init == str(run.path)


def test_what_a_training_cannot_begin_with(run, tmp_path):
    model = ganzoo.Model(run.model.generator, run.model.config, "cpu")
    for init, sentence in [(model, "was not loaded from anywhere"), (3, "train.init: .*valid string, got 3")]:
        with pytest.raises(ganzoo.BadInput, match=sentence):
            trained(tiny(steps=1), out=tmp_path / "new", init=init)
    with pytest.raises(
        ganzoo.BadInput, match="a model is given as a name, a hub:owner/name, a path or a Run, not as 3"
    ):
        ganzoo.load(3)


def test_its_log_is_csv(command, run, tmp_path):
    with (run.path / "metrics.jsonl").open("a") as log:
        log.write('{"step": 9, "mine": "a,b"}\n')
    text = run.to_csv(tmp_path / "log.csv")
    assert (tmp_path / "log.csv").read_text() == text == run.to_csv()
    rows, lines = list(csv.DictReader(io.StringIO(text))), run.metrics
    assert rows == [{key: str(line.get(key, "")) for key in rows[0]} for line in lines]
    assert list(rows[0]) == list(dict.fromkeys(key for line in lines for key in line))
    done = command("runs", run.path, "--csv")
    assert (done.returncode, done.stdout) == (0, text), done.stderr
    with pytest.raises(ganzoo.Error, match=r"nowhere"):
        run.to_csv(tmp_path / "nowhere" / "log.csv")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "no folder was given"),
        (("elsewhere",), "'elsewhere' is not a run: it has no recipe.toml"),
        (("elsewhere", "--json"), "give either --csv or --json"),
    ],
)
def test_csv_of_what_is_no_run(words, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["runs", *words, "--csv"])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
