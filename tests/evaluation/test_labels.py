"""Samples of conditional models are measured with the labels of real ones, each combination as often as in the data."""

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo.data.sources import open_data
from ganzoo.evaluation.inputs import labels_to_measure
from ganzoo.evaluation.real import RealSamples
from ganzoo.recipe.recipe import Train
from ganzoo.training.watch.monitor import Monitor
from ganzoo.zoo.inputs import find_labels

COUNT = 300


class Hats(ganzoo.Dataset):
    """Grey pictures, a tenth of them with a hat: only these have a band, and a size above 1."""

    kinds = {"image": "image"}  # noqa: RUF012
    ranges = {"size": (1, 4)}  # noqa: RUF012

    def __init__(self, hat=("no", "yes")):
        self.classes = {"hat": list(hat), "band": ["none", "red", "blue"]}
        self.hats = np.arange(COUNT) % 10 == 0

    def __len__(self):
        return COUNT

    def arrays(self):
        band = self.hats * (1 + np.arange(COUNT) // 10 % 2)
        images = np.full((COUNT, 1, 16, 16), 128, np.uint8)
        return {"image": images, "hat": self.hats.astype(int), "band": band, "size": 1.0 + self.hats * (1 + band)}


class Anything(ganzoo.Suite):
    """Measures samples of any data."""

    name = "anything"
    metrics: dict = {}  # noqa: RUF012

    def observe(self, pieces):
        return pieces


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    networks = {"architecture": {"name": "conditional", "width": 2, "embedding": 2}}
    settings = {"steps": 1, "batch": 4, "save_every": 1}
    out = tmp_path_factory.mktemp("runs") / "hats"
    return ganzoo.load(ganzoo.train("conditional", Hats(), out, "cpu", train=settings, quiet=True, **networks), "cpu")


def real(**options):
    return RealSamples.of(open_data(Hats(**options)))


def nowhere():
    raise ganzoo.BadInput("the data are not here")


def check(given):
    """Every combination is one of the data, and as frequent."""
    hat, band, size = given["hat"], given["band"], given["size"]
    assert torch.equal(hat, (band > 0).long()) and torch.equal(size, 1.0 + hat * (1 + band))
    assert torch.bincount(band).tolist() == [270, 15, 15]


def test_they_have_those_of_the_data_and_the_protocol_says_so(model):
    labels, about = labels_to_measure(model, real(), Anything(real()), COUNT)
    assert about == f"those of {COUNT} samples of Hats"
    blocks = list(model.blocks_with({}, COUNT, 0, labels))
    check({key: torch.cat([given[key] for _, given in blocks]) for key in labels})


def test_without_real_ones_the_generator_draws_each_evenly(model):
    drawn = model.sample_with_given(COUNT)[1]
    assert (drawn["hat"] != (drawn["band"] > 0)).sum() > 50


def test_a_training_measures_samples_with_them_too(model):
    data = open_data(Hats())
    watch = Monitor(data, Train(), labels=find_labels(model.generator, data.specs))
    found = watch.inputs
    assert watch.gauge.count == COUNT // 2 == len(found["hat"])
    assert torch.equal(found["hat"], (found["band"] > 0).long()) and 5 < found["hat"].sum() < 30


def test_where_the_data_have_others_or_are_away_and_for_a_suite_that_knows_the_classes_they_are_drawn(model):
    others = real(hat=("none", "top hat"))
    assert labels_to_measure(model, others, Anything(others), COUNT) == ({}, "drawn evenly")
    away = RealSamples(model.config["data"], nowhere)
    assert labels_to_measure(model, away, Anything(away), COUNT) == ({}, "drawn evenly")
    suite = Anything(real())
    suite.classes = ["0", "1"]
    assert labels_to_measure(model, real(), suite, COUNT) == ({}, "")
    assert labels_to_measure(ganzoo.load("vanilla-mnist", "cpu"), real(), Anything(real()), COUNT) == ({}, "")
    kinds = ganzoo.load("infogan-mnist", "cpu")  # its categories are none of the data
    assert labels_to_measure(kinds, real(), Anything(real()), COUNT) == ({}, "drawn evenly")
