"""From a recipe to a run and on: what it leaves, how it goes on, and how it ends badly."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from PIL import Image
from torch import nn
from torch.autograd import DeviceType

import ganzoo
from ganzoo.engine.loop import BETWEEN_STEPS, PROFILE_PREFIX
from ganzoo.training import checkpoint
from ganzoo.training.profiler import PARTS, summary
from trainings import Silence

TINY = {
    "architecture": {"name": "vanilla", "generator": {"widths": [16]}, "discriminator": {"widths": [16]}},
    "loss": [{"name": "non-saturating"}],
    "train": {"steps": 6, "batch": 8, "log_every": 2, "sample_every": 3, "save_every": 2, "precision": "fp32"},
}


def train(out, recipe=TINY, **more):
    return ganzoo.train(recipe, out=out, device="cpu", quiet=True, **more)


def weights(run):
    return checkpoint.read(run.checkpoints)[0].tensors


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def test_a_run_leaves_all_that_it_should(tmp_path):
    run = train(tmp_path / "run")
    names = {str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()}
    assert {"recipe.toml", "metrics.jsonl", "curves.png", "model/config.json", "model/model.safetensors"} <= names
    assert {"samples/step-000003.png", "samples/step-000006.png"} <= names
    assert [line["step"] for line in run.metrics] == [2, 4, 6]
    assert run.metrics[-1]["images"] == 48
    assert all("discriminator/non-saturating/real" in line for line in run.metrics)
    assert run.recipe.optimizer.lr == 2e-4
    assert run.recipe.architecture.own("generator")["latent_size"] == 100


def test_pictures_say_what_they_are(tmp_path):
    run = train(tmp_path / "run")
    picture = Image.open(run.path / "samples" / "step-000006.png")
    assert picture.text["Software"] == f"ganzoo {ganzoo.__version__}"
    assert picture.text["Synthetic"] == "true"
    assert (picture.text["Model"], picture.text["Seed"]) == ("run step 6", "0")


def test_the_model_is_the_averaged_generator(tmp_path):
    run = train(tmp_path / "run")
    saved = weights(run)
    for name, value in run.model.generator.state_dict().items():
        assert torch.equal(value, saved[f"ema.{name}"])
    assert any(
        not torch.equal(saved[f"ema.{name}"], saved[f"generator.{name}"]) for name in run.model.generator.state_dict()
    )


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(tmp_path):
    first, second = train(tmp_path / "1"), train(tmp_path / "2")
    third = train(tmp_path / "3", train={"seed": 1})
    assert same(weights(first), weights(second))
    assert not same(weights(first), weights(third))


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize("recipe", ["dcgan", "wgan-gp"])
def test_compiled_networks_come_to_nearly_the_same_weights(tmp_path, recipe):
    options = {"steps": 3, "batch": 8, "precision": "fp32"}
    runs = [
        train(tmp_path / str(compile), recipe, train={**options, "compile": compile}, architecture={"width": 8})
        for compile in (False, True)
    ]
    plain, compiled = map(weights, runs)
    for name, value in plain.items():
        if name.startswith(("generator.", "discriminator.")):
            torch.testing.assert_close(compiled[name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("recipe", ["vanilla", "dcgan", "wgan", "wgan-gp"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_that_stopped_goes_on_bit_for_bit(tmp_path, recipe, precision):
    options = {"batch": 8, "log_every": 2, "precision": precision}
    small = {} if recipe == "vanilla" else {"width": 8}
    whole = train(tmp_path / "whole", recipe, train={"steps": 5, **options}, architecture=small)
    part = train(tmp_path / "part", recipe, train={"steps": 3, **options}, architecture=small)
    resumed = ganzoo.train(out=part.path, resume=True, device="cpu", quiet=True, train={"steps": 5})
    assert same(weights(whole), weights(resumed))
    steps = [line["step"] for line in resumed.metrics]
    assert steps == sorted(set(steps))


def test_epochs_are_counted_in_images_that_the_discriminator_sees(tmp_path):
    batches = [{"image": torch.zeros(8, 1, 4, 4)}]
    with pytest.raises(ganzoo.BadInput, match="epochs"):
        train(tmp_path / "run", data=batches, train={"epochs": 1})
    recipe = TINY | {"train": {"epochs": 0.01, "batch": 10, "critic_steps": 2}}
    assert train(tmp_path / "run2", recipe).recipe.train.steps == 5


def test_python_batches_can_be_trained_on_and_resumed(tmp_path):
    batches = [{"image": torch.rand(8, 3, 5, 7) * 2 - 1} for _ in range(3)]
    run = train(tmp_path / "run", data=batches)
    assert run.sample(2).shape == (2, 3, 5, 7)
    with pytest.raises(ganzoo.BadInput, match=r"data=batches"):
        ganzoo.train(out=run.path, resume=True, quiet=True, train={"steps": 8})
    again = ganzoo.train(out=run.path, resume=True, data=batches, device="cpu", quiet=True, train={"steps": 8})
    assert checkpoint.read(again.checkpoints)[0].numbers["index"] == 8


def test_runs_count_up_and_nothing_is_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [train(None).path.name for _ in range(2)] == ["run-001", "run-002"]
    with pytest.raises(ganzoo.BadInput, match="is not empty"):
        train("runs/run-001")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ganzoo.BadInput, match="is not just a run, so --overwrite leaves it alone"):
        train("mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert train("runs/run-001", overwrite=True, train={"steps": 2}).metrics[-1]["step"] == 2


def test_overwriting_leaves_alone_what_no_training_made(tmp_path):
    run = train(tmp_path / "run")
    (run.path / "notes.txt").write_text("mine")
    with pytest.raises(ganzoo.BadInput, match="is not just a run"):
        train(run.path, overwrite=True)
    assert (run.path / "notes.txt").read_text() == "mine"
    (tmp_path / "link").symlink_to(run.path)
    with pytest.raises(ganzoo.BadInput, match="is not just a run"):
        train(tmp_path / "link", overwrite=True)


def test_checkpoints_are_ordered_by_number_not_by_letter(tmp_path):
    for index in (998_000, 999_000, 1_000_000, 1_001_000):
        checkpoint.save(tmp_path, checkpoint.State({"x": torch.ones(1)}, {"index": index}))
    assert [path.name for path in checkpoint.checkpoints(tmp_path)] == ["step-1000000", "step-1001000"]
    assert checkpoint.read(tmp_path)[0].numbers["index"] == 1_001_000


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
    shutil.rmtree(checkpoint.checkpoints(run.checkpoints)[-1])
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


def test_the_log_counts_real_images_of_any_batch_size(tmp_path):
    batches = [{"image": torch.zeros(5, 1, 4, 4)}]
    run = train(tmp_path / "run", data=batches, train={"critic_steps": 2})
    assert [line["images"] for line in run.metrics] == [20, 40, 60]


def test_the_seed_also_decides_the_order_of_a_shuffling_loader(tmp_path):
    items = [{"image": torch.full((1, 4, 4), value / 50)} for value in range(40)]
    loader = torch.utils.data.DataLoader(items, batch_size=8, shuffle=True)
    first, second = train(tmp_path / "1", data=loader), train(tmp_path / "2", data=loader)
    assert same(weights(first), weights(second))


def test_a_side_that_nothing_would_train_is_refused(tmp_path):
    for loss in ({"name": "r1"}, {"name": "hinge", "start": 100}):
        with pytest.raises(ganzoo.BadInput, match="nothing would train the"):
            train(tmp_path / "run", TINY | {"loss": [loss]})
    assert not (tmp_path / "run").exists()


def test_what_fails_in_the_first_step_leaves_no_folder(tmp_path):
    with pytest.raises(ganzoo.BadInput, match="Generator: Expected more than 1 value per channel"):
        train(tmp_path / "run", train={"batch": 1})
    assert not (tmp_path / "run").exists()


def test_the_recipe_of_a_run_says_the_precision_that_was_chosen(tmp_path):
    run = train(tmp_path / "run", train={"precision": "auto"})
    assert run.recipe.train.precision in ("fp32", "bf16")


class Painter(ganzoo.Generator):
    """Needs the label of real data and makes two things."""

    needs, makes = ("label",), ("image", "mask")

    def __init__(self, image):
        super().__init__()
        self.net = nn.Linear(101, 16)

    def forward(self, given):
        made = self.net(torch.cat([given["z"], given["label"][:, None].float()], 1)).tanh().unflatten(1, (1, 4, 4))
        return {"image": made, "mask": made > 0}


class Judge(nn.Module):
    def __init__(self, image):
        super().__init__()
        self.net = nn.Linear(16, 1)

    def forward(self, images, given):
        return self.net(images["image"].flatten(1))


PAINTER = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("painter", generator="test_training:Painter", discriminator="test_training:Judge")
"""


