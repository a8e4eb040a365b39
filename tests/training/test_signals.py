"""Signals: a training stops in order, and its readers live until all is saved."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

import ganzoo
from ganzoo._signals import GracefulStop
from ganzoo.training.runs import checkpoint
from pictures import write_images
from trainings import index_and_notes, start, wait_for

STREAMED = "from ganzoo.data import folders; folders.MAX_IMAGES_IN_MEMORY = 0; "
STREAMED += "from ganzoo.cli.main import main; main()"
"""`ganzoo`, with every folder streamed."""


def test_a_killed_training_with_readers_leaves_no_lock_behind(command, tmp_path):
    write_images(command.folder / "pictures", 6)
    words = ["vanilla", "--data", "pictures", "-o", "data.size=28", "-o", "train.batch=4", "--precision", "fp32"]
    # The readers of a killed training live on for a while, and hold what it held.
    process = subprocess.Popen(
        [sys.executable, "-c", STREAMED, "train", *words, "--out", "run", "-o", "train.save_every=2"],
        cwd=command.folder,
        env=command.environment,
        stderr=subprocess.DEVNULL,
    )
    run = ganzoo.Run(command.folder / "run")
    wait_for(run.checkpoints / "step-000002", process)
    busy = command("train", "--resume", "run", "-o", "train.steps=4")
    assert busy.returncode == 2
    assert "another training is at work in 'run'; wait for it or stop it" in busy.stderr
    process.kill()
    process.wait()
    index = index_and_notes(run)[0]
    done = command("train", "--resume", "run", "-o", f"train.steps={index + 2}")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="knows no process groups")
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_a_signal_to_the_whole_group_lets_the_readers_live_until_all_is_saved(command, number):
    write_images(command.folder / "pictures", 6)
    words = ["vanilla", "--data", "pictures", "-o", "data.size=28", "-o", "train.batch=4", "--precision", "fp32"]
    process = subprocess.Popen(
        [sys.executable, "-c", STREAMED, "train", *words, "--out", "run", "-o", "train.save_every=2"],
        cwd=command.folder,
        env=command.environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    run = ganzoo.Run(command.folder / "run")
    wait_for(run.checkpoints / "step-000002", process)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + number, said
    assert f"stopped after step {index_and_notes(run)[0]}; continue with" in said


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with GracefulStop() as stopping:
            signal.raise_signal(signal.SIGTERM)
        assert stopping.signal_number == 0
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_at_the_next_step_saves_and_says_how_to_go_on(command, number, code):
    long = [
        "vanilla",
        "-o",
        "train.steps=1000000",
        "-o",
        "train.save_every=20",
        "--precision",
        "fp32",
        "--out",
        "a run",
    ]
    process = start(command, *long)
    run = ganzoo.Run(command.folder / "a run")
    wait_for(run.checkpoints / "step-000020", process)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == code, said
    step = int(re.search(r"stopped after step (\d+)", said)[1])
    assert "ganzoo train --resume 'a run'" in said
    assert checkpoint.read_newest(run.checkpoints)[0].numbers["index"] == step
    assert (run.path / "samples" / f"step-{step:06d}.png").exists()
    done = command("train", "--resume", "a run", "-o", f"train.steps={step + 3}", "-o", "train.log_every=1")
    assert done.returncode == 0, done.stderr
    assert json.loads((run.path / "metrics.jsonl").read_text().splitlines()[-1])["step"] == step + 3
