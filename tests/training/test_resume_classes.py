"""Class folders that changed between two parts of a training: their numbers stay, or the run says what is wrong."""

import json
import re
import shutil

import pytest
import torch

import ganzoo
from ganzoo._io import to_json
from ganzoo.training.runs import checkpoint
from pictures import write_images
from trainings import keeping, newest, trained

NAMES = ("cat", "dog", "emu")
LABELLED = {"architecture": {"name": "conditional", "width": 4}, "loss": ["non-saturating"]}
PLAIN = {"architecture": {"name": "vanilla", "widths": [16]}, "loss": ["non-saturating"]}
TRAIN = {"batch": 4, "precision": "fp32", "steps": 2}


def begin(recipe, home):
    for name in NAMES:
        write_images(home / "pics" / name, count=4)
    settings = {"data.name": str(home / "pics"), "data.size": 28}
    return trained(recipe | {"train": TRAIN}, out=home / "run", **settings)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Runs with and without labels, and the folder of three classes that they learned from."""
    return {
        name: begin(recipe, tmp_path_factory.mktemp(name))
        for name, recipe in (("labelled", LABELLED), ("plain", PLAIN))
    }


@pytest.fixture
def begun(whole, tmp_path):
    """Copies a run and its images; returns the run, the folder and a function that resumes it."""

    def copy(kind):
        home = shutil.copytree(whole[kind].path.parent, tmp_path / kind)
        said = []

        def resume():
            with keeping(said):
                run = ganzoo.train(
                    out=home / "run", resume=True, device="cpu", quiet=True, data=str(home / "pics"), train={"steps": 4}
                )
            return run, said

        return ganzoo.Run(home / "run"), home / "pics", resume

    return copy


def rename(pics):
    (pics / "cat").rename(pics / "zebra")


def remove(pics):
    shutil.rmtree(pics / "cat")


def add(pics):
    shutil.copytree(pics / "cat", pics / "ant")


WAYS = [(rename, "without 'cat', with 'zebra'"), (remove, "without 'cat'"), (add, "with 'ant'")]


@pytest.mark.parametrize(("way", "difference"), WAYS)
def test_other_classes_are_refused_and_the_run_stays(begun, way, difference):
    run, pics, resume = begun("labelled")
    way(pics)
    before = (run.path / "recipe.toml").read_bytes(), (run.path / "history.jsonl").read_bytes()
    with pytest.raises(ganzoo.BadInput, match=f"{difference}; a run keeps its classes"):
        resume()
    assert before == ((run.path / "recipe.toml").read_bytes(), (run.path / "history.jsonl").read_bytes())


def reverse_classes(run, forget=False):
    """Have a run's checkpoint know its classes in another order, or not at all, as earlier checkpoints do."""
    path = newest(run) / "state.json"
    numbers = json.loads(path.read_text())
    del numbers["sha256"]
    numbers["data"]["classes"] = list(reversed(NAMES))
    if forget:
        del numbers["data"]
    path.write_bytes(to_json(numbers | {"sha256": checkpoint.hash_numbers(numbers)}))


class Labels(ganzoo.Callback):
    """Keeps the data of a training."""

    def on_train_start(self, trainer):
        self.data = trainer.data


@pytest.mark.parametrize("forget", [False, True])
def test_the_same_classes_in_another_order_keep_their_numbers(begun, forget):
    run, pics, _ = begun("labelled")
    reverse_classes(run, forget)
    config = run.model_folder / "config.json"
    config.write_text(
        config.read_text().replace('"cat",\n      "dog",\n      "emu"', '"emu",\n      "dog",\n      "cat"')
    )
    heard, said = Labels(), []
    with keeping(said):
        settings = {"data": str(pics), "train": {"steps": 4}, "callbacks": [heard]}
        resumed = ganzoo.train(out=run.path, resume=True, device="cpu", quiet=True, **settings)
    assert heard.data.classes == ["emu", "dog", "cat"]
    assert heard.data.labels.tolist() == [2] * 4 + [1] * 4 + [0] * 4
    assert resumed.model.classes == ["emu", "dog", "cat"]
    assert any(
        re.search("keep the numbers that the run has given them: 0 is 'emu', 1 is 'dog', 2 is 'cat'", line)
        for line in said
    )


def test_networks_without_labels_go_on_with_other_classes_and_say_so(begun):
    _, pics, resume = begun("plain")
    rename(pics)
    run, said = resume()
    assert run.metrics[-1]["step"] == 4
    assert "the classes of pics have changed since the last checkpoint, and no network uses them" in said


def test_other_files_are_said(begun):
    _, pics, resume = begun("labelled")
    (pics / "cat" / "00.png").unlink()
    _, said = resume()
    sentence = "the files of pics have changed since the last checkpoint: there were 12 images, now there are 11"
    assert any(line.startswith(sentence) for line in said)


def test_the_same_files_in_another_place_are_not_said_and_change_nothing(begun, whole, tmp_path):
    _, _, resume = begun("labelled")
    run, said = resume()
    assert not [line for line in said if "have changed" in line or "classes of" in line]
    shutil.copytree(whole["labelled"].path.parent, tmp_path / "other")
    moved = ganzoo.train(out=tmp_path / "other" / "run", resume=True, device="cpu", quiet=True, train={"steps": 4})
    one, other = (checkpoint.read_newest(each.checkpoints)[0].tensors for each in (run, moved))
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