@pytest.mark.parametrize("n", [8, 80])
def test_pictures_of_a_generator_that_needs_real_labels_and_makes_a_dict(site, tmp_path, n):
    site.install("ganzoo-painter", PAINTER)
    batch = {"image": torch.zeros(n, 1, 4, 4), "mask": torch.zeros(n, 1, 4, 4), "label": torch.arange(n) % 3}
    run = train(tmp_path / "run", TINY | {"architecture": "painter"}, data=[batch])
    assert (run.path / "samples" / "step-000006.png").exists()
    assert run.sample(3, label=1)["image"].shape == (3, 1, 4, 4)


def test_training_goes_on_when_nobody_reads_its_progress(command):
    process = start(command, "vanilla", "--out", "run", "-o", "train.steps=40", "-o", "train.log_every=1")
    process.stderr.readline()
    process.stderr.close()
    assert process.wait(timeout=120) == 0
    assert ganzoo.Run(command.folder / "run").metrics[-1]["step"] == 40


def test_a_second_training_in_the_same_run_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ganzoo.training.run.LOCK_TIMEOUT_SECONDS", 0)
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
    listener = Silence()
    listener.say = said.append
    ganzoo.train(out=run.path, resume=True, device="cpu", progress=listener)
    assert "is finished: it was trained for 6 steps; to go on, ask for more: -o train.steps=12" in said[-1]
    assert (run.path / "model" / "config.json").stat().st_mtime_ns == before


