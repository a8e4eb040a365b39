"""Data sets by name: read from where they are, downloaded once, or refused in one sentence."""

import gzip
import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.datasets

from downloads import Served, cifar_files, idx_files, md5, write_files
from ganzoo import BadInput, Unavailable
from ganzoo.data.named import LSUN_CATEGORIES, find_data_root
from ganzoo.data.sources import open_data
from pictures import flat, levels
from samples import same, take


@pytest.mark.parametrize(
    ("name", "kind", "classes"),
    [("mnist", "MNIST", "0 1 2"), ("fashion-mnist", "FashionMNIST", "T-shirt/top Trouser Pullover")],
)
def test_idx_sets_are_read_from_where_they_are(tmp_path, offline, name, kind, classes):
    images, labels, files = idx_files()
    write_files(tmp_path / kind / "raw", files)
    found = open_data(name, root=tmp_path)
    assert np.array_equal(found.images[:, 0].numpy(), images) and found.labels.tolist() == labels.tolist()
    assert found.facts == {"image": (1, 28, 28), "classes": 10}
    assert found.name == name and found.classes[:3] == classes.split()


def test_mnist_is_downloaded_once(tmp_path, monkeypatch):
    images, _, files = idx_files()
    packed = {f"{name}.gz": gzip.compress(content) for name, content in files.items()}
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", [(name, md5(packed[name])) for name in packed])
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "data"))
    with Served(packed) as served:
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [served.url])
        found = open_data("mnist")
        asked = len(served.asked)
        again = open_data("mnist")
    assert asked and len(served.asked) == asked
    assert np.array_equal(found.images[:, 0].numpy(), images) and torch.equal(found.images, again.images)
    assert (tmp_path / "data/MNIST/raw/train-images-idx3-ubyte").is_file()


def test_a_damaged_download_is_refused(tmp_path, monkeypatch):
    packed = {f"{name}.gz": gzip.compress(content) for name, content in idx_files()[2].items()}
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", [(name, md5(b"other")) for name in packed])
    with Served(packed) as served, pytest.raises(Unavailable, match="corrupted"):
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [served.url])
        open_data("mnist", root=tmp_path)


@pytest.fixture
def cifar(monkeypatch):
    """Small files in place of CIFAR-10's, with the checksums that belong to them."""
    rows, files = cifar_files()
    kind = torchvision.datasets.CIFAR10
    listed = [[name, md5(content)] for name, content in files.items()]
    monkeypatch.setattr(kind, "train_list", listed[:5])
    monkeypatch.setattr(kind, "test_list", listed[5:6])
    monkeypatch.setattr(kind, "meta", {"filename": listed[6][0], "key": "label_names", "md5": listed[6][1]})
    return rows, files


def check_cifar(found, rows):
    expected = np.concatenate([rows[f"data_batch_{i}"] for i in range(1, 6)]).reshape(-1, 3, 32, 32)
    assert np.array_equal(found.images.numpy(), expected)
    assert found.labels[:8].tolist() == [0, 0, 9, 9, 1, 1, 9, 9]
    assert found.facts == {"image": (3, 32, 32), "classes": 10} and found.classes[3] == "kind 3"


def test_cifar10_is_read_from_where_it_is(tmp_path, offline, cifar):
    rows, files = cifar
    write_files(tmp_path / "cifar-10-batches-py", files)
    check_cifar(open_data("cifar10", root=tmp_path), rows)


def test_cifar10_is_downloaded(tmp_path, monkeypatch, cifar):
    rows, files = cifar
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "tgz_md5", md5(packed.getvalue()))
    with Served({"c.tar.gz": packed.getvalue()}) as served:
        monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", f"{served.url}c.tar.gz")
        check_cifar(open_data("cifar10", root=tmp_path), rows)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10"])
def test_without_network_a_sentence_says_what_to_do(tmp_path, offline, name):
    with pytest.raises(Unavailable) as error:
        open_data(name, root=tmp_path)
    sentence = str(error.value)
    assert all(part in sentence for part in (name, str(tmp_path), "mnist-10k")) and "\n" not in sentence


def test_a_truncated_file_is_no_data_set(tmp_path, offline):
    files = idx_files()[2]
    files["train-images-idx3-ubyte"] = files["train-images-idx3-ubyte"][:-5]
    write_files(tmp_path / "MNIST/raw", files)
    with pytest.raises(Unavailable, match="mnist is not complete"):
        open_data("mnist", root=tmp_path)


def test_the_root_is_the_argument_then_the_variable_then_a_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "variable"))
    assert find_data_root(tmp_path) == tmp_path
    assert find_data_root() == tmp_path / "variable"
    monkeypatch.delenv("GANZOO_DATA")
    assert find_data_root().parts[-2:] == ("ganzoo", "data")


