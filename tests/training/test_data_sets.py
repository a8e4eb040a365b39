"""A data set that a plugin brings, from the command line: listed, described, trained on, and gone on with."""

import json
import tomllib

import pytest
import tomlkit
import torch
from safetensors.torch import load_file

import ganzoo
from data_plugins import PLUGIN, RECIPE, Held, Listener, Player, Toned, Toner, Waves
from ganzoo import BadInput
from ganzoo.cli.completion import data_sets
from ganzoo.plugins.catalog import catalog
from ganzoo.recipe.build import complete
from ganzoo.recipe.recipe import Recipe
from ganzoo.zoo.publishing.bundle import without_paths


@pytest.fixture
def plugin(site):
    site.install("wave-gan", PLUGIN)
    return site


@pytest.fixture
def train(plugin, typed, tmp_path):
    """Runs `ganzoo train` with the recipe; returns exit code and standard error."""
    (tmp_path / "waves.toml").write_text(tomlkit.dumps(RECIPE))

    def run(*words, recipe=("waves.toml",)):
        code, _, err = typed("train", *recipe, *words)
        return code, err

    return run


def weights(run):
    return load_file(run / "model" / "model.safetensors")


def same(one, other):
    assert all(torch.equal(value, weights(other)[key]) for key, value in weights(one).items())


def test_data_sets_are_listed_described_and_completed(plugin, typed):
    rows = {row["name"]: row for row in json.loads(typed("list", "data", "--json")[1])}
    assert rows["waves"] == {
        "kind": "data",
        "name": "waves",
        "distribution": "wave-gan",
        "version": "1.0",
        "summary": "Sine waves",
    }
    assert rows["mnist"]["distribution"] == "ganzoo" and "lsun:<category>" in rows
    code, out, _ = typed("info", "waves")
    assert code == 0 and out.startswith("data set 'waves': Sine waves\nfrom wave-gan 1.0\n")
    assert "  Sine waves with a random phase.\n" in out and "    rate = 100   (int)\n" in out
    assert typed("info", "wave-gan:waves")[0] == 0
    assert {"waves", "pairs", "mnist", "lsun:bedroom"} <= set(data_sets())


def test_a_recipe_names_it_and_its_options(train, tmp_path):
    assert train("--out", "run", "-o", "data.count=8")[0] == 0
    run = ganzoo.Run.open(tmp_path / "run")
    written = tomllib.loads((run.path / "recipe.toml").read_text())["data"]
    assert written == {"name": "wave-gan:waves", "broken": "skip", "workers": 0, "rate": 50, "count": 8, "bad": []}
    config = json.loads((run.path / "model/config.json").read_text())
    assert config["data"]["name"] == "waves" and config["data"]["opened_as"] == "data set"
    assert config["data"]["facts"] == {"wave": [16], "rate": 50, "alphabet": ["a", "b"]}
    assert config["data"]["specs"]["wave"] == {"kind": "other", "shape": [16], "range": None, "classes": []}
    assert config["architecture"]["options"] == {"width": 4}
    assert ganzoo.load(run.path).generator.rate == 50 and ganzoo.load(run.path).sample(3).shape == (3, 16)


def test_a_run_goes_on_bit_for_bit(train, tmp_path):
    for workers in (0, 2):
        whole, halves = f"whole-{workers}", f"halves-{workers}"
        assert train("--out", whole, "-o", f"data.workers={workers}", "-o", "data.bad=[3]")[0] == 0
        assert train("--out", halves, "-o", "data.bad=[3]", "-o", "train.steps=2")[0] == 0
        assert train("--resume", halves, "-o", "train.steps=4", "-o", f"data.workers={workers}", recipe=())[0] == 0
        same(tmp_path / whole, tmp_path / halves)
    same(tmp_path / "whole-0", tmp_path / "whole-2")


def test_a_resumed_run_reads_nothing_of_the_past(train, tmp_path):
    log = tmp_path / "reads"
    assert train("--out", "run", "-o", f"data.log={log}", "-o", "train.steps=50")[0] == 0
    log.unlink()
    assert train("--resume", "run", "-o", "train.steps=51", recipe=())[0] == 0
    assert len(log.read_text().split()) < 20  # a batch of 4 for the step, others to look at; the past were 200


