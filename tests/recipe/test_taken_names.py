"""A plugin that provides names that are taken: recipes and runs keep meaning what they meant."""

import json
import re
import tomllib

import pytest

import ganzoo
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.recipe.recipe import Recipe, differences
from ganzoo.training.runs.snapshot import State, with_bare_losses
from trainings import assert_same_weights, resume, tiny, train_with

STRANGER = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("vanilla", generator="unruly:ShakyGenerator", discriminator="unruly:Explodes")

    @ganzoo.hookimpl
    def register_losses(register):
        for name in ("non-saturating", "r1"):
            register(name, "unruly:Shaky")
"""
SMALL = {"train.steps": 3, "train.batch": 8, "train.precision": "fp32"}
train = train_with(tiny(steps=6, save_every=2))


@pytest.fixture
def stranger(site):
    """Installs the plugin when it is called."""

    def install():
        site.install("A_Stranger", STRANGER)
        catalog.cache_clear()

    return install


def bare(path):
    """Have a run as it was written before: with bare names."""
    for file in (path / "recipe.toml", path / "history.jsonl"):
        file.write_text(re.sub(r'"(ganzoo-\w+):', '"', file.read_text()))
    assert "ganzoo-vanilla:" not in (path / "recipe.toml").read_text()
    return path


def test_a_run_stores_full_names_and_its_model_the_same_config_as_ever(tmp_path):
    run = train(tmp_path / "run")
    recipe = tomllib.loads((run.path / "recipe.toml").read_text())
    assert recipe["architecture"]["name"] == "ganzoo-vanilla:vanilla"
    assert [loss["name"] for loss in recipe["loss"]] == ["ganzoo-vanilla:non-saturating"]
    config = json.loads((run.path / "model" / "config.json").read_text())
    assert (config["architecture"]["name"], config["architecture"]["distribution"]) == ("vanilla", "ganzoo-vanilla")
    assert "generator/non-saturating/fool" in run.metrics[-1]


def test_each_side_and_a_callback_are_stored_in_full(tmp_path, site):
    site.install(
        "ganzoo-bell",
        "import ganzoo\n@ganzoo.hookimpl\ndef register_callbacks(register):\n    register('bell', 'ganzoo:Callback')\n",
    )
    sides = {"generator": "vanilla", "discriminator": {"name": "dcgan"}}
    recipe = ganzoo.train(
        {"architecture": sides, "loss": ["hinge", "hinge"], "callback": ["bell"]},
        out=tmp_path / "run",
        quiet=True,
        **SMALL,
    ).recipe
    assert recipe.architecture.side_name("generator") == "ganzoo-vanilla:vanilla"
    assert recipe.architecture.side_name("discriminator") == "ganzoo-dcgan:dcgan"
    assert [each.name for each in (*recipe.loss, *recipe.callback)] == 2 * ["ganzoo-losses:hinge"] + [
        "ganzoo-bell:bell"
    ]


def test_recipes_of_plugins_mean_their_own_plugin_first_then_those_of_ganzoo(stranger, site):
    stranger()
    file = catalog().find("recipe", "vanilla").targets["file"]
    for source in ("vanilla", file):
        assert Recipe.load(source).architecture.name == "ganzoo-vanilla:vanilla"
    assert [each.name for each in Recipe.load("dcgan").loss] == ["ganzoo-vanilla:non-saturating", "ganzoo-losses:r1"]
    folder = site.folder / "A_Stranger" / "recipes"
    folder.mkdir()
    (folder / "mine.toml").write_text('architecture = "vanilla"\nloss = ["r1", { name = "hinge" }]\n')
    catalog.cache_clear()
    recipe = Recipe.load("mine")
    assert recipe.architecture.name == "A_Stranger:vanilla"
    assert [each.name for each in recipe.loss] == ["A_Stranger:r1", "hinge"]


def test_a_bare_name_of_the_user_is_refused_with_both(stranger, tmp_path):
    stranger()
    with pytest.raises(BadInput, match="use 'A_Stranger:vanilla' or 'ganzoo-vanilla:vanilla'"):
        train(tmp_path / "run")
    with pytest.raises(BadInput, match="use 'A_Stranger:r1' or 'ganzoo-losses:r1'"):
        ganzoo.train("vanilla", out=tmp_path / "run", quiet=True, loss=["non-saturating", "r1"], **SMALL)
    assert not (tmp_path / "run").exists()


def test_a_bare_name_in_a_change_means_what_the_recipe_has_in_full(stranger):
    stranger()
    recipe = Recipe.load("vanilla", **{"architecture.name": "vanilla", "loss.non-saturating.weight": 3})
    assert recipe.architecture.name == "ganzoo-vanilla:vanilla"
    assert recipe.loss[0].weight == 3
    changed = recipe.replace(loss=["non-saturating", "a-stranger:r1"], **{"architecture.name": "A_Stranger:vanilla"})
    assert [each.name for each in changed.loss] == ["ganzoo-vanilla:non-saturating", "a-stranger:r1"]
    assert changed.architecture.name == "A_Stranger:vanilla"


@pytest.mark.parametrize("old", [False, True], ids=["new run", "run with bare names"])
@pytest.mark.parametrize(
    "changes", [{}, {"architecture.name": "ganzoo-vanilla:vanilla"}, {"architecture.name": "vanilla"}], ids=str
)
def test_a_run_goes_on_exactly_beside_a_plugin_with_the_same_names(stranger, tmp_path, whole, old, changes):
    run = train(tmp_path / "run", **{"train.steps": 4})
    if old:
        bare(run.path)
    stranger()
    run = resume(run.path, **{"train.steps": 6}, **changes)
    assert run.history[-1]["changed"] == {"train.steps": [4, 6]}
    assert run.recipe.architecture.generator["widths"] == [16]
    assert run.recipe.architecture.name == "ganzoo-vanilla:vanilla"
    assert_same_weights(run, whole)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The training that nothing interrupts."""
    return train(tmp_path_factory.mktemp("whole") / "run")


