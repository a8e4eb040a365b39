"""Weights that somebody else has made keep their licence: in the config, on the card, and when they are published."""

import json
import shutil

import pytest
from huggingface_hub import ModelCard

import ganzoo
from ganzoo.zoo.hub.errors import Missing
from ganzoo.zoo.licenses import find_license
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.publishing.bundle import bundle
from ganzoo.zoo.references import parse
from repositories import make_model, put
from trainings import tiny, trained

CARD = "---\nlicense: cc-by-nc-4.0\n---\n# A model of somebody else\n"


def license_of(run):
    return json.loads((run.model_folder / "config.json").read_text())["training"].get("init_license")


def begun(folder, model, **settings):
    return trained(tiny(steps=1), out=folder, **{"train.init": str(model), **settings})


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """The model of somebody else, as it is pulled."""
    folder = tmp_path_factory.mktemp("models") / "theirs"
    shutil.copytree(trained(tiny(steps=1), out=folder.parent / "run").model_folder, folder)
    (folder / "README.md").write_text(CARD)
    return folder


@pytest.fixture(scope="module")
def run(theirs):
    return begun(theirs.parent / "begun", theirs)


@pytest.mark.parametrize(
    ("card", "license"),
    [
        (CARD, "cc-by-nc-4.0"), (None, ""), ("no metadata", ""), ("---\nlicense: [a, b]\n---\n", ""),
        ("---\nlicense: two words\n---\n", ""), ("---\nlicense: : :\n---\n", ""), ("---\n---\n", ""),
    ],
)  # fmt: skip
def test_a_folder_has_the_licence_of_its_card(tmp_path, card, license):
    local = LocalModel(make_model(tmp_path / "dots", 8))
    if card:
        (local.folder / "README.md").write_text(card)
    assert find_license(local.folder, local) == license


def test_a_registered_model_has_the_licence_of_its_entry():
    entry = parse("dcgan-mnist")
    assert find_license(entry, LocalModel(entry.folder)) == entry.license == "mit"


def test_a_run_passes_the_licence_on_also_when_it_is_resumed_and_begins_another(theirs, run, tmp_path):
    assert license_of(run) == "cc-by-nc-4.0"
    again = begun(tmp_path / "run", theirs)
    assert (
        license_of(trained(tiny(steps=2), out=again.path, resume=True, **{"train.init": str(theirs)})) == "cc-by-nc-4.0"
    )
    assert license_of(begun(tmp_path / "second", run.path)) == "cc-by-nc-4.0"


def test_a_model_of_ones_own_has_none(theirs, tmp_path):
    own = theirs.parent / "run"
    assert license_of(ganzoo.Run(own)) is None
    assert license_of(begun(tmp_path / "run", own)) is None


@pytest.mark.parametrize("given", ["", "cc-by-nc-4.0"])
def test_it_is_published_under_that_licence_and_the_card_says_why(run, tmp_path, given):
    assert 'license = "cc-by-nc-4.0"' in bundle(run, tmp_path / "mine", given)
    card = ModelCard.load(tmp_path / "mine" / "README.md")
    assert card.data.license == "cc-by-nc-4.0"
    assert "The weights that its training began with are under the licence cc-by-nc-4.0." in card.text


def test_another_licence_is_asked_for_in_a_sentence(run, tmp_path, typed):
    code, out, err = typed("bundle", run.path, "package/mine", "--license", "mit")
    assert (code, out) == (2, "")
    assert err == (
        "error: the training began with 'another model', which is under the licence 'cc-by-nc-4.0', so that it is not "
        "published under 'mit'; leave out --license, or add --relicense if that licence allows another\n"
    )
    assert not (tmp_path / "package").exists()
    code, out, err = typed("bundle", run.path, "package/mine", "--license", "mit", "--relicense")
    assert code == 0 and 'license = "mit"' in out, err
    card = ModelCard.load(tmp_path / "package" / "mine" / "README.md")
    assert card.data.license == "mit"
    assert "The weights that its training began with are under the licence cc-by-nc-4.0." in card.text


@pytest.mark.parametrize(("card", "license"), [(CARD, "cc-by-nc-4.0"), (None, "unknown")])
def test_of_a_model_on_the_hub_the_card_is_asked_for(tmp_path, monkeypatch, card, license):
    folder = make_model(tmp_path / "0123456789", 8)

    def fetch(file, offline, limits):
        assert (file.repository, file.revision, file.name) == ("owner/dots", "0123456789", "README.md")
        if card is None:
            raise Missing("there is none")
        (folder / "README.md").write_text(card)

    monkeypatch.setattr("ganzoo.zoo.hub.pull.fetch", fetch)
    assert find_license(parse("hub:owner/dots"), LocalModel(folder)) == license


@pytest.mark.slow
@pytest.mark.parametrize(
    ("card", "license", "said"), [(CARD, "cc-by-nc-4.0", "under the licence"), (None, "unknown", "is not known: ask")]
)
def test_weights_from_the_hub_have_the_licence_of_their_card_there(
    zoo, hub, owner, theirs, tmp_path, card, license, said
):
    put(owner, theirs, **{"README.md": card and card.encode()})
    quick = ["-o", "train.steps=1", "-o", "train.batch=8", "--precision", "fp32", "--out", "run"]
    small = ["-o", "architecture.widths=[16]", "--init", "hub:owner/dots"]
    done = zoo("train", "vanilla", *quick, *small)
    assert done.returncode == 0, done.stderr
    run = ganzoo.Run(zoo.folder / "run")
    assert license_of(run) == license
    bundle(run, tmp_path / "mine", "")
    assert said in ModelCard.load(tmp_path / "mine" / "README.md").text
