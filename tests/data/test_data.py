"""Data: its order, its pixels, its faults, and that a stream goes on exactly where it stopped."""

import gzip
import hashlib
import http.server
import io
import pickle
import struct
import subprocess
import sys
import tarfile
import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.datasets
from PIL import Image
from torch.utils.data import DataLoader

import ganzoo
from ganzoo import BadInput, Unavailable
from ganzoo._seeds import make_rng
from ganzoo.data.base import normalize_images
from ganzoo.data.batches import Batches
from ganzoo.data.images import ImageFiles, list_images
from ganzoo.data.memory import InMemory, batch_indices, permute_epoch, resize_images
from ganzoo.data.named import LSUN_CATEGORIES, find_data_root
from ganzoo.data.sources import open_data
from ganzoo.data.stream import Streamed

NOWHERE = "http://127.0.0.1:9/"


def some(count, *shape, dtype=torch.uint8, seed=0):
    return torch.randint(0, 256, (count, *shape), generator=make_rng("test", seed)).to(dtype)


def take(batches, count):
    return list(islice(batches, count))


def same(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)


def save(path, pixels, **options):
    """Write pixels (height, width) or (height, width, channels) as an image file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path, **options)


def flat(path, value, size=(8, 8)):
    """An RGB image file of one grey level: its pixels tell which file it is."""
    save(path, np.full((*size, 3), value))


def levels(batch):
    """The grey level of each image in a batch of flat ones."""
    return ((batch["image"].mean((1, 2, 3)) + 1) * 127.5).round().long().tolist()


def pixels_of(found):
    """All images of an in-memory set as integers (n, channels, height, width)."""
    assert isinstance(found, InMemory)
    return found.images.long()


@pytest.fixture
def streamed(monkeypatch):
    """Have every folder streamed."""
    monkeypatch.setattr("ganzoo.data.sources.MAX_IMAGES_IN_MEMORY", 0)


# The order of samples


def plain_order(count, seed, epochs):
    """All positions of some epochs, one after the other."""
    return [i for e in range(epochs) for i in torch.randperm(count, generator=make_rng("epoch", seed, e)).tolist()]


@pytest.mark.parametrize(("count", "batch"), [(10, 5), (10, 4), (3, 8), (1, 2), (7, 7)])
def test_batches_are_cut_from_shuffled_epochs_in_a_row(count, batch):
    found = [place for places in take(batch_indices(count, batch, 5), 12) for place in places.tolist()]
    expected = plain_order(count, 5, 12 * batch // count + 1)
    assert found == expected[: 12 * batch]
    assert sorted(found[:count]) == list(range(count))


@pytest.mark.parametrize("start", [1, 2, 3, 7, 50])
def test_positions_can_start_anywhere(start):
    whole = take(batch_indices(10, 4, 0), start + 5)[start:]
    assert [p.tolist() for p in take(batch_indices(10, 4, 0, 4 * start), 5)] == [p.tolist() for p in whole]


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = [
        tuple(permute_epoch(100, seed, epoch, torch.device("cpu")).tolist()) for seed in (0, 1) for epoch in (0, 1)
    ]
    assert len(set(orders)) == 4


# In memory


def test_in_memory_batches_hold_the_right_images_scaled_and_their_labels():
    images, labels = some(10, 3, 4, 4), torch.arange(10) % 4
    found = InMemory("x", images, labels, "abcd")
    for batch, places in zip(take(found.batches(4, 1), 6), batch_indices(10, 4, 1), strict=False):
        exact = images[places].double() / 127.5 - 1
        assert batch["image"].dtype == torch.float32 and batch["label"].dtype == torch.int64
        assert torch.allclose(batch["image"].double(), exact, atol=2e-7, rtol=0)
        assert torch.equal(batch["label"], labels[places])


def test_black_and_white_are_exactly_minus_one_and_one():
    images = normalize_images(torch.arange(256, dtype=torch.uint8))
    assert images[0] == -1 and images[255] == 1 and images.diff().min() > 0


def test_in_memory_data_says_what_it_is():
    found = InMemory("x", some(10, 3, 4, 6), torch.zeros(10, dtype=torch.int64), ["a", "b"])
    assert (len(found), found.count, found.facts) == (10, 10, {"image": (3, 4, 6), "classes": 2})
    assert found.description == {
        "name": "x",
        "kind": "image",
        "shape": [3, 4, 6],
        "range": [-1, 1],
        "classes": ["a", "b"],
    }
    assert InMemory("x", some(10, 1, 4, 4)).facts == {"image": (1, 4, 4)}


def test_unlabelled_batches_have_no_label():
    assert take(InMemory("x", some(4, 1, 2, 2)).batches(2, 0), 1)[0].keys() == {"image"}


@pytest.mark.parametrize("start", [1, 2, 9])
def test_in_memory_batches_go_on_exactly(start):
    found = InMemory("x", some(10, 3, 4, 4), torch.arange(10), [str(i) for i in range(10)])
    same(take(found.batches(4, 3, 4 * start), 4), take(found.batches(4, 3), start + 4)[start:])


def test_in_memory_batches_are_made_on_the_device_that_the_data_was_moved_to():
    # The meta device computes no values, and refuses to work together with tensors of another.
    found = InMemory("x", some(10, 3, 4, 4), torch.arange(10)).to("meta")
    batch = take(found.batches(4, 0), 4)[-1]
    assert found.images.device.type == found.labels.device.type == "meta"
    assert batch["image"].device.type == batch["label"].device.type == "meta"
    assert batch["image"].shape == (4, 3, 4, 4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_cuda_batches_are_the_same_and_made_without_synchronisation():
    images, labels = some(1000, 3, 8, 8), torch.arange(1000)
    expected = take(InMemory("x", images, labels).batches(64, 0), 40)
    found = InMemory("x", images, labels).to("cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        made = take(found.batches(64, 0), 40)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    same([{key: value.cpu() for key, value in batch.items()} for batch in made], expected)


@pytest.mark.parametrize(
    "images",
    [torch.zeros(3, 1, 4, 4), torch.zeros(3, 4, 4, dtype=torch.uint8), torch.zeros(0, 1, 4, 4, dtype=torch.uint8)],
)
def test_in_memory_refuses_what_is_not_uint8_images(images):
    with pytest.raises(BadInput, match="images must be uint8"):
        InMemory("x", images)


# What comes with the package


def test_mnist_10k_is_the_start_of_mnist():
    found = open_data("mnist-10k")
    assert found.images.shape == (10_000, 1, 28, 28) and found.facts == {"image": (1, 28, 28), "classes": 10}
    # The counts are those of MNIST's first 10,000 training labels.
    assert found.labels.bincount().tolist() == [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]
    assert found.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert found.images.amin() == 0 and found.images.amax() == 255
    digest = hashlib.sha256(found.images.numpy().tobytes()).hexdigest()
    assert digest == "2f7182bf021ffc5c1f62db987487f14d899b5c639f421a80f3095affc09a7db2"
    digest = hashlib.sha256(found.labels.byte().numpy().tobytes()).hexdigest()
    assert digest == "2f345bad07338ec537641465e169cc4b7288a44244f251211c7f842641e7d927"
    assert found.classes == list("0123456789") and found.notes == []


def test_resizing_agrees_with_pillow():
    images = some(1001, 1, 28, 28)
    resized, notes = resize_images(images, 20, 1)
    for i in (0, 999, 1000):
        expected = Image.fromarray(images[i, 0].numpy()).resize((20, 20), Image.Resampling.BILINEAR)
        assert np.abs(np.asarray(expected).astype(int) - resized[i, 0].numpy()).max() <= 1
    assert notes == ["resized the images from 28 x 28 to 20 x 20"]


def test_named_sets_take_size_and_channels():
    found = open_data("mnist-10k", size=32, channels=3)
    assert found.facts["image"] == (3, 32, 32) and len(found.notes) == 2
    assert torch.equal(found.images[:, 0], found.images[:, 2])


def test_grey_is_the_luma_of_colour():
    images = some(5, 3, 4, 4)
    grey, notes = resize_images(images, 4, 1)
    weights = torch.tensor([0.2989, 0.587, 0.114], dtype=torch.float64).view(3, 1, 1)
    assert ((images.double() * weights).sum(1) - grey[:, 0]).abs().max() <= 1
    assert notes == ["converted the images to grey"]


def test_the_names_are_listed_without_torch():
    code = "import sys, ganzoo.data.named as d; assert 'mnist-10k' in d.DATA_SETS; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Downloaded sets


def idx(array):
    """An array of bytes in the IDX format: two zeros, type 8, the number of axes, their lengths, the bytes."""
    return struct.pack(f">4B{array.ndim}i", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def idx_files(count=20):
    images, labels = some(count, 28, 28).numpy(), (np.arange(count) % 10).astype(np.uint8)
    files = {"train-images-idx3-ubyte": idx(images), "train-labels-idx1-ubyte": idx(labels)}
    files |= {"t10k-images-idx3-ubyte": idx(images[:2]), "t10k-labels-idx1-ubyte": idx(labels[:2])}
    return images, labels, files


def write_files(folder, files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.fixture
def offline(monkeypatch):
    """Have every download go where nobody answers."""
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [NOWHERE])
    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "mirrors", [NOWHERE])
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", NOWHERE)


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


class Served:
    """Files served from the loopback interface, and what was asked for."""

    def __init__(self, files):
        self.asked = asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                content = files[self.path.lstrip("/")]
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def md5(content):
    return hashlib.md5(content).hexdigest()


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


def cifar_files():
    """CIFAR-10's own layout, four images in each file: rows of 1024 red, 1024 green and 1024 blue bytes."""
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    files, rows = {}, {name: some(4, 3072, seed=name).numpy() for name in names}
    for i, name in enumerate(names):
        files[name] = pickle.dumps({"data": rows[name], "labels": [i, i, 9, 9]})
    files["batches.meta"] = pickle.dumps({"label_names": [f"kind {i}" for i in range(10)]})
    return rows, files


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


