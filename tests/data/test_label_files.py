"""Labels from a file beside the images: which column becomes which key, and one sentence for what does not fit."""

import json

import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.data.sources import open_data

FIVE = ["a.png", "b.png", "sub/c.png", "sub/d.jpg", "e.png"]
TABLE = """file,hair,age,class
a.png,short,20,1
b.png,long,31.5,0
sub/c.png,short,20,1
d,long,18,3
e.png,none,-4e1,0
"""


@pytest.fixture
def folder(tmp_path):
    """Five images, each of one grey level that tells which it is."""
    top = tmp_path / "photos"
    for level, name in enumerate(FIVE):
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), 50 * level).save(path)
    return top


def by_name(data, *keys):
    """The values of keys for each image, recognised by its grey level."""
    batch = next(data.batches(data.count, 0))
    order = ((batch["image"][:, 0, 0, 0] + 1) * 127.5 / 50).round().long().tolist()
    found = {FIVE[place]: tuple(word(data, key, batch[key][row]) for key in keys) for row, place in enumerate(order)}
    return dict(sorted(found.items()))


def word(data, key, value):
    classes = data.classes_of(key)
    return classes[value] if classes else value.item()


def opened(folder, text=TABLE, name="labels.csv", **options):
    (folder / name).write_text(text, encoding="utf-8")
    return open_data(str(folder), size=16, labels=name, **options)


def test_each_column_becomes_a_key_of_classes_or_of_amounts(folder):
    data = opened(folder)
    assert by_name(data, "hair", "age", "class") == {
        "a.png": ("short", 20, "1"),
        "b.png": ("long", 31.5, "0"),
        "e.png": ("none", -40, "0"),
        "sub/c.png": ("short", 20, "1"),
        "sub/d.jpg": ("long", 18, "3"),
    }
    assert data.classes_of("class") == ["0", "1", "3"] and data.classes_of("age") == []
    assert data.specs["age"].kind == "other" and next(data.batches(2, 0))["age"].dtype == torch.float32
    assert "labels by labels.csv: hair (3 classes), age (-40 to 31.5), class (3 classes)" in data.notes


def test_names_that_no_key_can_have_become_keys(folder):
    rows = "".join(f"{name},short,2\n" for name in FIVE)
    assert {*opened(folder, f"file,hair colour,5_o'clock\n{rows}").specs} == {"image", "hair_colour", "_5_o_clock"}


def test_one_column_is_the_label(folder):
    data = opened(folder, label="hair")
    assert data.classes == ["long", "none", "short"] and set(data.specs) == {"image", "label"}
    assert by_name(data, "label")["sub/d.jpg"] == ("long",)
    alone = opened(folder, "file;kind\n" + "".join(f"{name};{name[-5]}\n" for name in FIVE))
    assert alone.classes == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("\ufeffImage_ID\tkind\r\na.png\tx\r\nb.png\ty\r\nc.png\tx\r\nd.jpg\ty\r\ne.png\tx\r\n", "t.tsv"),
        ('kind,path\n"x","./a.png"\n"y",b.png\nx,sub\\c.png\n\ny,"sub/d.jpg"\nx,e\n', "l.csv"),
        (
            json.dumps({"labels": [["a.png", 0], ["b.png", 1], ["sub/c.png", 0], ["sub/d.jpg", 1], ["e.png", 0]]}),
            "x.json",
        ),
    ],
)
def test_tables_as_programs_write_them(folder, text, name):
    data = opened(folder, text, name)
    found = [value for (value,) in by_name(data, "label").values()]
    assert found in (["x", "y", "x", "x", "y"], ["0", "1", "0", "0", "1"])


def test_the_file_of_stylegan_is_found_by_itself(folder):
    pairs = [[name, place % 2] for place, name in enumerate(FIVE)]
    (folder / "dataset.json").write_text(json.dumps({"labels": pairs}))
    data = open_data(str(folder), size=16)
    assert by_name(data, "label") == {name: (str(place % 2),) for place, name in enumerate(FIVE)}


def test_images_without_a_row_are_left_out_and_that_is_said(folder):
    data = opened(folder, "file,kind\nb.png,x\nsub/d.jpg,y\n")
    assert by_name(data, "label") == {"b.png": ("x",), "sub/d.jpg": ("y",)}
    assert "left out 3 images without a row in labels.csv: 'a.png', 'e.png', 'sub/c.png'" in data.notes


def test_a_file_may_name_the_images_of_all_parts_of_a_data_set(tmp_path):
    for part in ("train", "val"):
        (tmp_path / "set" / part).mkdir(parents=True)
        for level in range(3):
            Image.new("L", (16, 16), 50 * level).save(tmp_path / "set" / part / f"{part}{level}.png")
    rows = "".join(f"{part}/{part}{level}.png,{part}\n" for part in ("train", "val") for level in range(3))
    data = opened(tmp_path / "set", "file,part\n" + rows)
    assert data.count == 3 and data.classes == ["train"]


def test_the_same_labels_are_the_same_data_and_others_are_not(folder):
    first, again = opened(folder).fingerprint, opened(folder, TABLE.replace("20", "20.0")).fingerprint
    assert first == again != opened(folder, TABLE.replace("31.5", "31")).fingerprint
    (folder / "labels.csv").unlink()
    assert open_data(str(folder), size=16).fingerprint != first


