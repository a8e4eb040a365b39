"""Suites: found by the name of the data, made once and only when needed; labelled metrics want labels."""

import subprocess
import sys

import pytest
import torch

from ganzoo.evaluation.lookup import find_default, list_measured
from ganzoo.evaluation.mnist import Digits, DigitSuite


def test_each_data_set_has_one_suite():
    names = ["mnist-cnn-v1", "mnist-cnn-v1", "ring8", "grid25"]
    found = {name: find_default({"name": name}) for name in list_measured()}
    assert [suite.name for (suite,) in found.values()] == names
    assert found["mnist"][0] is found["mnist-10k"][0]
    assert find_default({"name": "celeba"}) == find_default({}) == []


def test_the_suite_of_a_mixture_is_found_without_torchmetrics():
    code = "from ganzoo.evaluation.lookup import find_default; find_default({'name': 'ring8'}); "
    code += "import sys; sys.exit('torchmetrics' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["label-accuracy", "cas"])
def test_a_labelled_metric_of_samples_without_labels_raises(name):
    metric = DigitSuite().metrics[name]
    assert metric.labelled
    with torch.no_grad(), pytest.raises(ValueError, match="these samples have no labels"):
        metric.measure(Digits(torch.zeros(100, 1, 28, 28), None))
