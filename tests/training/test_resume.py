"""A run that was stopped goes on as if nothing had happened: N steps are k steps, a stop, and N - k steps."""

import copy
import json
import shutil
import signal
import sys

import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.data.memory import InMemory, permute_epoch
from ganzoo.data.sources import open_data
from ganzoo.training import checkpoint
from ganzoo.training.progress import Silence

TINY = {
    "architecture": {"name": "vanilla", "generator": {"widths": [16]}, "discriminator": {"widths": [16]}},
    "loss": [{"name": "non-saturating"}],
    "train": {"steps": 11, "batch": 8, "log_every": 3, "precision": "fp32"},
}


class Power(BaseException):
    """What a process feels when the power goes: nothing gets the chance to tidy up."""


class CutOff(Silence):
    """Cuts the power in the middle of a training step."""

    def __init__(self, step):
        self.at = step

    def step(self, done):
        if done == self.at:
            raise Power


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


def broken_off(out, steps, recipe=TINY, **more):
    """A training that loses power after each of these steps has been saved and the next one was begun."""
    for number, step in enumerate(steps):
        with pytest.raises(Power):
            settings = {"train.save_every": step, "progress": CutOff(step + 1)}
            resume(out, **settings) if number else train(out, recipe, **settings, **more)
        assert state(out).numbers["index"] == step
    return resume(out)


def state(out):
    return checkpoint.read(ganzoo.Run(out).checkpoints)[0]


def assert_same(one, other, but=("best", "unimproved", "measured")):
    one, other = state(one), state(other)
    assert one.tensors.keys() == other.tensors.keys()
    assert [name for name in one.tensors if not torch.equal(one.tensors[name], other.tensors[name])] == []
    assert {k: v for k, v in one.numbers.items() if k not in but} == {
        k: v for k, v in other.numbers.items() if k not in but
    }


def log(run):
    unmeasured = ("images_per_second", "swd_ratio")
    return [{key: value for key, value in line.items() if key not in unmeasured} for line in run.metrics]


RECIPES = ["vanilla", "dcgan", "wgan", "wgan-gp", "conditional", "infogan"]


def small(recipe):
    return {"architecture": {"widths": [16]} if recipe == "vanilla" else {"width": 8}}


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_recipe_goes_on_bit_for_bit(tmp_path, recipe, precision):
    settings = {"train": {"steps": 11, "batch": 8, "log_every": 3, "precision": precision}, **small(recipe)}
    whole = train(tmp_path / "whole", recipe, **settings)
    # R1 of dcgan plays on every eighth turn: before, at and after the second time.
    broken = broken_off(tmp_path / "broken", [1, 4, 7, 8, 9], recipe, **settings)
    assert_same(whole.path, broken.path)
    assert log(whole) == log(broken)
    assert [line["step"] for line in log(whole)] == [3, 6, 9, 11]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_recipe_goes_on_bit_for_bit_from_each_of_twenty_steps(tmp_path, recipe, precision):
    settings = {"train": {"steps": 21, "batch": 8, "log_every": 3, "precision": precision}, **small(recipe)}
    whole = train(tmp_path / "whole", recipe, **settings)
    for step in range(1, 20):
        broken = broken_off(tmp_path / str(step), [step], recipe, **settings)
        assert_same(whole.path, broken.path)
        assert log(whole) == log(broken)


@pytest.mark.parametrize("recipe", ["vanilla", "dcgan"])
def test_more_steps_asked_for_later_come_to_the_same(tmp_path, recipe):
    settings = {"batch": 8, "log_every": 3, "save_every": 100, "precision": "fp32"}
    whole = train(tmp_path / "whole", recipe, train={"steps": 11, **settings}, **small(recipe))
    part = train(tmp_path / "part", recipe, train={"steps": 4, **settings}, **small(recipe))
    assert [line["step"] for line in log(part)] == [3, 4]
    longer = resume(part.path, train={"steps": 11})
    assert_same(whole.path, longer.path)
    # The line of step 4, which was due only because it was the last, is gone.
    assert log(whole) == log(longer)


def test_an_average_that_is_renewed_less_often_goes_on_bit_for_bit(tmp_path, monkeypatch):
    monkeypatch.setattr("ganzoo.engine.average.FIRST_STEPS", 2)
    whole = train(tmp_path / "whole")
    assert_same(whole.path, broken_off(tmp_path / "broken", [3, 4, 6, 9]).path)


