"""What goes wrong in the world around a training: the last checkpoint is kept, and one sentence says what happened."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo._signals import GracefulStop
from ganzoo.engine.checks import memory_advice
from ganzoo.engine.settings import Train
from ganzoo.training import checkpoint
from ganzoo.training.progress import Silence

TINY = {
    "architecture": {"name": "vanilla", "generator": {"widths": [16]}, "discriminator": {"widths": [16]}},
    "loss": [{"name": "non-saturating"}],
    "train": {"steps": 8, "batch": 8, "save_every": 2, "log_every": 2, "precision": "fp32"},
}
FILES = ["state.safetensors", "state.json"]


class Heard(Silence):
    """Keeps what is said."""

    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def train(out, recipe=TINY, progress=None, **more):
    return ganzoo.train(recipe, out=out, device="cpu", progress=progress or Silence(), **more)


def resume(out, progress=None, **more):
    return ganzoo.train(out=out, resume=True, device="cpu", progress=progress or Silence(), **more)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run with checkpoints of several steps; not to be changed."""
    return train(tmp_path_factory.mktemp("finished") / "run")


@pytest.fixture
def run(finished, tmp_path):
    """A copy of it for each test."""
    return ganzoo.Run(shutil.copytree(finished.path, tmp_path / "run"))


def newest(run):
    return checkpoint.checkpoints(run.checkpoints)[-1]


def index_and_notes(run):
    state, notes = checkpoint.read(run.checkpoints)
    return state.numbers["index"], notes


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


def test_a_damaged_checkpoint_is_made_again_the_same(run, finished):
    (newest(run) / "state.safetensors").write_bytes(b"")
    heard = Heard()
    resume(run.path, heard)
    assert PASSED_OVER[1][0] in heard.lines
    one, other = (checkpoint.read(each.checkpoints)[0] for each in (run, finished))
    assert all(torch.equal(value, other.tensors[name]) for name, value in one.tensors.items())


def test_a_run_without_one_sound_checkpoint_says_so(run):
    for folder in checkpoint.checkpoints(run.checkpoints):
        (folder / "state.json").write_text("{}")
    with pytest.raises(ganzoo.BadInput, match="there is no sound checkpoint in"):
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
    path.write_bytes(checkpoint.as_json(numbers | {"sha256": checkpoint.hash_of(numbers)}))
    with pytest.raises(ganzoo.BadInput, match=sentence):
        resume(run.path, train={"steps": 9})
    assert newest(run).exists()


def test_what_a_killed_save_left_behind_is_cleared_away(run):
    (run.checkpoints / ".step-000099.part").mkdir()
    resume(run.path, train={"steps": 10})
    assert [path.name for path in run.checkpoints.glob(".*")] == []


def test_overwriting_does_not_mind_what_a_killed_training_left_half_written(run):
    (run.path / ".metrics.jsonl.part").write_text("{")
    (run.path / ".model.part").mkdir()
    assert train(run.path, overwrite=True).metrics[-1]["step"] == 8


def test_a_folder_that_nothing_can_be_written_to_is_said(run, command):
    if os.geteuid() == 0:
        pytest.skip("the superuser may write anywhere")
    run.checkpoints.chmod(0o500)
    with pytest.raises(ganzoo.BadInput, match="cannot write"):
        resume(run.path, train={"steps": 10})
    run.checkpoints.chmod(0o700)
    assert index_and_notes(run) == (8, [])


def test_a_file_where_the_checkpoints_should_be_is_said(tmp_path):
    class Trap(Silence):
        def start(self, done, steps):
            (tmp_path / "run" / "checkpoints").rmdir()
            (tmp_path / "run" / "checkpoints").write_text("in the way")

    with pytest.raises(ganzoo.BadInput, match=r"cannot write .*; no checkpoint had been saved yet"):
        train(tmp_path / "run", progress=Trap())


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


class Shaky(ganzoo.Loss):
    """Breaks in step 5, at the place that it is told."""

    def __init__(self, place: str = "discriminator"):
        super().__init__()
        self.place = place

    def breaks(self, step, place):
        if (step.index, place) == (5, self.place):
            raise IndexError("shaky")

    def discriminator(self, step):
        self.breaks(step, "discriminator")
        return {"none": step.real_scores.mean() * 0}

    def setup(self, step):
        self.register_buffer("memory", torch.zeros(()))

    def after(self, step, terms):
        self.breaks(step, "after")
        if (step.index, self.place) == (5, "buffer"):
            self.memory.fill_(float("nan"))

    def view(self, step, images, given):
        self.breaks(step, "view")
        return images


