"""Log, pictures and recipe of a training in TensorBoard and in Trackio."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tomlkit
from PIL import Image

import ganzoo
from trainings import resume, tiny, train_with

TINY = tiny(steps=6, log_every=2, sample_every=3, save_every=2)
train = train_with(TINY)
TERM = "generator/non-saturating/fool"


def pixels(source):
    with Image.open(source) as picture:
        return np.asarray(picture.convert("RGB"))


def test_tensorboard_events_hold_log_pictures_and_recipe(tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = train(tmp_path / "run", train={"tensorboard": True})
    resume(run, train={"steps": 9})
    read = events.EventAccumulator(str(run.path / "tensorboard"), size_guidance={"images": 0})
    read.Reload()
    scalars = {event.step: event.value for event in read.Scalars(TERM)}
    assert scalars == {line["step"]: pytest.approx(line[TERM]) for line in run.metrics}
    assert [event.step for event in read.Images("samples")] == [3, 6, 9]
    for event in read.Images("samples"):
        drawn = run.path / "samples" / f"step-{event.step:06d}.png"
        assert np.array_equal(pixels(io.BytesIO(event.encoded_image_string)), pixels(drawn))
    recipes = [event.tensor_proto.string_val[0].decode() for event in read.Tensors("recipe/text_summary")]
    read_back = [tomlkit.parse(text.removeprefix("```toml\n").removesuffix("```")).unwrap() for text in recipes]
    assert [recipe["train"]["steps"] for recipe in read_back] == [6, 9]
    assert read_back[-1] == run.recipe.written_out()


TRACK = """
import json, sys
import ganzoo

recipe = json.loads(sys.argv[1])
run = ganzoo.train(recipe, out="run", device="cpu", quiet=True)
ganzoo.train({**recipe, "name": "other"}, out="elsewhere/run", device="cpu", quiet=True)
ganzoo.train(out=run, resume=True, device="cpu", quiet=True, train={"steps": 9})
"""
RUNS = """
import json
import trackio

print(json.dumps([[run.name, run.config] for run in trackio.Api().runs("ganzoo")]))
"""


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """A folder with a run that was resumed and another of the same name, and what asks Trackio about them."""
    pytest.importorskip("trackio", reason="trackio is not installed")
    folder = tmp_path_factory.mktemp("tracked")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TRACKIO_DIR": str(folder / "trackio")}

    def call(*words):
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    recipe = {**TINY, "train": {**TINY["train"], "trackio": True}}
    assert call(sys.executable, "-c", TRACK, json.dumps(recipe)) == "", "standard output is for results"
    return folder, call


def test_trackio_has_a_run_for_each_run_and_its_recipe(tracked):
    _, call = tracked
    runs = sorted(json.loads(call(sys.executable, "-c", RUNS)), key=lambda run: run[1]["name"])
    assert [config["name"] for _, config in runs] == ["other", "run"]
    assert all(re.fullmatch(r"run 20\d\d-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}", name) for name, _ in runs), runs
    assert runs[0][1]["loss.non-saturating.weight"] == 1.0


def test_trackio_has_log_and_pictures_of_a_resumed_run(tracked):
    folder, call = tracked
    runs = json.loads(call(sys.executable, "-c", RUNS))
    name = next(name for name, config in runs if config["name"] == "run")
    command = Path(sys.executable).parent / "trackio"
    words = ("get", "metric", "--project", "ganzoo", "--run", name, "--json", "--metric")
    found = {key: json.loads(call(command, *words, key))["values"] for key in (TERM, "samples")}
    lines = ganzoo.Run.open(folder / "run").metrics
    assert [(each["step"], each["value"]) for each in found[TERM]] == [(line["step"], line[TERM]) for line in lines]
    assert [each["step"] for each in found["samples"]] == [3, 6, 9]
    kept = {pixels(path).tobytes() for path in (folder / "trackio").rglob("*.png")}
    assert {pixels(path).tobytes() for path in (folder / "run" / "samples").iterdir()} <= kept