def celeba_files(folder, monkeypatch, count=6):
    """CelebA's own layout, with images that are flat; the last one belongs to another split."""
    names = [f"{i:06}.png" for i in range(1, count + 1)]
    for i, name in enumerate(names):
        flat(folder / "img_align_celeba" / name, 10 * i, (22, 18))
    rows = {"list_eval_partition.txt": [f"{name} {int(name == names[-1])}" for name in names]}
    rows["identity_CelebA.txt"] = [f"{name} 1" for name in names]
    for kind in ("attr", "bbox", "landmarks_align"):
        rows[f"list_{kind}_celeba.txt"] = [str(count), "first second", *(f"{name} 1 -1" for name in names)]
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


@pytest.mark.parametrize(("name", "package"), [("celeba", "gdown"), ("lsun:bedroom", "lmdb")])
def test_a_missing_package_is_named_with_the_extra_that_brings_it(tmp_path, monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BadInput, match=rf"{name} needs the package {package}; .*pip install 'ganzoo\[data\]'"):
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
    monkeypatch.chdir(tmp_path)  # torchvision writes a list of keys into the working directory
    (tmp_path / "lsun").mkdir()
    with lmdb.open(str(tmp_path / "lsun/tower_train_lmdb")) as database, database.begin(write=True) as write:
        for i in range(5):
            flat(tmp_path / "image.png", 10 * i)
            write.put(f"key {i}".encode(), (tmp_path / "image.png").read_bytes())
    found = open_data("lsun:tower", root=tmp_path, size=8)
    assert found.facts == {"image": (3, 8, 8)}
    same(take(found.batches(2, 0, 4), 2), take(found.batches(2, 0), 4)[2:])
    assert sorted(levels(found.first(5, 0))) == [0, 10, 20, 30, 40]


