"""A checkpoint that is damaged is passed over, and a disk that cannot be written to leaves the one before."""

import json
import random
import shutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save as save_tensors

import ganzoo
from ganzoo._io import sha256, to_json
from ganzoo.training.runs import checkpoint
from trainings import Heard, index_and_notes, newest, resume, tiny, train_with

TINY = tiny(steps=8, save_every=2, log_every=2)
train = train_with(TINY)


FILES = ["state.safetensors", "state.json"]


PASSED_OVER = (6, ["checkpoint step-000008 is damaged or cannot be read; using the one before it"])


@pytest.mark.parametrize("name", FILES)
def test_a_checkpoint_cut_at_any_of_twenty_places_is_passed_over(run, name):
    path = newest(run) / name
    content = path.read_bytes()
    for place in [0, 1, len(content) - 1, *random.Random(0).sample(range(2, len(content) - 1), 17)]:
        path.write_bytes(content[:place])
        assert index_and_notes(run) == PASSED_OVER, place
    path.write_bytes(content)
    assert index_and_notes(run) == (8, [])


@pytest.mark.parametrize("name", FILES)
def test_a_checkpoint_with_one_other_byte_is_passed_over(run, name):
    path = newest(run) / name
    content = path.read_bytes()
    chance = random.Random(0)
    for place in [0, len(content) - 1, *chance.sample(range(1, len(content) - 1), 200)]:
        altered = bytearray(content)
        altered[place] ^= 1 << chance.randrange(8)
        path.write_bytes(altered)
        assert index_and_notes(run) == PASSED_OVER, place
    path.write_bytes(content + b" ")
    assert index_and_notes(run) == PASSED_OVER


@pytest.mark.parametrize("name", FILES)
def test_a_checkpoint_that_lacks_a_file_is_passed_over(run, name):
    (newest(run) / name).unlink()
    assert index_and_notes(run) == PASSED_OVER


def change(numbers, **values):
    """What a stranger makes of a checkpoint's numbers: any content, with the right hash."""
    changed = {key: value for key, value in (numbers | values).items() if value is not MISSING and key != "sha256"}
    return to_json(changed | {"sha256": checkpoint.hash_numbers(changed)})


MISSING = object()
STRANGE = {
    "an index that is text": {"index": "8"},
    "no index": {"index": MISSING},
    "a negative index": {"index": -8},
    "a format that is text": {"format": "3"},
    "no format": {"format": MISSING},
    "losses that are a number": {"losses": 3},
    "no turns": {"turns": MISSING},
    "scalers of another type": {"scalers": {"generator": 1}},
    "a ledger without tallies": {"ledger": {"turn": 3}},
    "tallies that are text": {"ledger": {"turn": 3, "tallies": ["x"]}},
    "a best that is a list": {"best": [1]},
    "facts that are a list": {"facts": [1]},
    "data that are text": {"data": "x"},
}


@pytest.mark.parametrize("values", STRANGE.values(), ids=STRANGE)
def test_strange_numbers_with_the_right_hash_are_passed_over(run, values):
    path = newest(run) / "state.json"
    path.write_bytes(change(json.loads(path.read_bytes()), **values))
    assert index_and_notes(run) == PASSED_OVER


@pytest.mark.parametrize(
    "content",
    [b"[" * 2000 + b"]" * 2000, b'{"a":' * 2000 + b"1" + b"}" * 2000, b'{"index": ' + b"9" * 5000 + b"}", b"[]"],
)
def test_numbers_that_python_cannot_read_are_passed_over(run, content):
    (newest(run) / "state.json").write_bytes(content)
    assert index_and_notes(run) == PASSED_OVER


def test_tensors_that_are_none_with_the_right_hash_are_passed_over(run):
    folder = newest(run)
    (folder / "state.safetensors").write_bytes(b"no tensors")
    path = folder / "state.json"
    path.write_bytes(change(json.loads(path.read_bytes()), tensors=sha256(b"no tensors")))
    assert index_and_notes(run) == PASSED_OVER


def test_a_file_in_the_place_of_a_checkpoint_is_passed_over(run):
    shutil.rmtree(newest(run))
    (run.checkpoints / "step-000008").write_text("")
    assert index_and_notes(run) == PASSED_OVER


def test_tensors_that_do_not_fit_are_said(run):
    folder = newest(run)
    content = save_tensors({"rng.run": torch.zeros(3)})
    (folder / "state.safetensors").write_bytes(content)
    path = folder / "state.json"
    path.write_bytes(change(json.loads(path.read_bytes()), tensors=sha256(content)))
    with pytest.raises(ganzoo.BadInput, match="the checkpoint does not fit this recipe"):
        resume(run.path, train={"steps": 9})


def test_a_damaged_checkpoint_is_made_again_the_same(run, finished):
    (newest(run) / "state.safetensors").write_bytes(b"")
    heard = Heard()
    resume(run.path, heard)
    assert PASSED_OVER[1][0] in heard.lines
    one, other = (checkpoint.read_newest(each.checkpoints)[0] for each in (run, finished))
    assert all(torch.equal(value, other.tensors[name]) for name, value in one.tensors.items())


def test_a_run_without_one_sound_checkpoint_says_so(run):
    for folder in checkpoint.list_checkpoints(run.checkpoints):
        (folder / "state.json").write_text("{}")
    with pytest.raises(ganzoo.BadInput, match="there is no intact checkpoint in"):
        resume(run.path)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (99, rf"has format 99, this ganzoo reads up to {checkpoint.FORMAT}; install a newer one"),
        (1, r"has format 1, which this ganzoo no longer reads; start a new run"),
    ],
)
def test_a_checkpoint_of_another_format_is_refused(run, number, sentence):
    path = newest(run) / "state.json"
    numbers = json.loads(path.read_text()) | {"format": number}
    del numbers["sha256"]
    path.write_bytes(to_json(numbers | {"sha256": checkpoint.hash_numbers(numbers)}))
    with pytest.raises(ganzoo.BadInput, match=sentence):
        resume(run.path, train={"steps": 9})
    assert newest(run).exists()


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a file system of its own takes Linux")
def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, command):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", disk], capture_output=True).returncode:
        pytest.skip("only the superuser may mount a file system")
    try:
        words = ["-o", "train.save_every=2", "-o", "train.batch=8", "-o", "architecture.widths=[64]"]
        done = command("train", "vanilla", "--out", disk / "run", *words, "-o", "train.steps=2")
        assert done.returncode == 0, done.stderr
        (disk / "ballast").write_bytes(b"x" * (shutil.disk_usage(disk).free - 100_000))
        full = command("train", "--resume", disk / "run", "-o", "train.steps=4")
        assert full.returncode == 2, full.stderr
        assert "No space left on device; the last good checkpoint is kept; go on from step-000002" in full.stderr
        (disk / "ballast").unlink()
        assert command("train", "--resume", disk / "run", "-o", "train.steps=4").returncode == 0
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_buffer_that_is_no_number_is_not_saved_as_good(tmp_path, shaky):
    recipe = TINY | {"loss": ["non-saturating", {"name": "shaky", "place": "buffer"}]}
    with pytest.raises(ganzoo.Diverged, match=r"a buffer has a NaN after step 6; the last good .* step-000004"):
        train(tmp_path / "run", recipe)


def test_a_damaged_line_of_the_log_costs_that_line_alone(run):
    path = run.path / "metrics.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:-3], *lines[2:]]) + "\n")
    resume(run.path, train={"steps": 10})
    assert [line["step"] for line in run.metrics] == [2, 6, 8, 10]
