"""Real inputs go into a published model only where they may; without them the card and `sample` say what is needed."""

import json
import logging
import shutil
import tomllib

import pytest
from PIL import Image

import ganzoo
import painter
from ganzoo.zoo.publishing.inputs import PASSED_ON

SAID = "40 real inputs ('grey')"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        painter.install(tmp_path_factory.mktemp("site") / "site", monkeypatch)
        yield painter.paint(tmp_path_factory.mktemp("runs") / "painter")
        painter.forget()


def licensed(run, folder, license_id):
    """A copy of the run whose data set states that licence."""
    shutil.copytree(run.path, folder)
    config = json.loads((folder / "model" / "config.json").read_text())
    config["data"] |= {"license": license_id, "name": "pairs"}
    (folder / "model" / "config.json").write_text(json.dumps(config))
    return folder


def test_without_a_licence_inputs_stay_here_and_the_card_says_what_is_needed(run, zoo, hub, tmp_path):
    done = zoo("publish", run.path, "owner/painter", "--license", "mit")
    assert done.returncode == 0, done.stderr
    assert f"the {SAID} of this run stay here: 'batches' states no licence; --with-inputs publishes them" in done.stderr
    pulled = zoo("pull", "hub:owner/painter").stdout.strip()
    card = (tmp_path / pulled / "README.md").read_text()
    assert "It needs `grey`: 16 x 16 images in \\[0, 1\\]. It may take `light`: samples in \\[0, 2\\]." in card
    assert "ganzoo sample hub:owner/painter --input grey=FOLDER" in card
    assert ".sample(64, grey=grey)" in card
    assert "samples.png" not in card
    failed = zoo("sample", "hub:owner/painter")
    assert failed.returncode == 2
    assert "needs 'grey' (16 x 16 images in [0, 1]): sample(16, grey=...) in Python, --input grey=" in failed.stderr
    Image.new("L", (16, 16), 90).save(zoo.folder / "photo.png")
    made = zoo("sample", "hub:owner/painter", "--input", "grey=photo.png", "--out", "made.png")
    assert made.returncode == 0, made.stderr
    assert Image.open(zoo.folder / "made.png").mode == "RGB"


def test_with_inputs_they_go_along_and_samples_are_made_from_them_elsewhere(run, zoo, hub, tmp_path):
    done = zoo("publish", run.path, "owner/painter", "--license", "mit", "--with-inputs", "--register")
    assert f"{SAID} go with the model as you say, and 'batches' states no licence" in done.stderr
    entry = tomllib.loads(done.stdout)["painter"]
    assert {"inputs.safetensors", "samples.png"} <= entry["files"].keys()
    made = [
        zoo("sample", name, "-n", "4", "--out", f"{place}.npz")
        for place, name in enumerate(["painter", "hub:owner/painter"])
    ]
    assert [each.returncode for each in made] == [0, 0], made[0].stderr + made[1].stderr
    here = zoo("sample", run.path, "-n", "4", "--out", "2.npz")
    assert here.returncode == 0
    files = [(zoo.folder / f"{place}.npz").read_bytes() for place in range(3)]
    assert files[0] == files[1] == files[2]
    pulled = zoo("pull", "painter").stdout.strip()
    card = (tmp_path / pulled / "README.md").read_text()
    assert "40 real ones come with it, in `inputs.safetensors`." in card
    assert "ganzoo sample hub:owner/painter -n 64" in card
    assert "2 real inputs" not in zoo("info", "painter").stdout
    assert "40 real inputs in inputs.safetensors" in zoo("info", "painter").stdout


@pytest.mark.parametrize(
    ("license_id", "goes"),
    [("CC-BY-4.0", True), ("CC0-1.0", True), ("CC-BY-NC-4.0", False), ("see the website", False)],
)
def test_the_licence_of_the_data_set_decides(run, tmp_path, license_id, goes, caplog, typed):
    folder = licensed(run, tmp_path / "run", license_id)
    with caplog.at_level(logging.INFO):
        code, _, _ = typed("bundle", folder, tmp_path / "made", "--license", "mit")
    assert code == 0
    assert (tmp_path / "made" / "inputs.safetensors").exists() is goes
    said = f"go with the model, under {license_id}, the licence of 'pairs'"
    kept = f"stay here: {license_id} is not known to let everybody pass them on"
    assert (said if goes else kept) in caplog.text
    assert (f"under {license_id}" in (tmp_path / "made" / "README.md").read_text()) is goes


def test_a_dry_run_says_it_too_and_a_published_model_is_published_again_with_them(run, tmp_path, zoo):
    assert zoo("bundle", run.path, tmp_path / "made", "--with-inputs").returncode == 0
    done = zoo("publish", tmp_path / "made", "owner/again", "--dry-run")
    assert "stay here" in done.stderr
    assert "inputs.safetensors" not in done.stdout
    done = zoo("publish", tmp_path / "made", "owner/again", "--dry-run", "--with-inputs")
    assert "inputs.safetensors: " in done.stdout
    damaged = tmp_path / "made" / "inputs.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    with pytest.raises(ganzoo.Unavailable, match=r"inputs\.safetensors is damaged"):
        ganzoo.load(tmp_path / "made", "cpu").sample(1)


def test_with_inputs_of_a_model_that_has_none_is_refused(tmp_path, run, zoo, model):
    done = zoo("publish", model, "owner/dots", "--dry-run", "--with-inputs")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there are no real inputs to publish: this model needs no inputs" in done.stderr
    done = zoo("bundle", run.path, tmp_path / "made")
    assert zoo("bundle", tmp_path / "made", tmp_path / "again", "--with-inputs").returncode == 2


@pytest.mark.parametrize(
    "license_id", ["MIT", "Apache-2.0", "BSD-3-Clause", "CC-BY-SA-3.0", "ODbL-1.0", "CDLA-Permissive-2.0"]
)
def test_licences_that_let_samples_be_passed_on(license_id):
    assert PASSED_ON.fullmatch(license_id)


@pytest.mark.parametrize("license_id", ["CC-BY-ND-4.0", "CC-BY-NC-SA-4.0", "GPL", "LicenseRef-ours", "MITRE", ""])
def test_licences_that_do_not(license_id):
    assert not PASSED_ON.fullmatch(license_id)