def test_lsun_that_is_not_there_is_unavailable(tmp_path, monkeypatch):
    pytest.importorskip("lmdb")
    with pytest.raises(Unavailable, match=r"unpack tower_train_lmdb\.zip"):
        open_data("lsun:tower", root=tmp_path)


# Folders


def test_a_folder_is_read_in_order_at_any_depth_without_hidden_files(tmp_path):
    for i, name in enumerate(["a/x/1.png", "a/2.JPEG", "b.PNG", "c.webp", "d.gif", "e.tiff", "f.bmp"]):
        flat(tmp_path / name, 30 * i)
    for name in [".hidden.png", ".cache/1.png", "a/.x.png"]:
        flat(tmp_path / name, 255)
    (tmp_path / "notes.txt").write_text("no image")
    found = open_data(tmp_path, size=8)
    # "a/2" comes before "a/x/1".
    assert pixels_of(found).float().mean((1, 2, 3)).round().tolist() == [30, 0, 60, 90, 120, 150, 180]
    assert found.facts == {"image": (3, 8, 8)} and found.name == tmp_path.name


def test_top_level_sub_folders_are_classes(tmp_path):
    for name in ["dogs/1.png", "cats/deep/2.png", "cats/1.png"]:
        flat(tmp_path / name, 1)
    found = open_data(tmp_path)
    assert found.classes == ["cats", "dogs"] and found.labels.tolist() == [0, 0, 1]
    assert found.facts == {"image": (3, 64, 64), "classes": 2}
    assert found.notes[0] == "2 classes by sub-folder: cats, dogs"