def celeba_files(folder, monkeypatch, count=6, attributes="first second"):
    """CelebA's own layout, with images that are flat; the last one belongs to another split."""
    names = [f"{i:06}.png" for i in range(1, count + 1)]
    for i, name in enumerate(names):
        flat(folder / "img_align_celeba" / name, 10 * i, (22, 18))
    rows = {"list_eval_partition.txt": [f"{name} {int(name == names[-1])}" for name in names]}
    rows["identity_CelebA.txt"] = [f"{name} 1" for name in names]
    for kind in ("attr", "bbox", "landmarks_align"):
        said = [f"{name} {(-1) ** i} {-((-1) ** i)}" for i, name in enumerate(names)]
        rows[f"list_{kind}_celeba.txt"] = [str(count), f"{attributes} ", *said]
    contents = {name: "\n".join(lines).encode() for name, lines in rows.items()}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    listed = [("", md5(content), name) for name, content in contents.items()]
    monkeypatch.setattr(torchvision.datasets.CelebA, "file_list", listed)


def test_celeba_streams_its_training_images(tmp_path, monkeypatch):
    celeba_files(tmp_path / "celeba", monkeypatch)
    found = open_data("celeba", root=tmp_path, size=8)
    assert found.facts == {"image": (3, 8, 8)} and len(found) == 5
    batch = next(found.batches(5, 0))
    assert batch.keys() == {"image"} and sorted(levels(batch)) == [0, 10, 20, 30, 40]


def test_attributes_of_celeba_are_labels(tmp_path, monkeypatch):
    celeba_files(tmp_path / "celeba", monkeypatch, attributes="5_o_Clock Smiling")
    one = open_data("celeba", root=tmp_path, size=8, label="Smiling")
    assert one.classes == ["no", "yes"]
    batch = next(one.batches(5, 0))
    assert [batch["label"][levels(batch).index(10 * i)] for i in range(5)] == [0, 1, 0, 1, 0]
    both = open_data("celeba", root=tmp_path, size=8, label=["Smiling", "5_o_Clock"])
    assert both.facts["conditions"] == {"Smiling": 2, "_5_o_Clock": 2}
    with pytest.raises(BadInput, match=r"celeba has no attribute 'smiling' .*did you mean 'Smiling'"):
        open_data("celeba", root=tmp_path, size=8, label="smiling")


@pytest.mark.parametrize(("name", "package"), [("celeba", "gdown"), ("lsun:bedroom", "lmdb")])
def test_a_missing_package_is_named_with_the_extra_that_brings_it(tmp_path, monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BadInput, match=rf"{name} needs the package {package}: pip install {package}"):
        open_data(name, root=tmp_path)


@pytest.mark.parametrize("name", ["lsun", "lsun:", "lsun:bedrom"])
def test_an_unknown_category_of_lsun_is_answered_with_the_known_ones(tmp_path, name):
    with pytest.raises(BadInput, match=r"LSUN has no category '\w*'; .*bedroom"):
        open_data(name, root=tmp_path)


def test_the_categories_of_lsun_are_torchvisions():
    with pytest.raises(ValueError, match="Valid values") as error:
        torchvision.datasets.LSUN(".", classes=["nothing_train"])
    assert all(f"'{category}'" in str(error.value) for category in LSUN_CATEGORIES)


def test_lsun_streams_its_training_images(tmp_path, monkeypatch):
    lmdb = pytest.importorskip("lmdb")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lsun").mkdir()
    with lmdb.open(str(tmp_path / "lsun/tower_train_lmdb")) as database, database.begin(write=True) as write:
        for i in range(5):
            flat(tmp_path / "image.png", 10 * i)
            write.put(f"key {i}".encode(), (tmp_path / "image.png").read_bytes())
    found = open_data("lsun:tower", root=tmp_path, size=8)
    assert found.facts == {"image": (3, 8, 8)}
    same(take(found.batches(2, 0, 4), 2), take(found.batches(2, 0), 4)[2:])
    assert sorted(levels(found.first(5, 0))) == [0, 10, 20, 30, 40]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.png", "lsun"]  # no pickle of torchvision's


def test_lsun_that_is_not_there_is_unavailable(tmp_path, monkeypatch):
    pytest.importorskip("lmdb")
    with pytest.raises(Unavailable, match=r"unpack tower_train_lmdb\.zip"):
        open_data("lsun:tower", root=tmp_path)


def test_a_path_is_a_folder_and_a_name_that_is_a_data_set_too_says_how_that_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_data("mnist-10k").notes == []
    flat(tmp_path / "mnist-10k/1.png", 7)
    for folder in ("./mnist-10k", Path("mnist-10k"), Path("./mnist-10k"), tmp_path / "mnist-10k"):
        found = open_data(folder, size=8)
        assert found.count == 1 and found.opened_as == "folder"
    found = open_data("mnist-10k")
    assert found.count == 10_000
    assert found.notes == ["'mnist-10k' is the data set of that name; the folder here is written ./mnist-10k"]
