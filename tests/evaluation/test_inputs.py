"""Samples that are made from inputs are measured with distinct real ones of the data, where these are here."""

import importlib
import os
from pathlib import Path

import pytest
import torch

import ganzoo
import twins
from ganzoo.errors import BadInput
from ganzoo.evaluation.inputs import inputs_to_measure
from ganzoo.evaluation.real import RealSamples
from ganzoo.plugins.catalog import catalog
from ganzoo.training.train import train
from sites import Site

PLUGIN = """
    import ganzoo
    from twins import Blind, Copyist, Twins

    @ganzoo.hookimpl
    def register_architectures(register):
        register("copyist", generator="twin_gan:Copyist", discriminator="twin_gan:Blind")

    @ganzoo.hookimpl
    def register_data(register):
        register("twins", "twin_gan:Twins")

    @ganzoo.hookimpl
    def register_metrics(register):
        register("count", "twin_gan:Count", data=("twins",))

    class Count(ganzoo.Suite):
        name = "count"
        watched = ("different",)

        def __init__(self, real):
            super().__init__(real)
            self.metrics = {"different": ganzoo.Metric("different", float, "higher")}

        def observe(self, pieces):
            return len({image.numpy().tobytes() for images, _ in pieces for image in images})
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("site")
        Site(folder).install("twin-gan", PLUGIN)
        monkeypatch.syspath_prepend(folder)
        paths = [str(folder), str(Path(twins.__file__).parent), os.environ.get("PYTHONPATH", "")]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))  # new plugins are looked at in a process of their own
        catalog.cache_clear()
        importlib.invalidate_caches()
        settings = {"steps": 2, "batch": 16, "evaluate_every": 2, "evaluate_samples": 100}
        recipe = {"architecture": "copyist", "loss": ["hinge"], "data": "twins"}
        out = tmp_path_factory.mktemp("runs") / "copyist"
        yield train(recipe, out=out, device="cpu", quiet=True, train=settings)
        catalog.cache_clear()


def test_a_training_measures_samples_of_as_many_inputs(run):
    assert run.metrics[-1]["different"] == 100


def test_so_does_evaluate_and_the_protocol_says_it(run):
    scores = ganzoo.evaluate(run, n=150)
    assert scores["different"]["generated"] == 150
    assert scores.protocol["inputs"] == "150 real ones of twins"
    assert ganzoo.evaluate(run, n=150)["different"] == scores["different"]


def test_elsewhere_the_kept_ones_are_used_again(run):
    def nowhere():
        raise BadInput("the data are not here")

    model = ganzoo.load(run, "cpu")
    inputs, about = inputs_to_measure(model, RealSamples(model.config["data"], nowhere), 150)
    assert about == "64 real ones that are kept with it"
    images = torch.cat([images for images, _ in model.blocks_with({}, 150, 0, inputs)])
    assert len({image.numpy().tobytes() for image in images}) == 64
    model.inputs.file, model.inputs.kept = None, {}
    with pytest.raises(BadInput, match=r"needs 'grey' \(8 x 8 images in \[0, 1\]\)"):
        inputs_to_measure(model, RealSamples(model.config["data"], nowhere), 150)


def test_a_model_without_inputs_gets_none():
    assert inputs_to_measure(ganzoo.load("vanilla-mnist", "cpu"), None, 10) == ({}, "")
