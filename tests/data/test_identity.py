"""By what a resumed training tells that a folder is another: the names of its classes and files."""

import shutil

import pytest
import torch

from ganzoo import BadInput
from ganzoo.data.sources import open_data
from pictures import flat


@pytest.fixture
def pets(tmp_path):
    for number, name in enumerate(["cats/1.png", "cats/é.png", "dogs/1.png"]):
        flat(tmp_path / "pets" / name, number)
    return tmp_path / "pets"


def fingerprint(folder):
    return open_data(folder, size=8).fingerprint


def test_a_fingerprint_is_the_same_wherever_the_folder_lies(pets, tmp_path, monkeypatch):
    before = fingerprint(pets)
    shutil.move(pets, tmp_path / "elsewhere")
    (tmp_path / "elsewhere/cats/é.png").rename(tmp_path / "elsewhere/cats/e\u0301.png")  # as macOS writes it
    assert fingerprint(tmp_path / "elsewhere") == before
    monkeypatch.setattr("ganzoo.data.folders.MAX_IMAGES_IN_MEMORY", 0)
    assert fingerprint(tmp_path / "elsewhere") == before
    assert open_data("mnist-10k").fingerprint is None


@pytest.mark.parametrize(
    "change",
    [
        lambda top: (top / "cats/1.png").unlink(),
        lambda top: (top / "cats/1.png").rename(top / "cats/0.png"),
        lambda top: (top / "cats/1.png").rename(top / "dogs/2.png"),
        lambda top: (top / "cats").rename(top / "lions"),
        lambda top: flat(top / "birds/1.png", 0),
    ],
)
def test_a_fingerprint_changes_with_the_names_of_files(pets, change):
    before = fingerprint(pets)
    change(pets)
    assert fingerprint(pets) != before


def test_classes_take_the_numbers_of_a_run_begun_before(pets):
    found = open_data(pets, size=8)
    found.use_classes(["dogs", "cats"])
    assert found.classes == ["dogs", "cats"] and found.labels.tolist() == [1, 1, 0]
    found.use_classes(["cats", "dogs"])
    assert found.labels.tolist() == [0, 0, 1] and found.labels.dtype == torch.int64
    found.use_classes([])
    assert found.labels is None and found.facts == {"image": (3, 8, 8)}
    assert list(next(found.batches(2, 0))) == ["image"]


def test_both_forms_of_unicode_are_one_class(tmp_path):
    for number, name in enumerate(["cafe\u0301", "bar"]):  # as macOS writes it
        flat(tmp_path / name / "1.png", number)
    found = open_data(tmp_path, size=8)
    assert found.classes == ["bar", "caf\u00e9"]
    for name in ("caf\u00e9", "cafe\u0301"):
        found.use_classes([name, "bar"])
        assert found.classes == ["caf\u00e9", "bar"] and found.labels.tolist() == [1, 0]


def test_other_classes_are_refused_by_name(pets):
    sentence = "pets has other classes than before: without 'lions', with 'cats'"
    with pytest.raises(BadInput, match=sentence):
        open_data(pets, size=8).use_classes(["lions", "dogs"])
    batches = open_data([{"image": torch.zeros(2, 1, 8, 8)}], classes=["a", "b"])
    with pytest.raises(BadInput, match="the classes of batches must keep their order: b, a"):
        batches.use_classes(["b", "a"])