OPTIMIZERS = {
    "adam": {"betas": [0.0, 0.9], "schedule": "cosine", "warmup": 3},
    "adamw": {"weight_decay": 0.1, "clip_norm": 0.5, "schedule": "linear"},
    "rmsprop": {"momentum": 0.5},
    "sgd": {"momentum": 0.9, "lr": 1e-3},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("channels_last", [True, False])
def test_every_optimizer_goes_on_bit_for_bit_in_either_layout(tmp_path, name, channels_last):
    recipe = ganzoo.Recipe.load("dcgan", **small("dcgan"), optimizer={"name": name, **OPTIMIZERS[name]})
    settings = {"train": TINY["train"] | {"channels_last": channels_last}}
    whole = train(tmp_path / "whole", recipe, **settings)
    assert_same(whole.path, broken_off(tmp_path / "broken", [4], recipe, **settings).path)


def test_gradient_scalers_and_accumulation_go_on_bit_for_bit(tmp_path):
    settings = {"train": TINY["train"] | {"precision": "fp16", "accumulate": 2, "critic_steps": 2, "ema": 0.5}}
    whole = train(tmp_path / "whole", **settings)
    scale = state(whole.path).numbers["scalers"]["discriminator"]
    assert scale["_growth_tracker"] or scale["scale"] < 2**16
    assert_same(whole.path, broken_off(tmp_path / "broken", [4, 9], **settings).path)


class Pull(ganzoo.Loss):
    """A loss with a state and with random numbers of its own, as BEGAN's and augmentations have."""

    def setup(self, step):
        self.register_buffer("strength", torch.ones(()))

    def discriminator(self, step):
        seen = torch.randn(()) + step.rand(1)
        return {"pull": self.strength * (step.fake_scores - step.real_scores + seen).square().mean()}

    def after(self, step, terms):
        self.strength.mul_(1 + 0.01 * terms.get("pull", torch.zeros(())))


PULL = """
    import ganzoo

    @ganzoo.hookimpl
    def register_losses(register):
        register("pull", "test_resume:Pull")
"""


@pytest.fixture
def pull(site, importable):
    site.install("ganzoo-pull", PULL)


@pytest.fixture
def importable(monkeypatch):
    """Lets a registered string point into this file."""
    monkeypatch.setitem(sys.modules, "test_resume", sys.modules[__name__])


def test_a_losss_state_and_torchs_own_random_numbers_go_on(tmp_path, pull):
    recipe = TINY | {"loss": ["non-saturating", "pull"]}
    whole = train(tmp_path / "whole", recipe)
    assert state(whole.path).tensors["loss.pull.strength"] != 1
    assert_same(whole.path, broken_off(tmp_path / "broken", [3, 5], recipe).path)


def test_a_stream_of_pictures_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr("ganzoo.data.sources.MAX_IMAGES_IN_MEMORY", 3)
    (tmp_path / "pictures").mkdir()
    for number in range(20):
        Image.new("L", (28, 28), 12 * number).save(tmp_path / "pictures" / f"{number:02d}.png")
    (tmp_path / "pictures" / "07.png").write_text("no picture")
    settings = {"data.name": str(tmp_path / "pictures"), "data.size": 28}
    whole = train(tmp_path / "whole", **settings)
    assert_same(whole.path, broken_off(tmp_path / "broken", [4], **settings).path)


class Pictures(torch.utils.data.Dataset):
    """Forty pictures, half of them turned over by torch's own random numbers."""

    def __len__(self):
        return 40

    def __getitem__(self, index):
        image = torch.linspace(-1, 1, 28)[:, None].expand(28, 28) * (index / 40)
        return {"image": (image.flip(0) if torch.rand(()) < 0.5 else image)[None].clone()}


def shuffled(workers=0):
    return torch.utils.data.DataLoader(Pictures(), batch_size=8, shuffle=True, num_workers=workers)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_shuffling_loader_of_python_code_goes_on_where_it_was(tmp_path, workers):
    # An epoch has five batches; dropout draws from the same generator as the loader would.
    recipe = TINY | {"architecture": {**TINY["architecture"], "discriminator": {"widths": [16], "dropout": 0.3}}}
    whole = train(tmp_path / "whole", recipe, data=shuffled(workers))
    for step in (3, 5, 7):
        out = tmp_path / str(step)
        with pytest.raises(Power):
            settings = {"train.save_every": step, "progress": CutOff(step + 1)}
            train(out, recipe, data=shuffled(workers), **settings)
        assert_same(whole.path, resume(out, data=shuffled(workers)).path)


def test_a_run_that_was_never_saved_starts_at_the_beginning(tmp_path):
    whole, heard = train(tmp_path / "whole"), Heard()
    with pytest.raises(Power):
        train(tmp_path / "broken", progress=CutOff(5))
    again = resume(tmp_path / "broken", heard)
    assert any("was not saved yet; it starts at the beginning" in line for line in heard.lines)
    assert_same(whole.path, again.path, but=())
    assert log(whole) == log(again)


def test_the_best_so_far_is_kept_and_remembered(tmp_path):
    settings = {"train": TINY["train"] | {"steps": 12, "save_every": 2, "log_every": 2}}
    whole = train(tmp_path / "whole", **settings)
    measured = {line["step"]: line["swd_ratio"] for line in whole.metrics}
    best = min(measured, key=measured.get)
    assert state(whole.path).numbers["best"] == {"step": best, "swd_ratio": measured[best]}
    kept = [path.name for path in checkpoint.checkpoints(whole.checkpoints)]
    assert kept == sorted({f"step-{best:06d}", "step-000010", "step-000012"})
    assert json.loads((whole.best_folder / "config.json").read_text())["training"]["steps"] == best
    with pytest.raises(Power):
        train(tmp_path / "broken", **settings, progress=CutOff(7))
    assert_same(whole.path, resume(tmp_path / "broken").path, but=())


def test_a_measure_waits_for_the_next_line_of_the_log(tmp_path):
    settings = {"train": TINY["train"] | {"steps": 15, "save_every": 7, "log_every": 3}}
    whole = train(tmp_path / "whole", **settings)
    assert [line["step"] for line in whole.metrics if "swd_ratio" in line] == [9, 15]
    with pytest.raises(Power):
        train(tmp_path / "broken", **settings, progress=CutOff(8))
    broken = resume(tmp_path / "broken")
    assert [line.get("swd_ratio") for line in whole.metrics] == [line.get("swd_ratio") for line in broken.metrics]


def test_damaged_checkpoints_do_not_push_out_what_is_saved_after_them(tmp_path):
    for index in (3, 8, 9, 4, 5, 6):
        checkpoint.save(tmp_path, checkpoint.State({"x": torch.ones(1)}, {"index": index}))
    assert [path.name for path in checkpoint.checkpoints(tmp_path)] == ["step-000005", "step-000006"]


def test_a_copy_that_somebody_made_of_a_checkpoint_is_left_alone(tmp_path):
    (tmp_path / "step-000002-mine").mkdir()
    for index in range(1, 6):
        checkpoint.save(tmp_path, checkpoint.State({"x": torch.ones(1)}, {"index": index}))
    assert (tmp_path / "step-000002-mine").exists()


def test_a_best_checkpoint_outlives_newer_ones(tmp_path):
    for index in range(1, 6):
        best = {"step": min(index, 2), "swd_ratio": 1.0}
        checkpoint.save(tmp_path, checkpoint.State({"x": torch.ones(1)}, {"index": index, "best": best}))
    kept = [path.name for path in checkpoint.checkpoints(tmp_path)]
    assert kept == ["step-000002", "step-000004", "step-000005"]


def test_what_was_changed_is_told_and_written_to_the_history(tmp_path):
    run, heard = train(tmp_path / "run"), Heard()
    resume(run.path, heard, **{"train.steps": 13, "optimizer.lr": 0.5, "loss.non-saturating.weight": 2})
    assert "changed: loss.non-saturating.weight 1.0 -> 2, train.steps 11 -> 13, optimizer.lr 0.0002 -> 0.5" in [
        line.replace("2.0", "2") for line in heard.lines
    ]
    begun, resumed = run.history
    assert (begun["event"], begun["step"], begun["changed"]) == ("begun", 0, {})
    assert begun["circumstances"]["torch"] == torch.__version__
    assert begun["circumstances"]["ganzoo-vanilla"]
    assert (resumed["event"], resumed["step"]) == ("resumed", 11)
    assert resumed["changed"]["optimizer.lr"] == [0.0002, 0.5]
    assert run.recipe.optimizer.lr == 0.5


def test_nothing_changed_is_nothing_told(tmp_path):
    with pytest.raises(Power):
        train(tmp_path / "run", progress=CutOff(5), **{"train.save_every": 4})
    heard = Heard()
    run = resume(tmp_path / "run", heard)
    assert run.history[-1]["changed"] == {}
    assert [line for line in heard.lines if line.startswith(("changed", "not bit for bit"))] == []


def test_other_circumstances_are_told(tmp_path):
    with pytest.raises(Power):
        train(tmp_path / "run", progress=CutOff(5), **{"train.save_every": 4})
    path, heard = tmp_path / "run" / "history.jsonl", Heard()
    path.write_text(path.read_text().replace(torch.__version__, "2.0.0"))
    resume(tmp_path / "run", heard)
    assert f"not bit for bit as it would have gone on, since torch 2.0.0 -> {torch.__version__}" in heard.lines


def test_another_batch_size_goes_on_in_the_same_epoch(tmp_path):
    # 12 images in batches of 4: two steps use 8, and the last 4 of the epoch come next, two at a time.
    (tmp_path / "pictures").mkdir()
    for number in range(12):
        Image.new("L", (28, 28), 20 * number).save(tmp_path / "pictures" / f"{number:02d}.png")
    seen = []

    class Spy(InMemory):
        def _batch(self, pixels, places):
            seen.append(places.tolist())
            return super()._batch(pixels, places)

    found = open_data(tmp_path / "pictures", size=28)
    spy = Spy("spy", found.images)
    run = train(tmp_path / "run", data=spy, train={"steps": 2, "batch": 4})
    seen.clear()
    resume(run.path, data=spy, train={"steps": 4, "batch": 2})
    order = permute_epoch(12, 0, 0, torch.device("cpu")).tolist()
    assert seen == [order[8:10], order[10:12]]


def test_momentum_may_be_new(tmp_path):
    for name in ("rmsprop", "sgd"):
        run = train(tmp_path / name, optimizer={"name": name, "lr": 1e-4})
        resume(run.path, train={"steps": 13}, optimizer={"momentum": 0.5})
        assert any("momentum_buffer" in key for key in state(run.path).tensors)


def test_epochs_that_are_over_leave_a_finished_run_alone(tmp_path):
    run, heard = train(tmp_path / "run"), Heard()
    resume(run.path, heard, train={"epochs": 0.001})
    assert "is finished" in heard.lines[-1]
    assert (run.recipe.train.steps, len(run.history), len(run.metrics)) == (11, 1, 4)


class Counting(ganzoo.Generator):
    """Has a state that its state dict does not show."""

    def __init__(self, image):
        super().__init__()
        self.net = torch.nn.Linear(100, 28 * 28)
        self.register_buffer("calls", torch.zeros(()), persistent=False)

    def forward(self, given):
        self.calls += self.training
        return (self.net(given["z"]) + self.calls.sin()).tanh().unflatten(1, (1, 28, 28))


COUNTING = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("counting", generator="test_resume:Counting", discriminator="ganzoo_vanilla.networks:Discriminator")
"""


def test_buffers_that_are_not_persistent_go_on_too(tmp_path, site, importable):
    site.install("ganzoo-counting", COUNTING)
    recipe = TINY | {"architecture": "counting"}
    whole = train(tmp_path / "whole", recipe)
    assert state(whole.path).tensors["generator.calls"] > 11
    assert_same(whole.path, broken_off(tmp_path / "broken", [4], recipe).path)


def test_another_seed_counts_from_there_on(tmp_path):
    runs = [train(tmp_path / str(number), train={"steps": 4}) for number in range(3)]
    same, other = (resume(run.path, train={"steps": 8, "seed": seed}) for run, seed in zip(runs, (0, 1), strict=False))
    again = resume(runs[2].path, train={"steps": 8, "seed": 1})
    assert_same(other.path, again.path)
    drawn = "rng.run"
    assert not torch.equal(state(same.path).tensors[drawn], state(other.path).tensors[drawn])


def test_a_loss_that_is_new_starts_as_it_is_set_up(tmp_path, pull):
    run = train(tmp_path / "run")
    resume(run.path, loss=["non-saturating", "pull"], train={"steps": 14})
    assert state(run.path).tensors["loss.pull.strength"] != 1
    assert run.history[-1]["changed"]["loss.pull.name"] == [None, "pull"]


@pytest.mark.parametrize(("before", "after"), [("fp32", "fp16"), ("fp16", "bf16")])
def test_the_precision_may_change(tmp_path, before, after):
    run = train(tmp_path / "run", train={"precision": before})
    assert resume(run.path, train={"steps": 13, "precision": after}).recipe.train.precision == after


def test_a_run_from_another_machine_goes_on_with_its_pictures_elsewhere(tmp_path, monkeypatch, command):
    (tmp_path / "there" / "pictures").mkdir(parents=True)
    for number in range(9):
        Image.new("L", (28, 28), 12 * number).save(tmp_path / "there" / "pictures" / f"{number}.png")
    monkeypatch.chdir(tmp_path / "there")
    recipe = copy.deepcopy(TINY) | {"data": {"name": "pictures", "size": 28}}
    whole = train("whole", recipe)
    with pytest.raises(Power):
        train("run", recipe, **{"train.save_every": 4}, progress=CutOff(5))
    shutil.move(tmp_path / "there", tmp_path / "here")
    monkeypatch.chdir(tmp_path)
    refused = command("train", "--resume", "../here/run")
    assert refused.returncode == 2
    assert "the images of this run were in" in refused.stderr and "say where they are now with --data" in refused.stderr
    words = ["train", "--resume", "../here/run", "--data", "../here/pictures", "--device", "cpu"]
    done = command(*words, OMP_NUM_THREADS=str(torch.get_num_threads()))
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "here" / whole.path, tmp_path / "here" / "run")


class Unlucky(ganzoo.Loss):
    """Not finite at step 5 with the first seeds."""

    def __init__(self, seeds: int = 1):
        super().__init__()
        self.seeds = seeds

    def setup(self, step):
        self.register_buffer("factor", torch.ones(()), persistent=False)

    def discriminator(self, step):
        seed = torch.initial_seed()
        bad = step.index == 5 and seed < self.seeds
        return {"fate": step.real_scores.mean() * 0 + (float("nan") if bad else 0.0)}


UNLUCKY = """
    import ganzoo

    @ganzoo.hookimpl
    def register_losses(register):
        register("unlucky", "test_resume:Unlucky")
"""


@pytest.fixture
def unlucky(site, importable):
    site.install("ganzoo-unlucky", UNLUCKY)


def rollback(seeds):
    settings = TINY["train"] | {"save_every": 4, "log_every": 1, "on_nonfinite": "rollback"}
    return TINY | {"loss": ["non-saturating", {"name": "unlucky", "seeds": seeds}], "train": settings}


def test_a_rollback_goes_on_from_the_last_good_checkpoint_with_another_seed(tmp_path, unlucky):
    heard = Heard()
    run = train(tmp_path / "run", rollback(seeds=2), heard)
    assert [line["event"] for line in run.history] == ["begun", "rolled back", "rolled back"]
    assert (run.history[-1]["step"], run.history[-1]["changed"]) == (4, {"train.seed": [1, 2]})
    assert "'discriminator/unlucky/fate' is not a finite number at step 5" in run.history[-1]["reason"]
    assert "changed: train.seed 1 -> 2" in heard.lines
    assert (run.recipe.train.seed, [line["step"] for line in run.metrics]) == (2, list(range(1, 12)))
    assert state(run.path).numbers["index"] == 11


def test_a_rollback_survives_a_loss_of_power(tmp_path, unlucky):
    whole = train(tmp_path / "whole", rollback(seeds=1))

    class Later(CutOff):
        """Cuts the power only after the rollback."""

        def start(self, done, steps):
            self.at = 7 if done else 0

    with pytest.raises(Power):
        train(tmp_path / "broken", rollback(seeds=1), Later(0))
    assert state(tmp_path / "broken").numbers["seed"] == 0
    assert_same(whole.path, resume(tmp_path / "broken").path, but=())


def test_ctrl_c_ends_a_training_that_would_have_rolled_back(tmp_path, unlucky):
    class Impatient(Silence):
        def step(self, done):
            if done == 6:
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(ganzoo.Interrupted, match=r"stopped; .*; the last good checkpoint is kept; go on from step-00"):
        train(tmp_path / "run", rollback(seeds=1), Impatient(), train={"log_every": 100})
    assert [line["event"] for line in ganzoo.Run(tmp_path / "run").history] == ["begun"]


def test_a_rollback_before_the_first_checkpoint_starts_anew(tmp_path, unlucky):
    run = train(tmp_path / "run", rollback(seeds=1), train={"save_every": 100})
    assert (run.history[-1]["event"], run.history[-1]["step"]) == ("rolled back", 0)
    assert [line["step"] for line in run.metrics] == list(range(1, 12))


def test_the_fourth_divergence_ends_the_training(tmp_path, unlucky):
    with pytest.raises(ganzoo.Diverged, match="also after 3 rollbacks; the last good checkpoint is kept"):
        train(tmp_path / "run", rollback(seeds=9))
    run = ganzoo.Run(tmp_path / "run")
    assert [line["event"] for line in run.history] == ["begun"] + 3 * ["rolled back"]
    # Somebody who changes a setting gets three more.
    with pytest.raises(ganzoo.Diverged, match="also after 3 rollbacks"):
        resume(run.path, optimizer={"lr": 1e-5})
    assert [line["event"] for line in run.history[4:]] == ["resumed"] + 3 * ["rolled back"]
