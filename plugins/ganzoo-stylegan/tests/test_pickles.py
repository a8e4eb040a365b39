"""Files of weights may come from anybody: whatever stands in one, nothing of it is run, and a bad one is refused."""

import io
import os
import pickle
import random
import struct
import sys
import zipfile
from pathlib import Path

import pytest
import torch

import ganzoo
from ganzoo_stylegan.importing import read
from ganzoo_stylegan.importing.pickles import BadPickle, Call, Name, read_pickle
from ganzoo_stylegan.importing.tensors import open_container
from stylegan_files import Nvidia, Rosinality


class Reduce:
    """An object whose pickle calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def instructions(*parts):
    """A pickle of raw instructions."""
    return b"\x80\x04" + b"".join(parts) + b"."


TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"
STORAGE = b"X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
HOSTILE = {
    "os.system": lambda trap: pickle.dumps({"g_ema": Reduce(os.system, trap)}),
    "os.system of old": lambda trap: b"cos\nsystem\n(S'" + trap.encode() + b"'\ntR.",
    "an instance": lambda trap: b"(S'" + trap.encode() + b"'\nios\nsystem\n.",
    "an object": lambda trap: b"(cos\nsystem\nS'" + trap.encode() + b"'\no.",
    "eval": lambda trap: pickle.dumps({"G_ema": Reduce(eval, f"__import__('os').system({trap!r})")}),
    "exec": lambda trap: pickle.dumps({"G_ema": Reduce(exec, f"import os; os.system({trap!r})"), "D": None}),
    "torch.load": lambda trap: pickle.dumps({"g_ema": {"a": Reduce(torch.load, trap, None, None, False)}}),
    "getattr": lambda trap: pickle.dumps({"g_ema": Reduce(getattr, Reduce(__import__, "os"), "system")}),
    "import": lambda trap: instructions(b"cantigravity\ngeohash\n)R"),
    "state": lambda trap: instructions(b"cos\nsystem\n)R}X\x01\x00\x00\x00a", b"K\x01sb"),
    "persistent": lambda trap: instructions(b"}X\x05\x00\x00\x00g_ema}X\x01\x00\x00\x00a", b"Psomething\n", b"ss"),
    "extension": lambda trap: instructions(b"\x82\x01"),
    "deep tuple": lambda trap: instructions(b"(" * 50_000, b"t" * 50_000),
    "deep key": lambda trap: instructions(b"}", b"(" * 50_000, b"t" * 50_000, b"K\x01s"),
    "deep function": lambda trap: instructions(
        b"}X\x05\x00\x00\x00g_ema}X\x01\x00\x00\x00a)", b"\x85" * 400_000, b")Rss"
    ),
    "deep version": lambda trap: instructions(
        b"}X\x05\x00\x00\x00G_emactorch_utils.persistence\n_reconstruct_persistent_obj\n",
        b"}X\x07\x00\x00\x00version)" + b"\x85" * 400_000 + b"s\x85Rs",
    ),
    "deep list": lambda trap: instructions(b"]" * 50_000, b"a" * 49_999),
    "a list of itself": lambda trap: instructions(b"}X\x05\x00\x00\x00g_emah\x00s".replace(b"}", b"}q\x00")),
    "many instructions": lambda trap: instructions(b"N0" * 300_000),
    "a long text": lambda trap: instructions(b"\x8d" + struct.pack("<Q", 2**60) + b"abc"),
    "long bytes": lambda trap: instructions(b"\x8e" + struct.pack("<Q", 2**62) + b"abc"),
    "a long frame": lambda trap: instructions(b"\x95" + struct.pack("<Q", 2**60) + b"N"),
    "a far memory": lambda trap: instructions(b"Nr\xff\xff\xff\x7f0j\xff\xff\xff\x7e"),
    "a large number": lambda trap: b"I" + b"9" * 100_000 + b"\n.",
    "an empty stack": lambda trap: instructions(b"t"),
    "no end": lambda trap: b"\x80\x04N",
    "nothing on it": lambda trap: b"\x80\x04.",
    "append to a number": lambda trap: instructions(b"K\x01K\x02a"),
    "items of a list": lambda trap: instructions(b"]K\x01K\x02s"),
    "a buffer outside": lambda trap: instructions(b"\x97"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_nothing_of_a_file_is_run(what, tmp_path):
    flag, file = tmp_path / "flag", tmp_path / "net.pkl"
    file.write_bytes(HOSTILE[what](f"touch {flag}"))
    loaded = set(sys.modules)
    with pytest.raises(ganzoo.BadInput) as caught:
        ganzoo.import_model("stylegan2", file, tmp_path / "model")
    assert "\n" not in str(caught.value)
    assert not flag.exists() and not (tmp_path / "model").exists()
    assert "antigravity" not in set(sys.modules) - loaded


def test_a_call_is_a_note_and_not_made():
    found = read_pickle(io.BytesIO(pickle.dumps([Reduce(os.system, "exit 3"), 1.5, {"a": (None, True)}, {1, 2}])))
    call, *rest = found.content
    assert isinstance(call, Call) and call.function in (Name("posix", "system"), Name("nt", "system"))
    assert (call.arguments, rest) == (("exit 3",), [1.5, {"a": (None, True)}, [1, 2]])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_are_those_that_were_pickled(protocol):
    shared = [1, "two"]
    value = {"a": shared, "b": (shared, b"raw", -5, 2**70, 1.5, "\u00fc\u2603", False), 3: {}, None: ()}
    if protocol < 3:  # which write bytes as a call
        value["b"] = (shared, -5, 2**70, 1.5, "\u00fc\u2603", False)
    found = read_pickle(io.BytesIO(pickle.dumps(value, protocol))).content
    assert found == value and found["a"] is found["b"][0]


def tensor_of(size, stride, offset=b"K\x00", count=b"K\x04"):
    """A pickle with one tensor of a shape in the storage "0"."""
    storage = b"(" + STORAGE + count + b"tQ"
    return instructions(TENSOR + b"(" + storage + offset + size + stride + b"\x89}tR")


def in_archive(path, content, data=bytes(16), compress=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compress) as made:
        made.writestr("net/data.pkl", content)
        made.writestr("net/data/0", data)
    return open_container(path)


SHAPES = {
    "too long": (b"(K\x05t", b"(K\x01t", {}, "is larger than its numbers"),
    "a million million": (b"(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft", b"(K\x00K\x00t", {}, "is larger than its numbers"),
    "strides too long": (b"(K\x02t", b"(K\x04t", {}, "is larger than its numbers"),
    "behind the end": (b"(K\x02t", b"(K\x01t", {"offset": b"K\x03"}, "is larger than its numbers"),
    "below zero": (b"(J\xff\xff\xff\xfft", b"(K\x01t", {}, "is not one"),
    "before the start": (b"(K\x01t", b"(K\x01t", {"offset": b"J\xff\xff\xff\xff"}, "is not one"),
    "a stride too few": (b"(K\x01t", b")", {}, "is not one"),
    "true": (b"(\x88t", b"(K\x01t", {}, "is not one"),
    "a list": (b"]", b"]", {}, "is not what torch writes"),
    "other count": (b"(K\x01t", b"(K\x01t", {"count": b"K\x05"}, "is missing, too large or not as torch writes it"),
    "huge count": (b"(K\x01t", b"(K\x01t", {"count": b"\x8a\x08" + b"\xff" * 7 + b"\x7f"}, "a kind that is not read"),
}


@pytest.mark.parametrize("what", SHAPES)
def test_a_tensor_outside_of_its_numbers_is_refused(what, tmp_path):
    size, stride, more, sentence = SHAPES[what]
    container = in_archive(tmp_path / "net.pt", tensor_of(size, stride, **more))
    with pytest.raises(BadPickle, match=sentence):
        container.tensor(container.content)


def test_a_tensor_inside_of_its_numbers_is_read(tmp_path):
    numbers = struct.pack("<4f", 1, 2, 3, 4)
    container = in_archive(tmp_path / "net.pt", tensor_of(b"(K\x02K\x02t", b"(K\x01K\x02t"), numbers)
    assert container.tensor(container.content).tolist() == [[1, 3], [2, 4]]


def test_tensors_that_share_numbers_do_not_fill_the_memory(tmp_path):
    table = dict.fromkeys(map(str, range(1000)), torch.zeros(10_000))
    torch.save({"g_ema": table}, tmp_path / "net.pt")
    with pytest.raises(ValueError, match="its tensors have far more numbers than the file"):
        read(tmp_path / "net.pt")


def test_small_layers_of_huge_images_are_refused(tmp_path):
    made = Rosinality.make(torch.Generator().manual_seed(1))
    made.state["input.input"] = torch.zeros(1, 6, 2048, 4)
    with pytest.raises(ValueError, match=r"its images have sides of more than 4,096 pixels"):
        read(made.write(tmp_path / "net.pt"))


def test_a_mapping_that_does_not_fit_itself_has_no_mean(tmp_path):
    made = Rosinality.make(torch.Generator().manual_seed(1))
    made.state["style.2.weight"] = torch.zeros(5, 6)
    with pytest.raises(ValueError, match="the layers of its mapping do not fit each other"):
        read(made.write(tmp_path / "net.pt", mean=False))


def test_a_compressed_archive_is_no_file_of_torch(tmp_path):
    with pytest.raises(BadPickle, match=r"its part 'data.pkl' is missing, too large or not as torch writes it"):
        in_archive(tmp_path / "net.pt", tensor_of(b"(K\x01t", b"(K\x01t"), compress=zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool]
)
def test_tensors_are_those_that_torch_saved(zipped, dtype, tmp_path):
    whole = torch.arange(24).view(4, 6).to(dtype)
    table = {"whole": whole, "part": whole[1:, ::2], "turned": whole.T, "one": whole[0, 1], "none": whole[:0]}
    torch.save({**table, "again": torch.nn.Parameter(whole.float())}, tmp_path / "net.pt", pickle_protocol=2)
    torch.save(table, tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
    container = open_container(tmp_path / "net.pt")
    for name, value in table.items():
        assert container.tensor(container.content[name]).equal(value)
        assert container.tensor(container.content[name]).dtype == dtype


KINDS = {"archive": (Rosinality, {}), "row": (Rosinality, {"zipped": False}), "modules": (Nvidia, {})}


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_or_changed_file_is_refused_or_read_and_nothing_else(kind, tmp_path):
    cls, more = KINDS[kind]
    file: Path = cls.make(torch.Generator().manual_seed(1)).write(tmp_path / "net", **more)
    content, rng, refused = file.read_bytes(), random.Random(0), 0
    for number in range(60):
        changed = bytearray(content[: rng.randrange(len(content))] if number % 2 else content)
        for _ in range(0 if number % 2 else 4):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        file.write_bytes(changed)
        try:
            read(file)
        except ValueError as error:
            assert str(error) and "\n" not in str(error)
            refused += 1
    assert refused >= 30