@pytest.mark.parametrize("names", [["a/1.png", "a/2.png"], ["a/1.png", "b/2.png", "3.png"]])
def test_one_sub_folder_or_an_image_beside_them_means_no_labels(tmp_path, names):
    for name in names:
        flat(tmp_path / name, 1)
    found = open_data(tmp_path, size=8)
    assert found.facts == {"image": (3, 8, 8)} and found.classes == [] and found.labels is None
    assert any("1 of 3 images lie beside" in note for note in found.notes) == ("3.png" in names)


def test_links_are_followed_but_not_in_circles(tmp_path):
    flat(tmp_path / "data/a/1.png", 1)
    flat(tmp_path / "elsewhere/2.png", 2)
    (tmp_path / "data/a/up").symlink_to(tmp_path / "data")
    (tmp_path / "data/b").symlink_to(tmp_path / "elsewhere")
    assert list_images(tmp_path / "data") == ["a/1.png", "b/2.png"]


def test_names_that_are_no_unicode_are_kept(tmp_path):
    names = ["ä/ß.png", "b\udcff.png", "c.png"]
    files = ImageFiles(tmp_path, names)
    assert [files.path(i) for i in range(3)] == [str(tmp_path / name) for name in names]


def test_images_are_cut_to_the_centre_and_resized(tmp_path):
    pixels = some(40, 100, 3).numpy()
    save(tmp_path / "wide.png", pixels)
    expected = Image.fromarray(pixels[:, 30:70]).resize((16, 16), Image.Resampling.BILINEAR)
    found = pixels_of(open_data(tmp_path, size=16))[0].permute(1, 2, 0).numpy()
    # At the border the filter reaches over the cut, where the expected one ends.
    assert np.abs(found - np.asarray(expected).astype(int))[:, 1:-1].max() <= 1


def test_images_that_fit_stay_as_they_are(tmp_path):
    pixels = some(8, 8, 3).numpy()
    save(tmp_path / "1.png", pixels)
    found = open_data(tmp_path, size=8)
    assert np.array_equal(pixels_of(found)[0].permute(1, 2, 0).numpy(), pixels) and found.notes == []


def test_small_images_are_enlarged(tmp_path):
    flat(tmp_path / "1.png", 7, (3, 5))
    assert pixels_of(open_data(tmp_path)).unique().tolist() == [7]


def test_large_photographs_are_close_to_a_full_decode(tmp_path):
    wave = 128 + 100 * np.sin(np.arange(256) * 2 * np.pi / 16)
    save(tmp_path / "1.jpg", np.broadcast_to(wave[:, None, None], (256, 256, 3)), quality=95)
    expected = Image.open(tmp_path / "1.jpg").resize((64, 64), Image.Resampling.BILINEAR)
    found = pixels_of(open_data(tmp_path, size=64))[0].permute(1, 2, 0).numpy()
    assert np.abs(found - np.asarray(expected).astype(int))[2:-2].max() <= 10


def test_exif_orientation_is_applied(tmp_path):
    pixels = some(8, 8, 3).numpy()
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = 6  # turn by 90 degrees clockwise to show
    image.save(tmp_path / "1.png", exif=image.getexif())
    found = pixels_of(open_data(tmp_path, size=8))[0].permute(1, 2, 0).numpy()
    assert np.array_equal(found, np.rot90(pixels, -1))