class ShakyGenerator(ganzoo.Generator):
    """Breaks in the middle of the training."""

    calls = 0

    def __init__(self, image):
        super().__init__()
        self.net = torch.nn.Linear(100, 28 * 28)

    def forward(self, given):
        type(self).calls += self.training
        if self.training and self.calls == 12:
            raise KeyError("shaky")
        return self.net(given["z"]).tanh().unflatten(1, (1, 28, 28))


SHAKY = """
    import ganzoo

    @ganzoo.hookimpl
    def register_losses(register):
        register("shaky", "test_faults:Shaky")

    @ganzoo.hookimpl
    def register_architectures(register):
        register("shaky", generator="test_faults:ShakyGenerator", discriminator="ganzoo_vanilla.networks:Discriminator")
"""


@pytest.fixture
def shaky(site, monkeypatch):
    monkeypatch.setitem(sys.modules, "test_faults", sys.modules[__name__])
    site.install("ganzoo-shaky", SHAKY)


@pytest.mark.parametrize("place", ["discriminator", "after", "view"])
def test_a_loss_that_breaks_in_mid_run_is_named_and_the_checkpoint_kept(tmp_path, shaky, place):
    recipe = TINY | {"loss": ["non-saturating", {"name": "shaky", "place": place}]}
    kept = "the last good checkpoint is kept; go on from step-000004 with: ganzoo train --resume"
    with pytest.raises(ganzoo.Failed, match=f"loss 'shaky' failed: IndexError: shaky; {kept}"):
        train(tmp_path / "run", recipe)
    assert index_and_notes(ganzoo.Run(tmp_path / "run")) == (4, [])


def test_a_network_that_breaks_in_mid_run_is_named_and_the_checkpoint_kept(tmp_path, shaky):
    with pytest.raises(ganzoo.Failed, match=r"test_faults.ShakyGenerator failed: KeyError: 'shaky'; the last good"):
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


def pictures(folder, count=40):
    folder.mkdir()
    for number in range(count):
        Image.new("L", (28, 28), 6 * number).save(folder / f"{number:02d}.png")
    return folder


@pytest.fixture
def streamed(monkeypatch):
    """Have every folder read while training."""
    monkeypatch.setattr("ganzoo.data.sources.MAX_IMAGES_IN_MEMORY", 0)


class At(Silence):
    """Does something after a training step."""

    def __init__(self, step, act):
        self.at, self.act, self.lines = step, act, []

    def say(self, text):
        self.lines.append(text)

    def step(self, done):
        if done == self.at:
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
            progress=At(5, kill_one_later),
            data=pictures(tmp_path / "pictures"),
            **{"data.size": 28, "train.steps": 4000},
        )
    # Whoever holds the error must not meet it again when some other process ends.
    for _ in range(3):
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert set(children()) <= before and held
    assert index_and_notes(ganzoo.Run(tmp_path / "run"))[0] >= 4


def test_a_picture_that_vanishes_is_passed_over_and_named(tmp_path, streamed):
    folder = pictures(tmp_path / "pictures")
    heard = At(3, (folder / "17.png").unlink)
    train(tmp_path / "run", progress=heard, data=folder, **{"data.size": 28, "train.steps": 20})
    assert f"skipped 1 images that cannot be read, the last is '{folder / '17.png'}'" in heard.lines


