"""A training whose fakes have labels of their own leaves a model like any other: class folders, label accuracy."""

import pytest

import ganzoo
from command import Command
from trainings import tiny, train_with

TINY = tiny(steps=10, batch=16, labels="drawn") | {
    "architecture": {"name": "conditional", "width": 4},
    "loss": [{"name": "hinge"}],
}
train = train_with(TINY)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("labels") / "run")


def test_the_run_knows_that_its_labels_were_drawn(run):
    assert run.recipe.train.labels == "drawn"
    assert ganzoo.Recipe.load(run.path / "recipe.toml").train.labels == "drawn"


def test_its_samples_are_sorted_by_class_and_measured_by_label(run):
    command = Command(run.path.parent)
    done = command("sample", "run", "--out", "classes", "-n", 2, "--rows", "label")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (run.path.parent / "classes").iterdir()) == list("0123456789")
    assert ganzoo.evaluate(run, n=300, metrics=["label-accuracy"]).metrics["label-accuracy"]["generated"] > 0