def test_transparency_is_white(tmp_path):
    pixels = some(8, 8, 4).numpy()
    pixels[0, 0, 3], pixels[0, 1, 3] = 0, 255
    save(tmp_path / "1.png", pixels)
    found = pixels_of(open_data(tmp_path, size=8))[0].permute(1, 2, 0).numpy()
    alpha = pixels[..., 3:] / 255
    assert np.abs(found - (pixels[..., :3] * alpha + 255 * (1 - alpha))).max() <= 1
    assert found[0, 0].tolist() == [255, 255, 255] and np.array_equal(found[0, 1], pixels[0, 1, :3])


def test_sixteen_bits_are_scaled_to_eight(tmp_path):
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(values).save(tmp_path / "1.png")
    Image.fromarray(values.astype(np.int32)).save(tmp_path / "2.tif")
    found = open_data(tmp_path, size=8)
    assert np.array_equal(pixels_of(found)[:, 0].numpy(), np.stack([(values / 257).round()] * 2))
    assert found.notes == ["converted 2 images to grey (2 16-bit)"]


def test_images_that_are_all_grey_stay_grey(tmp_path):
    save(tmp_path / "1.png", some(8, 8).numpy())
    Image.new("1", (8, 8), 1).save(tmp_path / "2.png")
    Image.new("LA", (8, 8), (100, 0)).save(tmp_path / "3.png")
    found = open_data(tmp_path, size=8)
    assert found.facts["image"] == (1, 8, 8) and pixels_of(found)[1:].unique().tolist() == [255]
    assert found.notes == ["converted 2 images to grey (1 black and white, 1 with transparency)"]


def test_channels_overrule_what_the_images_are(tmp_path):
    save(tmp_path / "1.png", some(8, 8).numpy())
    assert open_data(tmp_path, size=8, channels=3).facts["image"] == (3, 8, 8)
    flat(tmp_path / "2.png", 9)
    found = open_data(tmp_path, size=8, channels=1)
    assert found.facts["image"] == (1, 8, 8) and pixels_of(found)[1].unique().tolist() == [9]
    assert found.notes == ["converted 1 images to grey (1 colour)"]


def test_what_was_converted_is_said_once(tmp_path):
    flat(tmp_path / "0.png", 0)
    flat(tmp_path / "1.png", 0, (8, 9))
    for i in range(3):
        Image.new("P", (8, 8)).save(tmp_path / f"p{i}.png")
    Image.new("RGBA", (16, 16)).save(tmp_path / "t.png")
    Image.new("CMYK", (8, 8)).save(tmp_path / "c.jpg")
    converted = "converted 5 images to RGB (3 palette, 1 CMYK, 1 with transparency)"
    assert open_data(tmp_path, size=8).notes == [f"{converted} and resized 2 to 8 x 8 (data.size says to what)"]


def test_of_an_animation_the_first_frame_is_taken(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((200, 0, 0), (0, 200, 0))]
    frames[0].save(tmp_path / "1.gif", save_all=True, append_images=frames[1:])
    assert pixels_of(open_data(tmp_path, size=8))[0, :, 0, 0].tolist() == [200, 0, 0]


def broken(path, size=(64, 64)):
    """A PNG that says what it is and ends too early."""
    save(path, some(*size, 3).numpy())
    path.write_bytes(path.read_bytes()[:300])


def test_a_broken_image_in_a_small_folder_is_named(tmp_path):
    flat(tmp_path / "1.png", 0)
    broken(tmp_path / "2.png")
    with pytest.raises(BadInput, match=r"cannot read the image '.*2\.png': .*truncated"):
        open_data(tmp_path)


def test_a_file_that_is_no_image_is_named(tmp_path):
    flat(tmp_path / "1.png", 0)
    (tmp_path / "2.png").write_text("hello")
    with pytest.raises(BadInput, match=r"'.*2\.png': it is not in a format"):
        open_data(tmp_path)


def test_floating_point_pixels_are_refused(tmp_path):
    Image.fromarray(np.zeros((8, 8), dtype=np.float32)).save(tmp_path / "1.tif")
    with pytest.raises(BadInput, match=r"1\.tif': pixels in floating point"):
        open_data(tmp_path)


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "deep").mkdir()
    with pytest.raises(BadInput, match=r"no image below .*\.png"):
        open_data(tmp_path)


