"""Listings and 'ganzoo info': names before folders, and one sentence for what cannot be described."""

import json

import pytest

from ganzoo.cli.listing import things
from ganzoo.cli.wording import describe
from ganzoo.data.named import LSUN_CATEGORIES
from ganzoo.errors import BadInput
from ganzoo.zoo.registry import Registry

PLUGIN = """
    import ganzoo

    @ganzoo.hookimpl
    def register_losses(register):
        register("sound", "zoo.losses:Sound")
        register("number", "zoo.losses:number")
        register("stranger", "zoo.losses:Stranger")
        register("unresolved", "zoo.losses:Unresolved")
"""

LOSSES = """
import ganzoo

number = 3

class Sound(ganzoo.Loss):
    "Does no harm."
    def __init__(self, margin: float = 1.5):
        super().__init__()

class Stranger:
    "Is no loss."

class Unresolved(ganzoo.Loss):
    def __init__(self, margin: "Nowhere" = 1.0):
        super().__init__()
"""


@pytest.fixture
def zoo(site, tmp_path, monkeypatch):
    """An installed plugin with losses of all kinds and an empty folder of recipes; the working folder is empty."""
    site.install("zoo", PLUGIN)
    (site.folder / "zoo" / "losses.py").write_text(LOSSES)
    (site.folder / "zoo" / "recipes").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return site.folder / "zoo" / "recipes"


def summaries():
    return {row["name"]: row["summary"] for row in things(Registry()) if row["kind"] == "recipe"}


def refusal(name):
    with pytest.raises(BadInput) as caught:
        describe(name)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_recipe_that_is_no_text_is_listed_and_described_in_a_sentence(zoo):
    (zoo / "latin.toml").write_bytes("# Caf\xe9 games.\n".encode("latin-1"))
    (zoo / "plain.toml").write_text("# A plain game.\n")
    assert summaries()["latin"] == "Caf\N{REPLACEMENT CHARACTER} games."
    assert summaries()["plain"] == "A plain game."
    assert "latin.toml is not valid TOML" in refusal("latin")
    assert "nothing is called 'latim'; did you mean 'latin'" in refusal("latim")


def test_a_recipe_that_has_vanished_is_listed_and_described_in_a_sentence(zoo):
    (zoo / "gone.toml").write_text("# A game.\n")
    (zoo / "plain.toml").write_text("# A plain game.\n")
    assert summaries()["gone"] == "A game."
    (zoo / "gone.toml").unlink()
    assert summaries()["gone"] == "(cannot be read: No such file or directory)"
    assert summaries()["plain"] == "A plain game."
    assert "gone.toml: No such file or directory" in refusal("gone")


def test_a_malformed_recipe_is_described_in_a_sentence(zoo):
    (zoo / "odd.toml").write_text("# An odd game.\n[train\n")
    assert summaries()["odd"] == "An odd game."
    assert "odd.toml is not valid TOML" in refusal("odd")


def test_a_class_is_described_with_its_options(zoo):
    text = describe("sound")
    assert "loss 'sound' from zoo 1.0" in text
    assert "Does no harm." in text
    assert "margin = 1.5   (float)" in text


def test_a_callback_is_described_with_its_options(site):
    hook = "import ganzoo\n@ganzoo.hookimpl\ndef register_callbacks(register):\n"
    lines = ["bell", "thing"]
    site.install("bells", hook + "".join(f"    register('{name}', 'bells.b:{name.title()}')\n" for name in lines))
    code = 'import ganzoo\nclass Bell(ganzoo.Callback):\n    "Rings."\n    def __init__(self, every: int = 5): pass\n'
    (site.folder / "bells" / "b.py").write_text(f"{code}class Thing: pass\n")
    text = describe("bell")
    assert text.startswith("callback 'bell' from bells 1.0")
    assert "Rings." in text
    assert "every = 5   (int)" in text
    assert "'bells.b:Thing' is not a subclass of ganzoo.Callback" in refusal("thing")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("number", "'zoo.losses:number' is not a subclass of ganzoo.Loss"),
        ("stranger", "'zoo.losses:Stranger' is not a subclass of ganzoo.Loss"),
        ("unresolved", "the annotations of zoo.losses.Unresolved cannot be resolved: name 'Nowhere' is not defined"),
    ],
)
def test_what_is_registered_but_no_loss_is_described_in_a_sentence(zoo, name, sentence):
    assert sentence in refusal(name)


def test_a_name_goes_before_a_folder_which_stays_reachable_as_a_path(zoo, tmp_path):
    model = tmp_path / "work" / "sound"
    model.mkdir()
    architecture = {"name": "x", "distribution": "y", "version": "1", "options": {}}
    weights = {"file": "model.safetensors", "sha256": "0" * 64, "size": 0}
    data = {"kind": "other", "classes": []}
    config = {"format": 1, "architecture": architecture, "latent": {}, "data": data, "weights": weights}
    (model / "config.json").write_text(json.dumps(config))
    assert describe("sound").startswith("loss 'sound'")
    assert describe("./sound").startswith("model in sound\n")


@pytest.mark.parametrize("name", ["sounds", "./sounds"])
def test_a_folder_that_is_no_model_is_an_unknown_name(zoo, tmp_path, name):
    (tmp_path / "work" / "sounds").mkdir()
    assert f"nothing is called '{name}'; did you mean 'sound'" in refusal(name)


def test_a_name_too_long_for_a_file_is_unknown(zoo):
    assert refusal("a" * 5000).startswith("nothing is called 'aaa")


@pytest.mark.parametrize("name", ["lsun:<category>", *(f"lsun:{category}" for category in LSUN_CATEGORIES)])
def test_every_category_of_a_data_set_is_described(zoo, name):
    assert describe(name).startswith(f"data set '{name}': photographs of one kind of place")


def test_a_category_that_is_not_there_gives_the_nearest(zoo):
    assert "nothing is called 'lsun:bedrom'; did you mean 'lsun:bedroom'" in refusal("lsun:bedrom")
