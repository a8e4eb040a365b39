"""A run goes on from what it left, however little that is, or says in one sentence why it cannot."""

import json
import shutil

import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.training.runs import checkpoint
from trainings import assert_same_weights, keeping, tiny, train_with

TINY = tiny(steps=6, log_every=2, sample_every=3, save_every=2)
train = train_with(TINY)


@pytest.mark.parametrize("recipe", ["vanilla", "dcgan", "wgan", "wgan-gp"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_that_stopped_goes_on_bit_for_bit(tmp_path, recipe, precision):
    options = {"batch": 8, "log_every": 2, "precision": precision}
    small = {} if recipe == "vanilla" else {"width": 8}
    whole = train(tmp_path / "whole", recipe, train={"steps": 5, **options}, architecture=small)
    part = train(tmp_path / "part", recipe, train={"steps": 3, **options}, architecture=small)
    resumed = ganzoo.train(out=part.path, resume=True, device="cpu", quiet=True, train={"steps": 5})
    assert_same_weights(whole, resumed)
    steps = [line["step"] for line in resumed.metrics]
    assert steps == sorted(set(steps))


def test_python_batches_can_be_trained_on_and_resumed(tmp_path):
    batches = [{"image": torch.rand(8, 3, 5, 7) * 2 - 1} for _ in range(3)]
    run = train(tmp_path / "run", data=batches)
    assert run.sample(2).shape == (2, 3, 5, 7)
    with pytest.raises(ganzoo.BadInput, match=r"data=batches"):
        ganzoo.train(out=run.path, resume=True, quiet=True, train={"steps": 8})
    again = ganzoo.train(out=run.path, resume=True, data=batches, device="cpu", quiet=True, train={"steps": 8})
    assert checkpoint.read_newest(again.checkpoints)[0].numbers["index"] == 8


def test_a_half_written_line_of_the_log_does_not_hinder(tmp_path):
    run = train(tmp_path / "run")
    with (run.path / "metrics.jsonl").open("a") as log:
        log.write('{"step": 8, "ima')
    again = ganzoo.train(out=run.path, resume=True, device="cpu", quiet=True, train={"steps": 8})
    assert [line["step"] for line in again.metrics] == [2, 4, 6, 8]
    json.loads((run.path / "metrics.jsonl").read_text().splitlines()[-1])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"optimizer.name": "rmsprop"}, "a run keeps its optimizers"),
        ({"architecture.widths": [9]}, r"a run keeps its architecture: 'architecture.\w+.widths' is \[16\], not \[9\]"),
        ({"data.size": 32}, r"a run keeps the shape of its data: its images are \(1, 28, 28\), not \(1, 32, 32\)"),
    ],
)
def test_a_resume_that_cannot_be_leaves_the_run_as_it_was(tmp_path, change, sentence):
    run = train(tmp_path / "run")
    before = (run.path / "recipe.toml").read_text()
    with pytest.raises(ganzoo.BadInput, match=sentence):
        ganzoo.train(out=run.path, resume=True, device="cpu", quiet=True, train={"steps": 8}, **change)
    assert (run.path / "recipe.toml").read_text() == before


def test_what_was_lost_after_the_last_checkpoint_is_made_again(tmp_path):
    run = train(tmp_path / "run")
    shutil.rmtree(checkpoint.list_checkpoints(run.checkpoints)[-1])
    shutil.rmtree(run.model_folder)
    (run.path / "samples" / "step-000006.png").unlink()
    ganzoo.train(out=run.path, resume=True, device="cpu", quiet=True)
    assert run.sample(2).shape == (2, 1, 28, 28)
    assert (run.path / "samples" / "step-000006.png").exists()


def test_a_folder_of_pictures_is_found_again_from_anywhere(tmp_path, monkeypatch):
    for place, colour in (("one", 10), ("two", 200)):
        (tmp_path / place / "pics").mkdir(parents=True)
        Image.new("L", (28, 28), colour).save(tmp_path / place / "pics" / "a.png")
    monkeypatch.chdir(tmp_path / "one")
    run = train(tmp_path / "run", data="pics", **{"data.size": 28})
    monkeypatch.chdir(tmp_path / "two")
    assert run.recipe.data.name == str(tmp_path / "one" / "pics")
    assert "one" not in (run.model_folder / "config.json").read_text()


def test_a_second_training_in_the_same_run_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ganzoo.training.runs.run.LOCK_TIMEOUT_SECONDS", 0)
    run = train(tmp_path / "run")
    before = (run.path / "recipe.toml").read_text()
    with run.locked(), pytest.raises(ganzoo.BadInput, match="another training is at work in"):
        ganzoo.train(out=run.path, resume=True, device="cpu", quiet=True, train={"steps": 8})
    assert (run.path / "recipe.toml").read_text() == before
    again = ganzoo.train(out=run.path, resume=True, device="cpu", quiet=True, train={"steps": 8})
    assert again.metrics[-1]["step"] == 8


def test_a_finished_run_says_so_and_stays_as_it_is(tmp_path):
    run = train(tmp_path / "run")
    before = (run.path / "model" / "config.json").stat().st_mtime_ns
    said = []
    with keeping(said):
        ganzoo.train(out=run.path, resume=True, device="cpu", quiet=True)
    assert "is finished: it was trained for 6 steps; to continue, give it more steps: -o train.steps=12" in said[-1]
    assert (run.path / "model" / "config.json").stat().st_mtime_ns == before


def test_a_damaged_checkpoint_is_passed_over_and_said(tmp_path):
    run = train(tmp_path / "run")
    newest = checkpoint.list_checkpoints(run.checkpoints)[-1] / "state.safetensors"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    said = []
    with keeping(said):
        ganzoo.train(out=run.path, resume=True, device="cpu", quiet=True)
    assert "checkpoint step-000006 is damaged or cannot be read; using the one before it" in said
    assert [line["step"] for line in run.metrics] == [2, 4, 6]


def test_a_key_that_an_earlier_version_did_not_have_is_no_change(tmp_path):
    run = train(tmp_path / "run")
    path = run.path / "history.jsonl"
    line = json.loads(path.read_text())
    del line["recipe"]["data"]["broken"]
    path.write_text(json.dumps(line) + "\n")
    again = ganzoo.train(out=run.path, resume=True, device="cpu", quiet=True, train={"steps": 8})
    assert again.history[-1]["changed"] == {"train.steps": [6, 8]}
