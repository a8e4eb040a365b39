"""Avatars that are drawn here: the same everywhere, once, in parts, and only those in the public domain."""

import io
import socket
import sys

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("dicebear", reason="draws avatars")
pytest.importorskip("dicebear_styles", reason="draws avatars")
pytest.importorskip("resvg_py", reason="draws avatars")

from ganzoo import BadInput
from ganzoo.data import folders
from ganzoo.data.avatars import album, workers
from ganzoo.data.avatars.album import Album
from ganzoo.data.avatars.bundled import read_bundled
from ganzoo.data.avatars.drawing import draw
from ganzoo.data.avatars.drawn import choose_label
from ganzoo.data.avatars.styles import list_styles, open_style, read_style
from ganzoo.data.sources import open_data
from ganzoo.plugins.builtin import AVATAR_STYLES


@pytest.fixture
def small(monkeypatch):
    """Parts of 4 pictures, drawn in this process."""
    monkeypatch.setattr(album, "PART", 4)
    monkeypatch.setattr(workers, "usable_cores", lambda: 1)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_styles_that_are_named_are_those_in_the_public_domain():
    assert set(AVATAR_STYLES.split()) == set(list_styles())
    for name in list_styles():
        assert read_style(name)["meta"]["license"]["name"].startswith("CC0")


FEW = ("cameo", "gaze", "identicon", "line-face")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in FEW else pytest.mark.slow) for name in AVATAR_STYLES.split()]
)
def test_each_style_draws_the_same_again_and_another_for_each_index_and_seed(name):
    style = open_style(name)
    png, attributes = draw(style, 0, 0, 24)
    assert pixels(png).shape == (24, 24, 4)
    assert draw(style, 0, 0, 24) == (png, attributes)
    assert choose_label(attributes) in attributes
    others = {draw(style, seed, index, 24)[0] for seed, index in [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (2, 0)]}
    assert len(others) > 2  # a style of few pictures may draw one twice


def test_the_bundled_pictures_are_the_first_that_are_drawn():
    bundled, style = read_bundled(), open_style("critters")
    for index in (0, 1, 17, 2499, 2500, 4999):
        png, attributes = draw(style, 0, index, 32)
        # Another version of the packages may round otherwise.
        assert np.abs(pixels(png)[:, :, :3].astype(int) - bundled["images"][index]).max() <= 2
        assert {key: bundled[key][index] for key in bundled if key != "images"}.items() <= attributes.items()


def test_pictures_have_the_size_the_number_and_the_labels_that_are_asked_for(tmp_path, small):
    data = open_data("avatars:sprouts", root=tmp_path, count=10, size=16, label="pot")
    assert data.name == "avatars:sprouts" and data.images.shape == (10, 3, 16, 16)
    drawn = [draw(open_style("sprouts"), 0, index, 16) for index in range(10)]
    assert np.array_equal(data.images.permute(0, 2, 3, 1), np.stack([pixels(png)[:, :, :3] for png, _ in drawn]))
    assert [data.classes[label] for label in data.labels] == [attributes["pot"] for _, attributes in drawn]
    assert data.description["license"] == "CC0-1.0"


def test_the_default_style_size_and_label(tmp_path, small):
    data = open_data("avatars", root=tmp_path, count=5)
    assert data.name == "avatars" and data.facts["image"] == (3, 64, 64)
    assert [data.classes[label] for label in data.labels] == read_bundled()["body"][:5].tolist()


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"size": (16, 24)}, (3, 16, 24)),
        ({"size": (16, 24), "fit": "pad"}, (3, 16, 24)),
        ({"size": 12, "channels": 1}, (1, 12, 12)),
        ({"size": 12, "channels": 4}, (4, 12, 12)),
    ],
)
def test_pictures_have_the_options_of_any_others(tmp_path, small, options, shape):
    assert open_data("avatars:gaze", root=tmp_path, count=4, **options).facts["image"] == shape


def test_what_is_transparent_is_on_the_background_or_stays_so(tmp_path, small):
    corner = {}
    for name, options in {"white": {}, "black": {"background": "black"}, "clear": {"channels": 4}}.items():
        data = open_data("avatars:gaze", root=tmp_path, count=4, size=12, **options)
        corner[name] = data.images[0, :, 0, 0].tolist()
    assert corner == {"white": [255] * 3, "black": [0] * 3, "clear": [0] * 4}


@pytest.mark.parametrize("most", [2**31, 100], ids=["in memory", "read"])
def test_a_part_is_held_out_of_them(tmp_path, small, monkeypatch, most):
    monkeypatch.setattr(folders, "MAX_BYTES_IN_MEMORY", most)
    whole = open_data("avatars:gaze", root=tmp_path, count=40, size=8, workers=0)
    data = open_data("avatars:gaze", root=tmp_path, count=40, size=8, holdout=0.3, workers=0)
    assert data.count + data.held_out.count == 40 == whole.count and 2 < data.held_out.count < 30
    everything = samples_of(whole)
    assert sorted(samples_of(data) + samples_of(data.held_out)) == sorted(everything)


def samples_of(data):
    """All pictures with their labels, as bytes."""
    batch = data.first(data.count, 0)
    images = (image.mul(255).round().numpy().tobytes() for image in batch["image"])
    return [(image, data.classes[label]) for image, label in zip(images, batch["label"], strict=True)]


def count_draws(monkeypatch):
    """Count the pictures that are drawn from now on."""
    drawn = []
    monkeypatch.setattr(album, "draw", lambda *which: drawn.append(which[2]) or draw(*which))
    return drawn


