"""`ganzoo new NAME --from`: a plugin of code that a run was trained with, or of a file, that keeps its promises."""

import json
import shutil
from pathlib import Path

import pytest
import torch

import ganzoo
import own_code
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.recipe.adoption import adopt
from ganzoo.testing.suite import checks_of
from own_code import G, Mine

FILE = Path(own_code.__file__)
SHORT = {"batch": 8, "precision": "fp32", "steps": 2, "sample_every": 9}
DIGITS = {"steps": 1, "batch": 16}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with a file whose name is no module's."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(FILE, tmp_path / "my nets.py")
    return tmp_path


def train(**given):
    return ganzoo.train("vanilla", device="cpu", quiet=True, train=SHORT, **given)


def installed(site, folder):
    """Install a plugin as an installer would, and forget what was known of the environment."""
    package = folder.name.replace("-", "_")
    site.install(folder.name, "", version="0.1.0", entry=folder.name.removeprefix("ganzoo-"))
    shutil.copytree(folder / package, site.folder / package, dirs_exist_ok=True)
    catalog.cache_clear()


def failures(name):
    """What the checks of a plugin say that is not fine."""
    found = [(check.id, *check.result()) for check in checks_of(name)]
    assert {result for _, result, _ in found} > {"ok"} or found
    return [row for row in found if row[1] == "failed"]


def test_a_plugin_of_a_run_has_its_recipe_and_publishes_its_model(here, site, typed):
    losses = [{"name": "my nets.py:Mine", "scale": 2}, "r1"]
    run = train(generator={"name": "my nets.py:G", "width": 6}, discriminator="my nets.py:D", losses=losses)
    (here / "my nets.py").write_text("# gone")
    code, said, _ = typed("new", "own", "--from", run.path)
    assert (code, said.splitlines()[-1].strip()) == (0, f"ganzoo publish {run.path} OWNER/NAME")
    installed(site, here / "ganzoo-own")
    recipe = ganzoo.Recipe.load("own")
    assert recipe.architecture.name == "own"
    assert recipe.architecture.own("generator") == {"width": 6}
    assert [loss.name for loss in recipe.loss] == ["own-mine", "ganzoo-losses:r1"]
    assert failures("ganzoo-own") == []
    again = ganzoo.train("own", device="cpu", quiet=True, train=SHORT)
    weights = (ganzoo.load(each.path).generator.state_dict() for each in (run, again))
    torch.testing.assert_close(*weights, rtol=0, atol=0)
    assert typed("bundle", run.path, here / "models" / "own", "--license", "mit")[0] == 0
    config = json.loads((here / "models" / "own" / "config.json").read_text())
    assert config["architecture"] == {
        **{"name": "own", "distribution": "ganzoo-own", "version": "0.1.0", "options": {"width": 6}}
    }


@pytest.mark.parametrize("part", ["all", "losses"])
def test_a_plugin_of_a_file_registers_all_that_is_in_it(here, site, part):
    text = FILE.read_text()
    if part == "losses":
        text = text.partition("class G(")[0].replace(
            "class Mine(", "class MyOwnLoss(ganzoo.Loss):\n    pass\n\n\nclass Mine("
        )
    (here / "nets.py").write_text(text)
    folder, short, things = adopt("own", Path("nets.py"))
    assert (folder, short) == (Path("ganzoo-own"), "own")
    known = {"all": ["architecture 'own'", "loss 'own-mine'"], "losses": ["loss 'own-my-own-loss'", "loss 'own-mine'"]}
    assert things == known[part]
    assert (folder / "ganzoo_own" / "nets.py").read_text() == text
    if part == "all":
        installed(site, folder)
        assert failures("ganzoo-own") == []


def test_files_of_one_name_and_odd_names_become_modules(here, site):
    (here / "a").mkdir()
    shutil.copy(FILE, here / "a" / "1 nets.py")
    (here / "1 nets.py").write_text(FILE.read_text() + "\n# another\n")
    run = train(generator="a/1 nets.py:G", discriminator="a/1 nets.py:D", losses="./1 nets.py:Mine")
    folder, _, _ = adopt("own", run.path)
    modules = {path.name: path.read_text() for path in (folder / "ganzoo_own").glob("*.py")}
    assert modules["code_1_nets.py"] == FILE.read_text()
    assert modules["code_1_nets_2.py"].endswith("# another\n")
    assert 'generator="ganzoo_own.code_1_nets:G"' in modules["__init__.py"]
    installed(site, folder)
    assert ganzoo.load(run.path).config["architecture"]["distribution"] == "ganzoo-own"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"losses": Mine}, r"<own_code>:Mine of '.*' was given by Python code, which left no file: put it into one"),
        ({}, "was trained with nothing but plugins: ganzoo-vanilla:vanilla, ganzoo-vanilla:non-saturating"),
        (
            {"generator": "my nets.py:G"},
            "both sides, and one side of '.*' is ganzoo-vanilla:vanilla: train with one",
        ),
    ],
)
def test_a_run_that_makes_no_plugin_is_refused(here, given, said):
    run = train(**given)
    with pytest.raises(BadInput, match=said):
        adopt("own", run.path)
    assert not Path("ganzoo-own").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "has neither a ganzoo.Generator nor a ganzoo.Loss"),
        ("import nothing_of_that_name", "cannot be run: line 1: ModuleNotFoundError"),
        (FILE.read_text().partition("class D(")[0], "has one discriminator, and 'nets.py' has none"),
        (FILE.read_text() + "\n\nclass E(D):\n    pass\n", r"has several: D, E; call the others _D and so on"),
    ],
)
def test_a_file_that_makes_no_plugin_is_refused(here, text, said):
    (here / "nets.py").write_text(text)
    with pytest.raises(BadInput, match=said):
        adopt("own", Path("nets.py"))


def test_a_run_on_a_folder_leaves_the_path_behind(here):
    run = train(losses="my nets.py:Mine", data=[{"image": torch.rand(8, 1, 28, 28)}], generator={"name": "vanilla"})
    folder, _, _ = adopt("own", run.path)
    assert str(here) not in (folder / "ganzoo_own" / "recipes" / "own.toml").read_text()
    assert G.__name__ in (folder / "ganzoo_own" / "my_nets.py").read_text()
