"""Kinds and metrics of a plugin, from a training to a card: everything follows the kind of the samples."""

import importlib
import json
import shutil
import sys
import wave

import numpy as np
import pytest
from PIL import Image

import ganzoo
import tones
from ganzoo.plugins.catalog import catalog
from ganzoo.zoo.publishing.publish import Publication


def forget_modules():
    """Have changed files of the plugin read again."""
    importlib.invalidate_caches()
    for name in ("ganzoo_tones", "ganzoo_tones.parts"):
        sys.modules.pop(name, None)


@pytest.fixture
def sounds(site, typed, tmp_path):
    """A run on sounds."""
    tones.install(site)
    code, _, said = tones.train(typed, tmp_path, evaluate_every=2, evaluate_samples=64)
    assert code == 0, said
    return tmp_path / "run", said


def test_a_run_on_sounds_has_waveforms_and_sounds_to_hear(sounds):
    run, said = sounds
    assert "pictures in" in said and "evaluated every 2 steps on 64 samples" in said
    with Image.open(run / "samples" / "step-000004.png") as picture:
        assert picture.text["Synthetic"] == "true" and picture.text["Model"] == "run step 4"
    files = sorted((run / "samples" / "step-000002").iterdir())
    assert [file.name for file in files] == [f"{number:06d}.wav" for number in range(8)]
    with wave.open(str(files[0])) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (8000, 64)
    (ratio,) = [line["loudness_gap_ratio"] for line in ganzoo.Run(run).metrics if "loudness_gap_ratio" in line]
    assert ratio >= 0


def test_sounds_are_sampled_to_files_of_their_kind(sounds, typed, tmp_path):
    run, _ = sounds
    assert typed("sample", run, "-n", 3)[:2] == (0, "run-seed0-n3\n")
    assert sorted(path.name for path in (tmp_path / "run-seed0-n3").iterdir()) == [
        "000000.wav",
        "000001.wav",
        "000002.wav",
    ]
    assert typed("sample", run)[1] == "run-seed0-n16\n"
    for out in ("one.wav", "all.npz", "all.png"):
        assert typed("sample", run, "--out", out, "-n", 1)[0] == 0
    assert np.load("all.npz")["sound"].shape == (1, 64)
    for words, sentence in {
        ("--out", "two.wav", "-n", "2"): "a .wav file holds one of the sounds, not 2; give -n 1, or a folder",
        ("--out", "a.jpg"): "cannot write sounds as 'a.jpg': allowed: FILE.png or a folder or FILE.wav or FILE.npz",
        ("--out", "a.png", "--scale", "2"): "--scale enlarges the pixels of pictures, and sounds have none",
    }.items():
        code, _, said = typed("sample", run, *words)
        assert (code, sentence in said, "Traceback" in said) == (2, True, False), said


def test_a_suite_for_a_kind_measures_and_compares_data_of_that_kind(sounds, typed, tmp_path):
    run, _ = sounds
    code, said, _ = typed("evaluate", run, "-n", 100, "--json")
    scores = json.loads(said)
    assert (code, list(scores)) == (0, ["loudness-gap", "protocol"])
    assert 0 <= scores["loudness-gap"]["real"] < 0.1
    assert scores["protocol"]["loudness-v1"] == {"real": "100 samples of tones"}
    code, _, said = typed("evaluate", run, "-n", 200)
    assert (code, "tones has 300 samples, and 400 are needed: choose a smaller -n" in said) == (2, True)
    assert "there is no metric 'fid' here; allowed: loudness-gap" in typed("evaluate", run, "--metrics", "fid")[2]
    assert typed("compare", run, "-n", 100, "--out", "page.png")[0] == 0
    assert typed("compare", run, "-n", 100, "--out", "table.csv")[0] == 0
    assert "loudness-gap" in (tmp_path / "table.csv").read_text()
    shutil.copytree(run / "model", tmp_path / "away")
    code, _, said = typed("evaluate", tmp_path / "away")
    assert (code, "the real sounds of 'tones' cannot be opened without its run: 'data.path' is missing" in said) == (
        2,
        True,
    )
    assert typed("compare", tmp_path / "away", "--out", "away.png")[0] == 0


def test_the_card_of_a_model_of_sounds_has_players(sounds):
    run, _ = sounds
    files = Publication(run, "owner/tones", "mit").files
    card = files["README.md"].decode()
    players = [f'<audio controls src="samples/{number:06d}.wav"></audio>' for number in range(8)]
    assert [line for line in card.splitlines() if "audio" in line] == players
    assert {f"samples/{number:06d}.wav" for number in range(8)} < files.keys()
    assert "![samples](samples.png)" in card and files["samples.png"][:4] == b"\x89PNG"
    assert "A generator of sounds of 0.008 s at 8,000 samples per second" in card
    assert 'sounds = ganzoo.load("hub:owner/tones").sample(64)  # (64, 64) in [-1, 1]' in card
    assert "image" not in card


@pytest.fixture
def dances(site, typed, tmp_path):
    """A run on a kind of the plugin's own, of which no picture is drawn."""
    tones.install(site)
    code, _, said = tones.train(typed, tmp_path, "dancer", "dances")
    assert code == 0, said
    return tmp_path / "run", said