def test_held_out_images_keep_their_labels(tmp_path):
    top = tmp_path / "many"
    top.mkdir()
    for number in range(60):
        Image.new("L", (16, 16), 4 * number).save(top / f"{number}.png")
    (top / "labels.csv").write_text("file,parity,number\n" + "".join(f"{n}.png,p{n % 2},{n}\n" for n in range(60)))
    data = open_data(str(top), size=16, labels="labels.csv", holdout=0.3)
    for part in (data, data.held_out):
        batch = next(part.batches(part.count, 0))
        levels = ((batch["image"][:, 0, 0, 0] + 1) * 127.5 / 4).round()
        assert batch["number"].tolist() == levels.tolist()
        assert batch["parity"].tolist() == (levels % 2).tolist()
    assert data.count + data.held_out.count == 60


MANY = "file,words\n" + "".join(f"{name},w\n" for name in FIVE)
REFUSED = {
    "no such file": (None, {}, "there is no file 'labels.csv', neither in '.*photos' nor here"),
    "a file that is not there": (
        TABLE + "f.png,long,3,1\n",
        {},
        "names a file that is not there: 'f.png'",
    ),
    "no rows": ("file,hair\n", {}, "has no rows below its first line"),
    "one column": ("file\na.png\n", {}, "has one column alone"),
    "a column twice": ("file,x,x\na.png,1,2\n", {}, "has the column 'x' twice"),
    "a column without name": ("file,,x\na.png,1,2\n", {}, "has a column without a name"),
    "too few cells": ("file,x,y\na.png,1,2\nb.png,1\n", {}, "line 3 has 2 cells, the first line 3"),
    "mixed types": (
        "file,x\na.png,1\nb.png,old\n",
        {},
        "the column 'x' has numbers, and 'old' in line 3; write numbers",
    ),
    "an empty cell": ("file,x\na.png,1\nb.png,\n", {}, "line 3 has no 'x'"),
    "not a number": ("file,x\na.png,1\nb.png,nan\n", {}, "has numbers, and 'nan' in line 3"),
    "a file twice": ("file,x\na.png,1\n./a.png,2\n", {}, "names 'a.png' twice, in lines 2 and 3"),
    "two names of a file": (
        "file,x\nsub/c.png,1\nc.png,2\n",
        {},
        "has two rows for 'sub/c.png': 'sub/c.png' and 'c.png'",
    ),
    "an unknown column": (TABLE, {"label": "hare"}, "no column 'hare' for data.label; did you mean 'hair'"),
    "a taken name": ("file,z,x\na.png,1,2\n", {}, "a column cannot be called 'z', which has a meaning; rename it"),
    "no csv": ('file,x\n"a.png,1\n', {}, "is no CSV file"),
    "no text": (b"\xff\xfe\x00", {}, "cannot read '.*labels.csv' as UTF-8 text"),
}


@pytest.mark.parametrize(("text", "options", "words"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_in_a_sentence(folder, text, options, words):
    if text is not None:
        (folder / "labels.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ganzoo.BadInput, match=words) as caught:
        open_data(str(folder), size=16, labels="labels.csv", **options)
    assert "\n" not in str(caught.value)


BROKEN_JSON = {
    "nothing": ("", "is no JSON file"),
    "a list": ("[]", "has no labels; it needs"),
    "null": ('{"labels": null}', "has no labels; it needs"),
    "a vector": ('{"labels": [["a.png", [0, 1]]]}', r"label 1 is \[\"a.png\", \[0, 1\]\]; it needs"),
    "a truth": ('{"labels": [["a.png", true]]}', "label 1 is"),
    "no pair": ('{"labels": [["a.png"]]}', "label 1 is"),
}


@pytest.mark.parametrize(("text", "words"), BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_a_broken_file_of_stylegan_is_refused(folder, text, words):
    (folder / "dataset.json").write_text(text)
    with pytest.raises(ganzoo.BadInput, match=words):
        open_data(str(folder), size=16)


def test_free_text_is_no_class(tmp_path):
    top = tmp_path / "many"
    top.mkdir()
    for number in range(120):
        Image.new("L", (8, 8), number).save(top / f"{number}.png")
    (top / "labels.csv").write_text("file,caption\n" + "".join(f"{n}.png,caption {n}\n" for n in range(120)))
    with pytest.raises(
        ganzoo.BadInput, match="the column 'caption' has 120 different words for 120 images, so they are no"
    ):
        open_data(str(top), size=8, labels="labels.csv")


def test_a_column_without_a_file_is_refused(folder):
    with pytest.raises(
        ganzoo.BadInput, match=r"data\.label chooses columns of a file of labels; give that as data.labels"
    ):
        open_data(str(folder), label="hair")


def test_the_same_name_in_two_folders_needs_paths(tmp_path):
    for part in "xy":
        (tmp_path / "set" / part).mkdir(parents=True)
        Image.new("L", (8, 8)).save(tmp_path / "set" / part / "1.png")
    with pytest.raises(ganzoo.BadInput, match=r"'1\.png' may be any of 'x/1\.png', 'y/1\.png'; write paths"):
        opened(tmp_path / "set", "file,kind\n1.png,a\n")


def test_several_attributes_of_avatars_are_keys_of_their_own():
    data = open_data("avatars-5k", label=["eyes", "body"], count=40)
    assert set(data.specs) == {"image", "eyes", "body"}
    one = {key: open_data("avatars-5k", label=key, count=40) for key in ("eyes", "body")}
    batch = next(data.batches(40, 0))
    for key, single in one.items():
        assert data.classes_of(key) == single.classes
        assert torch.equal(batch[key], next(single.batches(40, 0))["label"])