def test_a_folder_that_vanishes_is_said_and_the_checkpoint_kept(tmp_path, streamed):
    folder = pictures(tmp_path / "pictures")
    with pytest.raises(ganzoo.BadInput, match=r"too many images in a row cannot be read, the last is .*pictures"):
        train(
            tmp_path / "run",
            progress=At(3, lambda: shutil.rmtree(folder)),
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


def test_a_folder_of_a_training_that_was_killed_at_its_very_beginning_is_as_good_as_empty(tmp_path):
    (tmp_path / "run" / "samples").mkdir(parents=True)
    (tmp_path / "run" / ".lock").touch()
    assert train(tmp_path / "run").metrics[-1]["step"] == 8


def test_overwriting_removes_the_recipe_last(run, monkeypatch):
    remove = shutil.rmtree

    def killed(path, **how):
        if path.name == "model":
            raise KeyboardInterrupt
        remove(path, **how)

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        train(run.path, overwrite=True)
    monkeypatch.undo()
    assert train(run.path, overwrite=True).metrics[-1]["step"] == 8


@pytest.mark.parametrize(
    ("batch", "accumulate", "advice"),
    [
        (64, 1, "try train.accumulate=2 (the same update in less memory) or train.batch=32"),
        (64, 4, "try train.accumulate=8 (the same update in less memory) or train.batch=32"),
        (9, 1, "try train.accumulate=3 (the same update in less memory) or train.batch=4"),
        (7, 1, "try train.batch=3"),
        (1, 1, "try smaller networks"),
    ],
)
def test_advice_on_memory_names_settings_that_exist(batch, accumulate, advice):
    assert memory_advice(Train(batch=batch, accumulate=accumulate)) == advice


def test_advice_on_memory_is_never_refused():
    for batch in range(1, 65):
        for accumulate in (parts for parts in range(1, batch + 1) if batch % parts == 0):
            advice = memory_advice(Train(batch=batch, accumulate=accumulate))
            for key, value in re.findall(r"train\.(\w+)=(\d+)", advice):
                assert Train(**{"batch": batch, "accumulate": accumulate, key: int(value)})


def test_advice_on_the_memory_of_own_batches_does_not_speak_of_the_recipes():
    advice = memory_advice(Train(batch=8), own_batches=True)
    assert advice == "try smaller batches or train.accumulate=2 (the same update in less memory)"


LIMITED = """
import resource, sys
import torch, ganzoo
from ganzoo.cli.main import main
torch.randn(64, 64) @ torch.randn(64, 64)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 900_000_000, used + 900_000_000))
main(sys.argv[1:])
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="limits its own memory by what /proc says")
def test_too_little_memory_says_what_to_try(command):
    words = ["train", "vanilla", "--precision", "fp32", "-o", "train.steps=1"]
    done = command.python("-c", LIMITED, *words, "-o", "train.batch=65536")
    assert done.returncode == 2, done.stderr
    assert "error: out of memory with train.batch=65536; try train.accumulate=2 (the same update" in done.stderr
    assert "Traceback" not in done.stderr
    assert command.python("-c", LIMITED, *words, "-o", "train.batch=64").returncode == 0
    done = command.python("-c", LIMITED, *words, "-o", "architecture.widths=[1000000,1000000]")
    assert (done.returncode, "error: out of memory with train.batch=64; try" in done.stderr) == (2, True), done.stderr


def start(command, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "ganzoo", "train", *map(str, words)],
        cwd=command.folder,
        env=command.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def wait_for(path, process):
    deadline = time.monotonic() + 120
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert path.exists(), process.communicate()


def test_a_killed_training_with_readers_leaves_no_lock_behind(command, tmp_path):
    pictures(command.folder / "pictures", 6)
    words = ["vanilla", "--data", "pictures", "-o", "data.size=28", "-o", "train.batch=4", "--precision", "fp32"]
    # The readers of a killed training live on for a while, and hold what it held.
    stream = "from ganzoo.data import sources; sources.MAX_IMAGES_IN_MEMORY = 0; "
    stream += "from ganzoo.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", stream, "train", *words, "--out", "run", "-o", "train.save_every=2"],
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
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_whole_group_lets_the_readers_live_until_all_is_saved(command, number):
    pictures(command.folder / "pictures", 6)
    stream = "from ganzoo.data import sources; sources.MAX_IMAGES_IN_MEMORY = 0; "
    stream += "from ganzoo.cli.main import main; main()"
    words = ["vanilla", "--data", "pictures", "-o", "data.size=28", "-o", "train.batch=4", "--precision", "fp32"]
    process = subprocess.Popen(
        [sys.executable, "-c", stream, "train", *words, "--out", "run", "-o", "train.save_every=2"],
        cwd=command.folder,
        env=command.environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    run = ganzoo.Run(command.folder / "run")
    wait_for(run.checkpoints / "step-000002", process)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=60)
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


def test_two_trainings_without_a_folder_of_their_own_get_one_each(command):
    words = ["vanilla", "--precision", "fp32", "-o", "train.steps=3", "-o", "train.batch=8"]
    both = [start(command, *words) for _ in range(2)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    assert sorted(path.name for path in (command.folder / "runs").iterdir()) == ["vanilla-001", "vanilla-002"]
    for path in (command.folder / "runs").iterdir():
        assert index_and_notes(ganzoo.Run(path)) == (3, [])


def test_a_training_that_is_at_work_cannot_be_overwritten(run, monkeypatch):
    monkeypatch.setattr("ganzoo.training.run.PATIENCE", 0)
    with run.locked(), pytest.raises(ganzoo.BadInput, match="another training is at work in"):
        train(run.path, overwrite=True)
    assert index_and_notes(run) == (8, [])
