"""A ZIP file is read in place, as the folder that it was made of."""

import shutil
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.data import archive, folders
from ganzoo.data.sources import open_data


@pytest.fixture
def folder(tmp_path):
    """Pictures of noise in two classes, with what is passed over beside them."""
    top = tmp_path / "set" / "photos"
    rng = np.random.default_rng(0)
    for number in range(30):
        path = top / ["cats", "dogs"][number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(path)
    for name in (".hidden.png", "__MACOSX/cats/1.png"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(top / "cats" / "0.png", top / name)
    (top / "notes.txt").write_text("no image")
    return top


def zipped(folder, method=zipfile.ZIP_DEFLATED):
    target = folder.parent / "photos.zip"
    with zipfile.ZipFile(target, "w", method) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, f"photos/{path.relative_to(folder).as_posix()}")
    return target


def same(one, other):
    return all(torch.equal(one[key], other[key]) for key in one) and one.keys() == other.keys()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_an_archive_is_the_folder_that_it_was_made_of(folder, method):
    one, other = open_data(str(folder), size=16), open_data(str(zipped(folder, method)), size=16)
    assert (other.classes, other.count, other.fingerprint) == (["cats", "dogs"], 30, one.fingerprint)
    assert same(next(one.batches(30, 0)), next(other.batches(30, 0)))
    assert other.name == "photos.zip" and other.opened_as == "folder"
    assert any("1 .txt" in note for note in other.notes) and any("__MACOSX" in note for note in other.notes)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_large_archive_is_read_while_training(folder, workers, monkeypatch):
    whole = next(open_data(str(folder), size=16).batches(30, 0))
    monkeypatch.setattr(folders, "MAX_IMAGES_IN_MEMORY", 5)
    data = open_data(str(zipped(folder)), size=16, workers=workers)
    batches = data.batches(30, 0)
    assert same(whole, next(batches))
    batches.close()


def test_held_out_images_of_an_archive_are_those_of_the_folder(folder):
    one, other = (open_data(str(path), size=16, holdout=0.3) for path in (folder, zipped(folder)))
    assert one.count == other.count < 30
    assert same(next(one.held_out.batches(4, 0)), next(other.held_out.batches(4, 0)))


@pytest.mark.parametrize("name", ["dataset.json", "labels.csv"])
def test_the_labels_may_be_in_the_archive(folder, name):
    names = [f"{['cats', 'dogs'][number % 2]}/{number}.png" for number in range(30)]
    pairs = ", ".join(f'["{each}", {place % 3}]' for place, each in enumerate(names))
    texts = {
        "dataset.json": f'{{"labels": [{pairs}]}}',
        "labels.csv": "file,class\n" + "".join(f"{each},{place % 3}\n" for place, each in enumerate(names)),
    }
    path = zipped(folder)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(name, texts[name])
    data = open_data(str(path), size=16, **({"labels": name} if name == "labels.csv" else {}))
    assert data.classes == ["0", "1", "2"] and next(data.batches(30, 0))["label"].bincount().tolist() == [10, 10, 10]


def test_a_training_on_an_archive_goes_on(folder, typed, tmp_path):
    quick = ["-o", "train.batch=4", "-o", "architecture.width=8", "-o", "data.size=16", "--device", "cpu"]
    out = str(tmp_path / "run")
    code, _, err = typed("train", "dcgan", "--data", str(zipped(folder)), *quick, "-o", "train.steps=1", "--out", out)
    assert code == 0, err
    code, _, err = typed("train", "--resume", out, "-o", "train.steps=2", "--device", "cpu")
    assert code == 0, err


def test_what_is_no_archive_is_refused(folder, tmp_path):
    path = zipped(folder)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ganzoo.BadInput, match="is a file; data is a folder or ZIP file of images"):
        open_data(str(path))
    empty = tmp_path / "empty.zip"
    with zipfile.ZipFile(empty, "w") as file:
        file.writestr("readme.txt", "nothing")
    with pytest.raises(ganzoo.BadInput, match=r"there is no image below '.*empty\.zip'; left out 1 file in no format"):
        open_data(str(empty))


def test_a_damaged_file_of_an_archive_is_skipped_and_named(folder):
    path = zipped(folder, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        info = file.getinfo("photos/cats/0.png")
    content[info.header_offset + 200] ^= 255
    path.write_bytes(content)
    data = open_data(str(path), size=16)
    assert any("skipped 1 of 30 images that cannot be read" in note and "0.png" in note for note in data.notes)


def test_a_file_that_claims_to_be_huge_is_not_unpacked(folder, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_FILE", 100)
    with pytest.raises(ganzoo.BadInput, match=r"no file below .* can be read as an image: .* it has [\d,]+ bytes, and"):
        open_data(str(zipped(folder)), size=16)