@pytest.mark.parametrize("limit", [0, 5000])
def test_a_folder_where_no_image_can_be_read_is_refused(tmp_path, monkeypatch, limit):
    monkeypatch.setattr("ganzoo.data.sources.MAX_IMAGES_IN_MEMORY", limit)
    (tmp_path / "1.png").write_text("hello")
    (tmp_path / "2.png").write_text("hello")
    with pytest.raises(BadInput, match=r"no file below .* can be read"):
        open_data(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    flat(tmp_path / "1.png", 0)
    with pytest.raises(BadInput, match=r"1\.png' is a file; data is a folder of images or the name of a data set"):
        open_data(tmp_path / "1.png")


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match="no data set or folder 'mnst'; did you mean 'mnist'"):
        open_data("mnst")


@pytest.mark.parametrize("options", [{"size": 0}, {"size": 2.5}, {"size": "64"}, {"channels": 2}, {"channels": 4}])
def test_sizes_and_channels_have_a_range(options):
    with pytest.raises(BadInput, match=f"^{next(iter(options))} is"):
        open_data("mnist-10k", **options)


def test_the_number_of_classes_must_agree(tmp_path):
    assert open_data("mnist-10k", classes=10).facts["classes"] == 10
    with pytest.raises(BadInput, match="mnist-10k has 10 classes, so classes cannot be 7"):
        open_data("mnist-10k", classes=7)
    flat(tmp_path / "1.png", 0)
    with pytest.raises(BadInput, match="has no labels"):
        open_data(tmp_path, classes=2)


# Streams


def many(folder, count=12):
    """Labelled flat images: the even ones in a/, the odd ones in b/."""
    for i in range(count):
        flat(folder / "ab"[i % 2] / f"{i:03}.png", 20 * i, (9, 8))


def test_a_large_folder_streams_what_a_small_one_holds(tmp_path, monkeypatch):
    many(tmp_path)
    whole = open_data(tmp_path, size=8)
    monkeypatch.setattr("ganzoo.data.sources.MAX_IMAGES_IN_MEMORY", 11)
    stream = open_data(tmp_path, size=8)
    assert isinstance(stream, Streamed) and len(stream) == stream.count == 12
    assert stream.facts == whole.facts == {"image": (3, 8, 8), "classes": 2}
    same(take(stream.batches(5, 4), 6), take(whole.batches(5, 4), 6))
    same([stream.first(5, 4)], take(whole.batches(5, 4), 1))


def test_few_images_that_need_much_memory_are_streamed(tmp_path, monkeypatch):
    many(tmp_path, 3)
    monkeypatch.setattr("ganzoo.data.sources.MAX_BYTES_IN_MEMORY", 3 * 3 * 8 * 8)
    assert isinstance(open_data(tmp_path, size=8), InMemory)
    assert isinstance(open_data(tmp_path, size=9), Streamed)


@pytest.mark.parametrize("start", [1, 5])
def test_streams_go_on_exactly_also_past_broken_images(tmp_path, streamed, start):
    many(tmp_path)
    broken(tmp_path / "a/004.png")
    found = open_data(tmp_path, size=8)
    same(take(found.batches(5, 1, 5 * start), 3), take(found.batches(5, 1), start + 3)[start:])


def test_reading_leaves_torchs_random_numbers_alone(tmp_path, streamed):
    many(tmp_path)
    before = torch.get_rng_state()
    take(open_data(tmp_path, size=8).batches(5, 1), 3)
    assert torch.equal(torch.get_rng_state(), before)


