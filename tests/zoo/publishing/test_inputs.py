"""Real inputs go into a published model only where they may; without them the card and `sample` say what is needed."""

import json
import logging
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganzoo
import painter
from ganzoo.zoo.kept import licence_of, read_kept, serialize_kept
from ganzoo.zoo.publishing.inputs import PASSED_ON

HUB = "hub:owner/painter"
SAID = "40 real inputs ('grey')"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        painter.install(tmp_path_factory.mktemp("site") / "site", monkeypatch)
        yield painter.paint(tmp_path_factory.mktemp("runs") / "painter")
        painter.forget()


def licensed(run, folder, license_id, before=None):
    """A copy of the run whose data set states that licence; its inputs were kept under `before`, else the same."""
    shutil.copytree(run.path, folder)
    config = json.loads((folder / "model" / "config.json").read_text())
    config["data"] |= {"license": license_id, "name": "pairs"}
    (folder / "model" / "config.json").write_text(json.dumps(config))
    kept = folder / "inputs.safetensors"
    kept.write_bytes(serialize_kept(read_kept(kept), license_id if before is None else before))
    return folder


def test_without_a_licence_inputs_stay_here_and_the_card_says_what_is_needed(run, zoo):
    done = zoo("publish", run.path, "owner/painter", "--license", "mit")
    assert done.returncode == 0, done.stderr
    assert f"the {SAID} of this run stay here: 'batches' states no licence; --with-inputs publishes them" in done.stderr
    card = Path(zoo("pull", HUB).stdout.strip(), "README.md").read_text()
    assert "It needs `grey`: 16 x 16 images in \\[0, 1\\]. It may take `light`: samples in \\[0, 2\\]." in card
    assert "ganzoo sample hub:owner/painter --input grey=FOLDER" in card
    assert ".sample(64, grey=grey)" in card
    assert "samples.png" not in card
    failed = zoo("sample", HUB)
    assert failed.returncode == 2
    assert "needs 'grey' (16 x 16 images in [0, 1]): sample(16, grey=...) in Python, --input grey=" in failed.stderr
    Image.new("L", (16, 16), 90).save(zoo.folder / "photo.png")
    made = zoo("sample", HUB, "--input", "grey=photo.png", "--out", "made.png")
    assert made.returncode == 0, made.stderr
    assert Image.open(zoo.folder / "made.png").mode == "RGB"


def test_with_inputs_they_go_along_and_samples_are_made_from_them_elsewhere(run, zoo):
    done = zoo("publish", run.path, "owner/painter", "--license", "mit", "--with-inputs", "--register")
    assert f"{SAID} go with the model as you say, and 'batches' states no licence" in done.stderr
    entry = tomllib.loads(done.stdout)["painter"]
    assert {"inputs.safetensors", "samples.png"} <= entry["files"].keys()
    wanted = (("painter", "a.npz"), (HUB, "b.npz"))
    by_name, on_hub = (zoo("sample", name, "-n", "4", "--out", out) for name, out in wanted)
    assert (by_name.returncode, on_hub.returncode) == (0, 0), by_name.stderr + on_hub.stderr
    here = (run.sample(4).permute(0, 2, 3, 1) * 255).round().byte().numpy()
    assert all((np.load(zoo.folder / name)["images"] == here).all() for name in ("a.npz", "b.npz"))
    card = Path(zoo("pull", "painter").stdout.strip(), "README.md").read_text()
    assert "40 real ones come with it, in `inputs.safetensors`." in card
    assert f"ganzoo sample {HUB} -n 64" in card


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


@pytest.mark.parametrize(("before", "words"), [("proprietary", "under proprietary"), ("", "without a licence")])
def test_a_licence_of_later_data_is_not_that_of_the_inputs_kept_before(run, tmp_path, before, words, caplog, typed):
    folder = licensed(run, tmp_path / "run", "CC0-1.0", before)
    assert typed("bundle", folder, tmp_path / "made", "--license", "mit")[0] == 0
    assert not (tmp_path / "made" / "inputs.safetensors").exists()
    assert f"stay here: they are from earlier data of the run, {words}; --with-inputs" in caplog.text
    assert typed("bundle", folder, tmp_path / "asked", "--license", "mit", "--with-inputs")[0] == 0
    assert "CC0" not in (tmp_path / "asked" / "README.md").read_text()
    assert ganzoo.load(tmp_path / "asked", "cpu").sample(1).shape[0] == 1


def test_a_run_keeps_the_licence_with_its_inputs(run):
    assert licence_of((run.path / "inputs.safetensors").read_bytes()) == ""


def test_a_dry_run_says_it_too_and_a_published_model_is_published_again_with_them(run, tmp_path, typed):
    made = tmp_path / "made"
    code, _, errors = typed("bundle", run.path, made, "--with-inputs", "--license", "mit")
    assert (code, errors.strip()) == (0, f"{SAID} go with the model as you say, and 'batches' states no licence")
    assert "40 real inputs in inputs.safetensors" in typed("info", made)[1]
    _, plan, errors = typed("publish", made, "owner/again", "--dry-run")
    assert ("inputs.safetensors" in plan, "stay here" in errors) == (False, True)
    assert "inputs.safetensors: " in typed("publish", made, "owner/again", "--dry-run", "--with-inputs")[1]
    content = (made / "inputs.safetensors").read_bytes()
    (made / "inputs.safetensors").write_bytes(content[:-1] + b"x")
    with pytest.raises(ganzoo.Unavailable, match=r"inputs\.safetensors is damaged"):
        ganzoo.load(made, "cpu").sample(1)


def test_with_inputs_of_a_model_that_has_none_is_refused(tmp_path, run, typed, model):
    code, out, errors = typed("publish", model, "owner/dots", "--dry-run", "--with-inputs")
    assert (code, out) == (2, "")
    assert "there are no real inputs to publish: this model needs no inputs" in errors
    typed("bundle", run.path, tmp_path / "made")
    code, _, errors = typed("bundle", tmp_path / "made", tmp_path / "again", "--with-inputs")
    assert (code, "none are kept with this model" in errors) == (2, True)


@pytest.mark.parametrize(
    "license_id", ["MIT", "Apache-2.0", "BSD-3-Clause", "CC-BY-SA-3.0", "ODbL-1.0", "CDLA-Permissive-2.0"]
)
def test_licences_that_let_samples_be_passed_on(license_id):
    assert PASSED_ON.fullmatch(license_id)


@pytest.mark.parametrize("license_id", ["CC-BY-ND-4.0", "CC-BY-NC-SA-4.0", "GPL", "LicenseRef-ours", "MITRE", ""])
def test_licences_that_do_not(license_id):
    assert not PASSED_ON.fullmatch(license_id)
