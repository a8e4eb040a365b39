"""Losses, networks, data and their readers that break in mid-run are named, and the checkpoint is kept."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

import ganzoo
from pictures import write_images
from trainings import Heard, index_and_notes, resume, tiny, train_with

TINY = tiny(steps=8, save_every=2, log_every=2)
train = train_with(TINY)


@pytest.mark.parametrize("place", ["discriminator", "after", "view"])
def test_a_loss_that_breaks_in_mid_run_is_named_and_the_checkpoint_kept(tmp_path, shaky, place):
    recipe = TINY | {"loss": ["non-saturating", {"name": "shaky", "place": place}]}
    kept = "the last good checkpoint is kept; go on from step-000004 with: ganzoo train --resume"
    with pytest.raises(ganzoo.Failed, match=f"loss 'shaky' failed: IndexError: shaky; {kept}"):
        train(tmp_path / "run", recipe)
    assert index_and_notes(ganzoo.Run(tmp_path / "run")) == (4, [])


def test_a_network_that_breaks_in_mid_run_is_named_and_the_checkpoint_kept(tmp_path, shaky):
    with pytest.raises(ganzoo.Failed, match=r"unruly.ShakyGenerator failed: KeyError: 'shaky'; the last good"):
        train(tmp_path / "run", TINY | {"architecture": "shaky"}, train={"save_every": 1, "sample_every": 100})
    assert index_and_notes(ganzoo.Run(tmp_path / "run"))[0] > 0


def test_data_that_break_in_mid_run_are_named_and_the_checkpoint_kept(tmp_path):
    class Source:
        def __iter__(self):
            for number in range(100):
                if number == 5:
                    raise OSError("the cable is out")
                yield {"image": torch.zeros(8, 1, 4, 4)}

    with pytest.raises(ganzoo.Failed, match="the data failed: OSError: the cable is out; the last good checkpoint"):
        train(tmp_path / "run", data=Source())
    assert index_and_notes(ganzoo.Run(tmp_path / "run")) == (4, [])


class At(Heard):
    """Does something after a training step."""

    def __init__(self, step, act):
        super().__init__()
        self.at, self.act = step, act

    def on_step_end(self, trainer):
        if trainer.step == self.at:
            self.act()


def children():
    """The process ids of this process's children."""
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")
@pytest.mark.parametrize("delay", [0.0, 0.003, 0.007, 0.012])
def test_a_data_worker_that_dies_is_said_and_the_checkpoint_kept(tmp_path, streamed, delay):
    before = set(children())

    def kill_one_later():
        (pid, *_) = set(children()) - before
        # In a thread, so that the news come while anything may be at work.
        threading.Timer(delay, os.kill, (pid, signal.SIGKILL)).start()

    with pytest.raises(
        ganzoo.Failed, match=r"^a process that reads the data died: .*; the last good checkpoint"
    ) as held:
        train(
            tmp_path / "run",
            heard=At(5, kill_one_later),
            data=write_images(tmp_path / "pictures"),
            **{"data.size": 28, "train.steps": 4000},
        )
    # Whoever holds the error must not meet it again when some other process ends.
    for _ in range(3):
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert set(children()) <= before and held
    assert index_and_notes(ganzoo.Run(tmp_path / "run"))[0] >= 4


def test_a_picture_that_vanishes_is_passed_over_and_named(tmp_path, streamed):
    folder = write_images(tmp_path / "pictures")
    heard = At(3, (folder / "17.png").unlink)
    train(tmp_path / "run", heard=heard, data=folder, **{"data.size": 28, "train.steps": 20})
    skipped = f"skipped 1 image that cannot be read, the last is '{folder / '17.png'}'"
    assert any(line.startswith(skipped) for line in heard.lines)


def test_a_folder_that_vanishes_is_said_and_the_checkpoint_kept(tmp_path, streamed):
    folder = write_images(tmp_path / "pictures")
    with pytest.raises(ganzoo.BadInput, match=r"too many images in a row cannot be read, the last is .*pictures"):
        train(
            tmp_path / "run",
            heard=At(3, lambda: shutil.rmtree(folder)),
            data=folder,
            **{"data.size": 28, "train.steps": 400},
        )
    assert index_and_notes(ganzoo.Run(tmp_path / "run"))[0] >= 2


def test_data_that_break_before_the_first_step_are_named(tmp_path):
    class Source:
        def __init__(self, good):
            self.good = good

        def __iter__(self):
            for _ in range(self.good):
                yield {"image": torch.zeros(8, 1, 4, 4)}
            raise OSError("the cable is out")

    with pytest.raises(ganzoo.Failed, match="the data failed: OSError: the cable is out"):
        train(tmp_path / "run", data=Source(0))
    with pytest.raises(ganzoo.Failed, match=r"kept; go on from step-000004 with: ganzoo\.train"):
        train(tmp_path / "run", data=Source(5))
    with pytest.raises(ganzoo.Failed, match="the data failed: OSError: the cable is out"):
        resume(tmp_path / "run", data=Source(2))