def test_a_run_keeps_the_facts_that_its_networks_are_built_with(train):
    assert train("--out", "run")[0] == 0
    code, err = train("--resume", "run", "-o", "data.rate=60", "-o", "train.steps=6", recipe=())
    assert code == 2
    assert err == "error: a run keeps the facts of its data: 'rate' is 50, not 60; start a new run\n"
    code, err = train("--resume", "run", "--data", "ring8", "-o", "train.steps=6", recipe=())
    assert code == 2 and "Listener needs 'wave', which this data does not have" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--data", "wave-gan:wavs"], "there is no data set or folder 'wave-gan:wavs'; did you mean 'wave-gan:waves'"),
        (["--data", "wavs"], "there is no data set or folder 'wavs'; did you mean 'waves'?"),
        (["--data", "other-gan:waves"], "the data set 'other-gan:waves' is missing, as other-gan is not installed"),
        (
            ["--data", "mine.py:Waves"],
            "mine.py:Waves' is a class in a file, which data cannot name; give it from Python",
        ),
        (["-o", "data.rat=3"], "unknown key 'data.rat'; did you mean 'rate'?"),
        (["-o", "data.rate=fast"], "data.rate: input should be a valid integer"),
        (["-o", "data.size=32"], "data.size does not go with waves; allowed: bad, count, log, rate"),
        (["-o", "data.lr=1"], "unknown key 'data.lr'; did you mean 'optimizer.lr'?"),
        (["-o", "architecture.rate=3"], "'architecture.generator.rate' comes from the data"),
        (["--data", "pairs"], "needs 'wave', which this data does not have"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_refused_in_a_sentence(train, tmp_path, words, sentence):
    code, err = train("--out", "run", *words)
    assert code == 2 and sentence in err and err.startswith("error: ") and err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_broken_sample_ends_a_training_that_is_to_refuse_it(train, tmp_path):
    code, err = train("--out", "run", "-o", "data.bad=[3]", "-o", "data.broken=refuse", "-o", "train.steps=9")
    assert code == 2 and "cannot read '3.wav', sample 3 of waves (wave-gan 1.0) (KeyError: 'no wave 3')" in err
    assert "the last good checkpoint is kept; go on from step-000002" in err
    assert train("--resume", "run", "-o", "data.broken=skip", recipe=())[0] == 0
    assert (
        "skipped 1 sample that cannot be read" in train("--out", "new", "-o", "data.bad=[3]", "-o", "train.steps=9")[1]
    )


def test_a_name_of_two_plugins_is_written_in_full(train, plugin):
    plugin.install("other-waves", PLUGIN.split("@ganzoo.hookimpl\ndef register_arch")[0])
    code, err = train("--out", "run")
    assert code == 2
    assert "more than one plugin brings the data 'waves'; use 'other-waves:waves' or 'wave-gan:waves'" in err
    assert train("--out", "run", "-o", "data.name=wave-gan:waves", "-o", "data.rate=50", "-o", "data.workers=0")[0] == 0


def test_what_is_published_names_no_path_of_this_machine(train, tmp_path):
    assert train("--out", "run", "-o", f"data.log={tmp_path / 'log'}")[0] == 0
    assert tomllib.loads((tmp_path / "run/recipe.toml").read_text())["data"]["log"] == str(tmp_path / "log")
    published = tomllib.loads(without_paths(tmp_path / "run/recipe.toml").decode())["data"]
    assert published == {"name": "wave-gan:waves", "broken": "skip", "workers": 0, "rate": 50, "count": 20, "bad": []}


def test_another_version_of_the_plugin_is_told(train, plugin, tmp_path):
    assert train("--out", "run")[0] == 0
    history = tmp_path / "run/history.jsonl"
    assert json.loads(history.read_text().splitlines()[0])["circumstances"]["wave-gan"] == "1.0"
    assert Recipe.load(tmp_path / "run/recipe.toml").data.name == "wave-gan:waves"


def test_a_plugin_that_is_gone_is_named(train, plugin, tmp_path, monkeypatch):
    recipe = {**RECIPE, "architecture": {"name": "vanilla"}, "data": {"name": "pairs"}}
    (tmp_path / "pairs.toml").write_text(tomlkit.dumps(recipe))
    assert train("--out", "run", recipe=("pairs.toml",))[0] == 0
    monkeypatch.setenv("GANZOO_DISABLE_PLUGINS", "wave-gan")
    catalog.cache_clear()
    code, err = train("--resume", "run", "-o", "train.steps=6", recipe=())
    assert code == 2 and "no data set or folder 'wave-gan:pairs'" in err and "(not available: wave-gan" in err


def test_an_object_is_data_of_a_training_from_python(tmp_path):
    game = {"generator": Player, "discriminator": Listener, "quiet": True, "out": tmp_path / "run"}
    settings = {"train": {"steps": 3, "batch": 4}, "losses": "non-saturating"}
    run = ganzoo.train(data=Waves(rate=50), **game, **settings)
    assert run.recipe.data.name == "batches" and ganzoo.load(run, generator=Player).sample(2).shape == (2, 16)
    again = ganzoo.train(data=Waves(rate=50), resume=True, train={"steps": 5}, **game)
    assert again.metrics[-1]["images"] == 20  # train.batch counts, as the data set has no batches of its own
    with pytest.raises(BadInput, match="'rate' is 50, not 60"):
        ganzoo.train(data=Waves(rate=60), resume=True, train={"steps": 6}, **game)
    with pytest.raises(BadInput, match="size goes with a data set by name or a folder; what Python gives is taken as"):
        ganzoo.train("vanilla-mnist", data=Held(), out=tmp_path / "other", quiet=True, **{"data.size": 8})


def test_an_option_that_is_a_fact_of_the_data_is_the_datas(plugin):
    recipe = Recipe.load({**RECIPE, "data": {"name": "pairs"}})
    assert complete(recipe).architecture.generator == {"width": 4}  # before the data are known
    generator, _ = ganzoo.create("player", wave=(5,), rate=3, width=2)
    assert (generator.rate, generator.net[0].out_features) == (3, 2)
    with pytest.raises(BadInput, match="architecture 'player' needs 'rate', which this data does not have"):
        ganzoo.create("player", wave=(5,))


def test_classes_of_any_key_keep_their_numbers_and_have_names(tmp_path, caplog):
    game = {"generator": Toner, "discriminator": Listener, "losses": "non-saturating", "quiet": True}
    plain = {"steps": 3, "batch": 4, "precision": "fp32"}  # "auto" measures, and may choose otherwise the next time
    runs = [ganzoo.train(data=Toned(), out=tmp_path / n, train=plain, **game) for n in "ab"]
    for run, tones in zip(runs, (["low", "high"], ["high", "low"]), strict=True):
        ganzoo.train(data=Toned(tones), out=run.path, resume=True, train={"steps": 6}, **game)
    same(*(run.path for run in runs))
    with pytest.raises(BadInput, match="Toned has other classes than before: without 'low', with 'none'; a run keeps"):
        ganzoo.train(data=Toned(["high", "none", "low"][:2]), out=runs[0].path, resume=True, train={"steps": 9}, **game)
    model = ganzoo.load(runs[0].path, generator=Toner)
    assert torch.equal(model.sample(4, tone="high"), model.sample(4, tone=torch.tensor(1)))
    with pytest.raises(BadInput, match="'hig'"):
        model.sample(4, tone="hig")


def test_bare_names_in_a_plugins_recipe_are_its_own(plugin, typed, tmp_path):
    plugin.install("other-waves", PLUGIN.split("@ganzoo.hookimpl\ndef register_arch")[0])
    (plugin.folder / "wave_gan/recipes").mkdir()
    (plugin.folder / "wave_gan/recipes/waves.toml").write_text(tomlkit.dumps(RECIPE))
    assert typed("train", "waves", "--out", "run")[0] == 0
    assert ganzoo.Run.open(tmp_path / "run").recipe.data.name == "wave-gan:waves"


def test_a_run_goes_on_with_a_data_set_that_has_no_size(plugin, typed, tmp_path):
    plugin.install(
        "other-waves", PLUGIN.replace('"pairs"', '"couples"').split("@ganzoo.hookimpl\ndef register_arch")[0]
    )
    words = ("vanilla", "-otrain.batch=4", "-oprecision=fp32", "--data=pairs", "--out=run")
    assert typed("train", *words[:2], "-otrain.steps=1", *words[3:])[0] == 0
    code, _, said = typed("train", "--resume", "run", "--data", "couples", "-otrain.steps=2")
    assert code == 0, said
