"""Streamed folders hold what small ones do, go on exactly, and pass over broken images."""

import signal
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo import BadInput
from ganzoo.data.memory import InMemory
from ganzoo.data.sources import open_data
from ganzoo.data.stream import Streamed
from pictures import broken, flat, levels, many, save
from samples import plain_order, same, take


def test_a_large_folder_streams_what_a_small_one_holds(tmp_path, monkeypatch):
    many(tmp_path)
    whole = open_data(tmp_path, size=8)
    monkeypatch.setattr("ganzoo.data.folders.MAX_IMAGES_IN_MEMORY", 11)
    stream = open_data(tmp_path, size=8)
    assert isinstance(stream, Streamed) and len(stream) == stream.count == 12
    assert stream.facts == whole.facts == {"image": (3, 8, 8), "classes": 2}
    same(take(stream.batches(5, 4), 6), take(whole.batches(5, 4), 6))
    same([stream.first(5, 4)], take(whole.batches(5, 4), 1))


def test_few_images_that_need_much_memory_are_streamed(tmp_path, monkeypatch):
    many(tmp_path, 3)
    monkeypatch.setattr("ganzoo.data.folders.MAX_BYTES_IN_MEMORY", 3 * 3 * 8 * 8)
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
from ganzoo.data import folders, sources
folders.MAX_IMAGES_IN_MEMORY = 0
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
    assert counts[-1] == (3, 5) and counts == sorted(counts) and len(set(counts)) > 1


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
    monkeypatch.setattr("ganzoo.data.folders.MAX_FILES_EXAMINED", 3)
    found = open_data(tmp_path, size=8)
    assert found.facts["image"] == (1, 8, 8)
    assert sorted(levels(next(found.batches(9, 0)))) == [0, 10, 20, 30, 50, 50, 60, 70, 80]


def test_a_stream_refuses_a_broken_image_if_it_is_to(tmp_path, streamed):
    many(tmp_path)
    broken(tmp_path / "a/004.png")
    with pytest.raises(
        BadInput,
        match=r"cannot read the image '.*004\.png' \(image file is truncated.*\); data\.broken='skip' leaves it out",
    ):
        take(open_data(tmp_path, size=8, broken="refuse").batches(5, 1), 3)


def test_a_stream_that_is_to_refuse_lists_what_it_finds_broken_at_once(tmp_path, streamed):
    many(tmp_path)
    for name in ("a/000.png", "b/001.png"):
        (tmp_path / name).write_text("hello")
    with pytest.raises(BadInput, match=r"cannot read 2 of 12 images: 'a/000\.png': it is .*; 'b/001\.png': it is "):
        open_data(tmp_path, size=8, broken="refuse")


def test_what_is_said_of_a_large_folder_says_how_many_files_were_examined(tmp_path, streamed, monkeypatch):
    monkeypatch.setattr("ganzoo.data.folders.MAX_FILES_EXAMINED", 3)
    for number in range(7):
        pixels = np.full((8, 9), 100 * number, dtype=np.int32)
        pixels[0] = 0
        Image.fromarray(pixels).save(tmp_path / f"{number}.tif")
    found = open_data(tmp_path, size=8)
    assert found.range == (0, 600) and found.notes[:-1] == [
        "in 3 images with more than 8 bits 0 is shown as black, 600 as white (data.range) (of 3 examined)",
        "converted 3 images to grey (3 32-bit) and resized 3 to 8 x 8 (data.size says to what) (of 3 examined)",
        "cut 3 images to a square: up to 11 % of one ('0.tif'); data.fit='pad' or 'stretch' keeps all of it "
        "(of 3 examined)",
    ]
    batch = found.first(7, 0)
    lowest = batch["image"][:, 0, -1, 0].sort().values  # of float32: nothing is rounded to 8 bits
    torch.testing.assert_close(lowest, torch.arange(7) / 3 - 1)


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="this system has no such signal")
def test_no_handler_is_left_that_raises_errors_anywhere(tmp_path, streamed):
    many(tmp_path)
    before = signal.getsignal(signal.SIGCHLD)
    batches = open_data(tmp_path, size=8).batches(5, 4)
    next(batches)
    assert signal.getsignal(signal.SIGCHLD) is before
    batches.close()


def test_deep_images_that_nobody_has_looked_at_are_not_read_as_black(tmp_path, streamed, monkeypatch):
    monkeypatch.setattr("ganzoo.data.folders.MAX_FILES_EXAMINED", 2)
    for number in range(3):
        save(tmp_path / f"{number}.png", np.full((8, 8), 100))
    Image.fromarray(np.full((8, 8), 4095, dtype=np.uint16)).save(tmp_path / "1.png")
    found = open_data(tmp_path, size=8)
    assert levels(found.first(3, 0)) == [100] * 3
    assert found.notes[-1].startswith("skipped 1 image that cannot be read, the last is '")
    assert found.notes[-1].endswith(
        "1.png' (it has more than 8 bits: give data.range, the values shown as black and white)"
    )
    assert sorted(levels(open_data(tmp_path, size=8, range=[0, 4095]).first(3, 0))) == [100, 100, 255]