def test_a_damaged_checkpoint_is_passed_over_and_said(tmp_path):
    run = train(tmp_path / "run")
    newest = checkpoint.checkpoints(run.checkpoints)[-1] / "state.safetensors"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    said = []
    listener = Silence()
    listener.say = said.append
    ganzoo.train(out=run.path, resume=True, device="cpu", progress=listener)
    assert "checkpoint step-000006 is damaged or cannot be read; using the one before it" in said
    assert [line["step"] for line in run.metrics] == [2, 4, 6]


class Explodes(nn.Module):
    """Scores that become infinite after some calls."""

    def __init__(self, image, after: int = 12):
        super().__init__()
        self.linear, self.calls, self.after = nn.Linear(28 * 28, 1), 0, after

    def forward(self, images, given):
        self.calls += 1
        return self.linear(images.flatten(1)) / (0.0 if self.calls > self.after else 1.0)


def test_divergence_names_term_and_step_and_keeps_the_last_good_checkpoint(site, tmp_path):
    site.install("ganzoo-boom", BOOM)
    # Setup scores nothing here; each step takes two scores of the critic and one of the generator.
    with pytest.raises(ganzoo.Diverged) as error:
        train(tmp_path / "run", TINY | {"architecture": {"name": "vanilla", "discriminator": "boom"}})
    assert re.search(r"'discriminator/non-saturating/(real|fake)' is not a finite number at step 4", str(error.value))
    assert "go on from step-000004" in str(error.value)
    state, notes = checkpoint.read(ganzoo.Run(tmp_path / "run").checkpoints)
    assert (state.numbers["index"], notes) == (4, [])
    assert all(value.isfinite().all() for value in state.tensors.values() if value.is_floating_point())