INTERRUPTED = """
import os, signal, sys
from ganzoo.data import sources
sources.MAX_IMAGES_IN_MEMORY = 0
if __name__ == "__main__":
    batches = sources.open_data(sys.argv[1], size=8).batches(2, 0)
    first = [next(batches) for _ in range(8)]
    signal.signal(signal.SIGINT, lambda *_: None)
    os.killpg(0, signal.SIGINT)
    print(len([next(batches) for _ in range(20)]))
    batches.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no process groups")
def test_a_stream_outlives_ctrl_c_so_that_a_training_can_end_in_order(tmp_path):
    many(tmp_path / "images")
    (tmp_path / "script.py").write_text(INTERRUPTED)
    command = [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "images")]
    done = subprocess.run(command, start_new_session=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "20\n", "")


def test_in_a_stream_the_next_image_takes_a_broken_ones_place(tmp_path, streamed):
    many(tmp_path)
    # In order: a/000 a/002 a/004 a/006 a/008 a/010 b/001 ...; the two broken ones are neighbours.
    broken(tmp_path / "a/010.png")
    broken(tmp_path / "b/001.png")
    order = [0, 2, 4, 6, 8, 3, 3, 3, 5, 7, 9, 11]
    found = open_data(tmp_path, size=8)
    notes = list(found.notes)
    places = plain_order(12, 0, 1)
    batch = next(found.batches(12, 0))
    assert levels(batch) == [20 * order[place] for place in places]
    assert batch["label"].tolist() == [order[place] % 2 for place in places]
    assert len(found.skipped) == 2 and found.notes[:-1] == notes
    assert found.notes[-1].startswith("skipped 2 images that cannot be read, the last is '")


def test_the_count_of_skipped_images_grows_in_one_note(tmp_path, streamed):
    many(tmp_path)
    for name in ("a/000.png", "a/004.png", "b/003.png"):
        broken(tmp_path / name)
    found = open_data(tmp_path, size=8)
    counts = [(len(found.skipped), len(found.notes)) for _ in islice(found.batches(2, 0), 9)]
    assert counts[-1] == (3, 3) and counts == sorted(counts) and len(set(counts)) > 1


def test_the_end_of_the_folder_is_followed_by_its_start(tmp_path, streamed):
    many(tmp_path, 4)
    broken(tmp_path / "b/003.png")
    assert sorted(levels(next(open_data(tmp_path, size=8).batches(4, 0)))) == [0, 0, 20, 40]


def test_a_stream_of_broken_images_alone_is_refused(tmp_path, streamed):
    for i in range(3):
        broken(tmp_path / f"{i}.png")
    found = open_data(tmp_path, size=8)
    with pytest.raises(BadInput, match=r"images in a row cannot be read, the last is '.*png'"):
        next(found.batches(2, 0))


def test_a_stream_is_grey_if_the_files_looked_at_are(tmp_path, streamed, monkeypatch):
    for i in range(9):
        save(tmp_path / f"{i}.png", np.full((8, 8), 10 * i))
    (tmp_path / "4.png").write_text("hello")
    assert open_data(tmp_path, size=8).facts["image"] == (1, 8, 8)
    flat(tmp_path / "5.png", 50)
    assert open_data(tmp_path, size=8).facts["image"] == (3, 8, 8)
    monkeypatch.setattr("ganzoo.data.sources.MAX_FILES_EXAMINED", 3)
    found = open_data(tmp_path, size=8)
    assert found.facts["image"] == (1, 8, 8)
    assert sorted(levels(next(found.batches(9, 0)))) == [0, 10, 20, 30, 50, 50, 60, 70, 80]


# Iterables of batches


def batch_list(count=3, n=4, seed=0):
    images = some(count * n, 1, 2, 2, dtype=torch.float32, seed=seed) / 127.5 - 1
    labels = torch.arange(count * n) % 3
    return [{"image": i, "label": la} for i, la in zip(images.split(n), labels.split(n), strict=True)]


def test_a_list_of_batches_is_gone_through_again():
    batches = batch_list()
    found = open_data(batches, classes=["a", "b", "c"])
    assert found.facts == {"image": (1, 2, 2), "classes": 3} and found.count is None and found.notes == []
    same(take(found.batches(4, 0), 7), (batches * 3)[:7])
    same(take(found.batches(4, 0), 2), batches[:2])
    same([found.first(4, 0)], batches[:1])


@pytest.mark.parametrize("start", [1, 3, 5])
def test_iterables_go_on_exactly(start):
    batches = batch_list()
    same(
        take(open_data(batches).batches(4, 0, 4 * start), 4),
        (batches * 4)[start : start + 4],
    )


def test_a_data_loader_gives_its_own_batches():
    samples = [{"image": torch.full((1, 2, 2), i / 10), "label": i} for i in range(6)]
    found = open_data(DataLoader(samples, batch_size=2), classes=6)
    assert found.facts == {"image": (1, 2, 2), "classes": 6}
    assert [batch["label"].tolist() for batch in take(found.batches(2, 0), 4)] == [[0, 1], [2, 3], [4, 5], [0, 1]]


def test_a_generator_loses_no_batch_and_its_end_is_an_error():
    batches = batch_list()
    stream = open_data(iter(batches)).batches(4, 0)
    same(take(stream, 3), batches)
    with pytest.raises(BadInput, match="a generator function ends"):
        next(stream)


def test_numpy_and_uint8_are_converted():
    raw = some(4, 3, 2, 2)
    found = open_data([{"image": raw.numpy(), "label": np.arange(4, dtype=np.int32), "weight": np.ones(4)}])
    batch = next(found.batches(4, 0))
    assert torch.allclose(batch["image"].double(), raw.double() / 127.5 - 1, atol=2e-7, rtol=0)
    assert (batch["image"].dtype, batch["label"].dtype, batch["weight"].dtype) == (
        torch.float32,
        torch.int64,
        torch.float32,
    )


def test_data_without_images_has_no_facts():
    found = open_data([{"x": torch.randn(4, 2, dtype=torch.float64)}])
    assert found.facts == {} and found.description["kind"] == "other"
    assert next(found.batches(4, 0))["x"].dtype == torch.float32


def test_images_that_may_be_in_zero_to_one_are_remarked_upon():
    assert "[0, 1]" in open_data([{"image": torch.rand(4, 1, 2, 2)}]).notes[0]


def test_data_is_taken_as_it_is():
    found = InMemory("x", some(4, 1, 2, 2))
    assert open_data(found) is found


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (3, "not a int"),
        (None, "not a NoneType"),
        ([], "no batch at all"),
        ([torch.zeros(2, 1, 2, 2)], "a batch is a dict of tensors .* got Tensor"),
        ({"image": torch.zeros(2, 1, 2, 2)}, "a batch is a dict of tensors .* got str"),
        ([{}], "a batch is a dict"),
        ([{"image": [[1.0]]}], "'image' of a batch must be a tensor or a numpy array, got list"),
        ([{"image": np.array([None, "x"])}], "'image' of a batch cannot become a tensor"),
        ([{"x": torch.tensor(1.0)}], "'x' of a batch is empty or a single number"),
        ([{"image": torch.zeros(0, 1, 2, 2)}], "'image' of a batch is empty"),
        ([{"image": torch.zeros(2, 4)}], r"'image' must have the shape \(n, channels, height, width\), got \(2, 4\)"),
        ([{"image": torch.zeros(2, 1, 2, 2, dtype=torch.int64)}], "uint8 or floating point in .* got torch.int64"),
        ([{"image": torch.full((2, 1, 2, 2), 255.0)}], r"images must lie in \[-1, 1\], got values from 255 to 255"),
        ([{"image": torch.full((2, 1, 2, 2), torch.nan)}], r"images must lie in \[-1, 1\], got values from nan"),
        ([{"image": torch.zeros(2, 1, 2, 2), "label": torch.zeros(3)}], "one length, got 'image' 2, 'label' 3"),
    ],
)
def test_what_is_no_batch_is_refused_in_a_sentence(source, sentence):
    with pytest.raises(BadInput, match=sentence):
        open_data(source)


def test_labels_must_be_classes():
    with pytest.raises(BadInput, match=r"labels of 2 classes lie in 0..1, got 0..2"):
        open_data(batch_list(), classes=2)


def test_later_batches_are_looked_at_too():
    good = torch.zeros(2, 1, 2, 2)
    for bad, sentence in [(good + 2, "must lie in"), (torch.zeros(2, 1, 3, 3), "one shape, got")]:
        stream = open_data([{"image": good}, {"image": bad}]).batches(2, 0)
        next(stream)
        with pytest.raises(BadInput, match=sentence):
            next(stream)


@pytest.mark.parametrize("options", [{"size": 32}, {"channels": 3}])
def test_batches_are_not_reshaped(options):
    with pytest.raises(BadInput, match="batches are taken as they are"):
        open_data(batch_list(), **options)


def test_what_an_iterable_raises_comes_through():
    def failing():
        yield batch_list()[0]
        raise OSError("disk")

    stream = Batches(failing()).batches(4, 0)
    next(stream)
    with pytest.raises(OSError, match="disk"):
        next(stream)


def test_attribution_comes_with_the_embedded_images():
    text = (Path(ganzoo.__file__).parent / "data" / "mnist10k/ATTRIBUTION.md").read_text()
    assert all(word in text for word in ("LeCun", "Cortes", "Burges", "ShareAlike 3.0"))