def test_a_kind_without_pictures_has_files_in_the_run_and_on_the_card(dances, typed, tmp_path):
    run, said = dances
    assert "no pictures are drawn: no picture shows dances; samples are written as .steps files" in said
    assert (run / "samples" / "step-000004" / "000001.steps").read_text().startswith("run step 4: ")
    assert not list(run.glob("samples/*.png"))
    files = Publication(run, "owner/dances", "mit").files
    assert "samples.png" not in files and "samples.png" not in files["README.md"].decode()
    assert (
        "* dance of 6 steps: samples/000000.steps* dance of 6 steps: samples/000001.steps"
        in files["README.md"].decode()
    )
    code, _, said = typed("sample", run, "--out", "a.png")
    assert (code, "cannot write dances as 'a.png': no picture shows dances; allowed: a folder" in said) == (2, True)
    assert typed("sample", run, "-n", 2)[0] == 0 and len(list((tmp_path / "run-seed0-n2").iterdir())) == 2
    assert typed("compare", run, "--out", "page.png")[0] == 0
    with pytest.raises(ganzoo.BadInput, match=r"no picture shows dances; sample\(\) gives them as tensors"):
        ganzoo.load(run).sample_grid()


def test_a_model_whose_kind_is_missing_is_sampled_all_the_same(dances, typed, tmp_path, site):
    run, _ = dances
    package = site.folder / "ganzoo_tones" / "__init__.py"
    package.write_text(package.read_text().replace('    register("dance", ', "    return\n    print("))
    forget_modules()
    catalog.cache_clear()
    assert ganzoo.load(run).sample(2).shape == (2, 6, 4)
    code, _, said = typed("sample", run, "--out", "a.steps")
    assert code == 2 and "Traceback" not in said
    assert "cannot write samples as 'a.steps': unknown kind 'dance'" in said and "allowed: FILE.npz" in said
    assert typed("sample", run, "--out", "a.npz")[0] == 0


def test_kinds_and_metrics_are_listed_and_described(site, typed):
    tones.install(site)
    kinds = {row["name"]: row for row in json.loads(typed("list", "kinds", "--json")[1])}
    assert {"image", "point", "sound", "text", "table", "video", "other"} < kinds.keys()
    assert (kinds["dance"]["distribution"], kinds["dance"]["summary"]) == ("ganzoo-tones", "steps in four directions")
    metrics = {row["name"]: row["measures"] for row in json.loads(typed("list", "metrics", "--json")[1])}
    assert metrics == {
        "clip": "any image",
        "digits": "mnist, mnist-10k",
        "dinov2": "any image",
        "inception": "any image",
        "lite0": "any image",
        "lite0-neighbours": "any image",
        "loudness": "any sound",
        "mixtures": "ring8, grid25",
        "pixel-neighbours": "any image",
    }
    assert "Steps (count, 4), written as arrows." in typed("info", "dance")[1]
    assert "Compares the mean loudness of sounds." in typed("info", "loudness")[1]


@pytest.mark.parametrize(
    ("hook", "sentence"),
    [
        ('register_metrics(register):\n    register("a", "b:C")', "metrics 'a': say which data they measure"),
        (
            'register_metrics(register):\n    register("a", "b", kind="image")',
            "'b' is not a string like 'package.module:Class'",
        ),
        ('register_kinds(register):\n    register("A", "b:C")', "'A' is not a valid name for a kind"),
        (
            'register_kinds(register):\n    register("a", "b:C")\n    register("a", "b:D")',
            "registers the kind 'a' twice",
        ),
        (
            'register_kinds(register):\n    register("image", "b:C")',
            "kind 'image' also comes from ganzoo: use 'ganzoo-odd:image'",
        ),
    ],
)
def test_registrations_that_cannot_work_are_told(site, typed, hook, sentence):
    site.install("ganzoo-odd", f"import ganzoo\n\n@ganzoo.hookimpl\ndef {hook}\n")
    (row,) = json.loads(typed("plugins", "ganzoo-odd", "--json")[1])
    assert sentence in row["reason"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "class Loudness(ganzoo.Suite)",
            "class Loudness",
            "the metrics 'loudness' of ganzoo-tones are not a ganzoo.Suite, but",
        ),
        (
            "super().__init__(real)",
            'raise ValueError("it is too quiet")',
            "the metrics 'loudness' of ganzoo-tones: it is too quiet",
        ),
        ("class Loudness(", "class Quietness(", "metrics 'loudness' of ganzoo-tones 1.0 cannot be loaded"),
    ],
)
def test_metrics_that_cannot_be_made_are_named(sounds, typed, site, old, new, sentence):
    run, _ = sounds
    parts = site.folder / "ganzoo_tones" / "parts.py"
    parts.write_text(parts.read_text().replace(old, new))
    forget_modules()
    code, _, said = typed("evaluate", run, "-n", 64)
    assert (code, sentence in said, "Traceback" in said) == (2, True, False), said


@pytest.mark.parametrize(
    ("writer", "said"),
    [
        ('raise RuntimeError("no ink")', "the kind 'dance' failed: RuntimeError: no ink"),
        ("raise SystemExit(0)", "the kind 'dance' failed: SystemExit: 0"),
        ("pass", "the kind 'dance': `write` has not written"),
    ],
)
def test_a_kind_that_fails_costs_pictures_but_no_training(site, typed, tmp_path, writer, said):
    tones.install(site)
    module = site.folder / "ganzoo_tones" / "parts.py"
    first, _, last = module.read_text().partition("path.write_text(")
    module.write_text(f"{first}{writer}  # path.write_text({last}")
    forget_modules()
    code, _, heard = tones.train(typed, tmp_path, "dancer", "dances")
    assert code == 0 and f"no picture of step 4: {said}" in heard
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()
    assert said in typed("sample", tmp_path / "run", "-n", 2)[2]