BOOM = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("boom", generator="tests.nowhere:G", discriminator="test_training:Explodes")
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Lets a registered string point into this file."""
    monkeypatch.setitem(sys.modules, "test_training", sys.modules[__name__])


def start(command, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "ganzoo", "train", *words],
        cwd=command.folder,
        env=command.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(path, process):
    deadline = time.monotonic() + 120
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert path.exists(), process.communicate()


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
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    step = int(re.search(r"stopped after step (\d+)", said)[1])
    assert "ganzoo train --resume 'a run'" in said
    assert checkpoint.read(run.checkpoints)[0].numbers["index"] == step
    assert (run.path / "samples" / f"step-{step:06d}.png").exists()
    done = command("train", "--resume", "a run", "-o", f"train.steps={step + 3}", "-o", "train.log_every=1")
    assert done.returncode == 0, done.stderr
    assert json.loads((run.path / "metrics.jsonl").read_text().splitlines()[-1])["step"] == step + 3


def test_a_profile_tells_every_part_of_a_step(tmp_path):
    settings = {"steps": 50, "profile": True, "sample_every": 100, "save_every": 100}
    run = train(tmp_path / "run", train=settings)
    page = (run.path / "profile" / "summary.txt").read_text()
    rows = dict(re.findall(r"^(\w[\w ]+?) +[\d.]+ +([\d.]+)%$", page, re.MULTILINE))
    parts = [part for part in PARTS if "exchange" not in part]  # with other processes, of which there are none
    shares = [float(rows[part]) for part in (*parts, "everything else")]
    assert all(share > 0 for share in shares)
    assert sum(shares) == pytest.approx(100, abs=0.6)
    marks = {event["name"] for event in json.loads((run.path / "profile" / "trace.json").read_text())["traceEvents"]}
    assert {f"ganzoo: {part}" for part in parts} <= marks
    plain = train(tmp_path / "plain", train=settings | {"profile": False})
    assert same(weights(run), weights(plain))


class Event:
    """A line of a profile, as torch sums them up."""

    def __init__(self, key, cpu_time, device="CPU", device_time=0.0):
        self.key, self.cpu_time_total, self.self_cpu_time_total = key, cpu_time, cpu_time
        self.self_device_time_total, self.device_type = device_time, getattr(DeviceType, device)


class OnGpu:
    """A profile with the lines that a GPU adds, each mark once more without any time of the host's."""

    def key_averages(self):
        host = [
            Event("ProfilerStep*", 60_000),
            Event(PROFILE_PREFIX + "data", 30_000),
            Event(PROFILE_PREFIX + BETWEEN_STEPS, 30_000),
        ]
        device = [Event(event.key, 0, "CUDA", 5_000) for event in host]
        return [*host, Event("aten::mm", 10, device_time=9_000), *device, Event("gemm", 0, "CUDA", 9_000)]


def test_a_profile_tells_the_hosts_time_without_what_happens_between_the_steps():
    page = summary(OnGpu())
    assert page.startswith("A training step took 1.00 ms")
    assert re.search(r"^data +1\.000 +100\.0%$", page, re.MULTILINE), page
    assert "gemm" not in page
    assert "aten::mm" in page


def test_a_training_that_is_too_short_to_be_profiled_leaves_none(tmp_path):
    assert not (train(tmp_path / "run", train={"profile": True}).path / "profile").exists()


def test_tensorboard_events_hold_the_log(tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = train(tmp_path / "run", train={"tensorboard": True})
    read = events.EventAccumulator(str(run.path / "tensorboard"))
    read.Reload()
    values = [event.value for event in read.Scalars("generator/non-saturating/fool")]
    assert values == pytest.approx([line["generator/non-saturating/fool"] for line in run.metrics])