def test_pictures_are_drawn_once_and_more_are_added(tmp_path, small, monkeypatch):
    drawn = count_draws(monkeypatch)
    first = open_data("avatars:gaze", root=tmp_path, count=4, size=8)
    assert drawn == [0, 1, 2, 3]
    again, more = (open_data("avatars:gaze", root=tmp_path, count=count, size=8) for count in (3, 9))
    assert drawn == list(range(12))
    assert torch.equal(again.images, first.images[:3]) and torch.equal(more.images[:4], first.images)
    open_data("avatars:gaze", root=tmp_path, count=4, size=8, seed=1)
    assert len(drawn) == 16


def test_a_drawing_that_is_interrupted_goes_on_where_it_was(tmp_path, small, monkeypatch):
    drawn = count_draws(monkeypatch)

    def stop(*which):
        if which[2] == 6:
            raise KeyboardInterrupt
        return draw(*which)

    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(album, "draw", stop)
        open_data("avatars:gaze", root=tmp_path, count=12, size=8)
    open_data("avatars:gaze", root=tmp_path, count=12, size=8)
    assert drawn == list(range(4, 12))
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("content", ["", "{}", '{"0000000.png": 1}', "[1]"])
def test_damaged_attributes_are_named_and_missing_ones_drawn_again(tmp_path, small, content):
    open_data("avatars:gaze", root=tmp_path, count=4, size=8)
    (file,) = tmp_path.rglob(album.ATTRIBUTES)
    file.write_text(content)
    with pytest.raises(BadInput, match=r"attributes.json is damaged; remove the folder '.*00000'"):
        open_data("avatars:gaze", root=tmp_path, count=4, size=8)
    file.unlink()
    assert open_data("avatars:gaze", root=tmp_path, count=4, size=8).count == 4


def test_what_does_not_fit_in_memory_is_read_while_training(tmp_path, small, monkeypatch):
    held = open_data("avatars:gaze", root=tmp_path, count=6, size=8)
    monkeypatch.setattr(folders, "MAX_BYTES_IN_MEMORY", 100)
    read = open_data("avatars:gaze", root=tmp_path, count=6, size=8, workers=0)
    assert not hasattr(read, "images") and read.facts == held.facts
    for one, other in zip(read.first(6, 1).values(), held.first(6, 1).values(), strict=True):
        assert torch.equal(one, other)


def test_several_processes_draw_what_one_draws(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(workers, "usable_cores", lambda: 2)
    data = open_data("avatars:gaze", root=tmp_path, count=3 * album.PART, size=8)
    assert "drawing avatars:gaze: 750 pictures, once" in capfd.readouterr().err
    for index in (0, album.PART, 3 * album.PART - 1):
        alone, _ = draw(open_style("gaze"), 0, index, 8)
        on_white = np.asarray(Image.alpha_composite(Image.new("RGBA", (8, 8), "white"), Image.fromarray(pixels(alone))))
        assert np.array_equal(data.images[index].permute(1, 2, 0), on_white[:, :, :3])


@pytest.mark.skipif(not hasattr(socket, "SOCK_SEQPACKET"), reason="sees each write of a process as a packet")
def test_a_process_writes_whole_lines_although_its_output_has_no_buffer(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with here, workers.started(Album(tmp_path, "gaze", 0, 8), [0, 1], there.fileno()):
        there.close()
        assert list(iter(lambda: here.recv(100), b"")) == [b"0\n", b"1\n"]


def test_a_process_that_cannot_write_says_so_in_a_sentence(tmp_path):
    (tmp_path / "avatars").write_text("a file in the way")
    with pytest.raises(BadInput, match=r"cannot open .*avatars"):
        open_data("avatars:gaze", root=tmp_path, count=10, size=8)
    parts = workers.draw_parts(Album(tmp_path, "gaze", 0, 8), [0, 1], 2)
    with pytest.raises(BadInput, match=r"cannot write .*avatars"):
        list(parts)


NOT_FREE = r"the style 'adventurer' .* \(its licence: CC BY 4.0\); only styles under CC0 are drawn; allowed: .*critters"
NOT_STATED = r"the style 'bottts' .* \(its licence: Free for personal and commercial use\)"


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("avatars:criters", {}, "there is no style 'criters' of avatars; did you mean 'critters'?"),
        ("avatars:../critters", {}, "there is no style '../critters' of avatars; did you mean 'critters'?"),
        ("avatars", {"style": "clai"}, "there is no style 'clai' of avatars; did you mean 'clay'?"),
        ("avatars:adventurer", {}, NOT_FREE),
        ("avatars:bottts", {}, NOT_STATED),
        (
            "avatars:gaze",
            {"label": "eye", "count": 4},
            "avatars:gaze has no attribute 'eye' for data.label; did you mean",
        ),
        ("avatars", {"count": 0}, "count must be a whole number, 1 or more, got 0"),
        ("avatars", {"count": "many"}, "count must be a whole number, 1 or more, got 'many'"),
        ("avatars", {"seed": -1}, "seed must be a whole number, 0 or more, got -1"),
        ("avatars", {"size": 4096}, "size is at most 2048 pixels, got 4096"),
        ("avatars", {"lable": "body"}, "unknown key 'data.lable'; did you mean 'label'?"),
        ("avatarz", {}, "there is no data set or folder 'avatarz'; did you mean 'avatars'"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, small, name, options, sentence):
    with pytest.raises(BadInput, match=sentence) as error:
        open_data(name, root=tmp_path, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("modules", "sentence"),
    [
        (["resvg_py"], "avatars needs the package resvg-py: pip install resvg-py"),
        (
            ["dicebear_styles", "dicebear"],
            "packages dicebear-styles and dicebear-core: pip install dicebear-styles dice",
        ),
    ],
)
def test_missing_packages_are_named_with_what_to_install(tmp_path, monkeypatch, modules, sentence):
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BadInput, match=sentence):
        open_data("avatars:clay", root=tmp_path)