def test_a_bare_name_that_several_plugins_of_a_run_provide_now_is_refused_with_both(stranger, tmp_path):
    run = bare(train(tmp_path / "run", **{"train.steps": 4}).path)
    history = run / "history.jsonl"
    line = json.loads(history.read_text().splitlines()[-1])
    # Named first, as a plugin would be that brought another thing.
    line["circumstances"] = {"A_Stranger": "1.0"} | line["circumstances"]
    history.write_text(json.dumps(line) + "\n")
    stranger()
    assert ganzoo.training.runs.run.Run(run).recipe.loss[0].name == "non-saturating"
    with pytest.raises(BadInput, match="use 'A_Stranger:vanilla' or 'ganzoo-vanilla:vanilla'"):
        resume(run, **{"train.steps": 6})


def test_without_a_history_the_full_name_says_which_one_is_meant(stranger, tmp_path):
    run = train(tmp_path / "run", **{"train.steps": 4})
    (bare(run.path) / "history.jsonl").unlink()
    stranger()
    with pytest.raises(BadInput, match="use 'A_Stranger:vanilla' or 'ganzoo-vanilla:vanilla'"):
        resume(run.path, **{"train.steps": 6})
    full = {"architecture.name": "ganzoo-vanilla:vanilla", "loss.0.name": "ganzoo-vanilla:non-saturating"}
    assert resume(run.path, **{"train.steps": 6}, **full).metrics[-1]["step"] == 6


def test_the_other_thing_of_that_name_is_another_architecture(stranger, tmp_path):
    run = train(tmp_path / "run", **{"train.steps": 4})
    stranger()
    with pytest.raises(BadInput, match="a run keeps its architecture"):
        resume(run.path, **{"train.steps": 6, "architecture.name": "A_Stranger:vanilla"})


def test_losses_that_were_saved_under_their_full_names_keep_their_state():
    names = ["hinge", "a:pull", "b:pull", "b:pull-2"]
    saved = State({f"loss.{name}.x": name for name in names} | {"ema.x": 0}, {"losses": names})
    found = with_bare_losses(saved)
    assert found.numbers["losses"] == ["hinge", "pull", "pull-2", "pull-2-2"]
    assert found.tensors == {
        "loss.hinge.x": "hinge",
        "loss.pull.x": "a:pull",
        "loss.pull-2.x": "b:pull",
        "loss.pull-2-2.x": "b:pull-2",
        "ema.x": 0,
    }


def test_a_full_name_is_found_however_its_distribution_is_spelt_and_its_absence_is_explained(stranger):
    stranger()
    assert catalog().find("loss", "a-stranger:r1") == catalog().find("loss", "A.Stranger:r1")
    with pytest.raises(BadInput, match="unknown loss 'a-stranger:r2'; did you mean 'A_Stranger:r1'"):
        catalog().find("loss", "a-stranger:r2")
    with pytest.raises(BadInput, match="'no-such:r1' is missing, as no-such is not installed: install that"):
        catalog().find("loss", "no-such:r1")


def test_a_bare_and_a_full_name_are_no_difference():
    old, new = (
        {"architecture": {"name": name}, "loss": [{"name": loss, "weight": 1}]}
        for name, loss in [("a", "x:l"), ("y:a", "l")]
    )
    assert differences(old, new) == {}
    assert differences(old, new | {"architecture": {"name": "b"}}) == {"architecture.name": ["a", "b"]}
    assert differences(new, new | {"architecture": {"name": "z:a"}}) == {"architecture.name": ["y:a", "z:a"]}


@pytest.mark.parametrize("name", ["a\0.toml", "loop.toml", "missing.toml", "x" * 300 + ".toml"])
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    with pytest.raises(BadInput, match="cannot read"):
        Recipe.load(name)
