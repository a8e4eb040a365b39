"""Two processes on torch.distributed: they play the game of one, decide together, and end together."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import play_games
from command import Command
from ganzoo.engine.hardware import Hardware
from ganzoo.engine.processes import Processes
from ganzoo.errors import BadInput
from ganzoo.training import checkpoint
from sites import Site

SUPPORT = Path(__file__).parents[1] / "support"
LAUNCH = ("-m", "torch.distributed.run", "--nproc-per-node=2")
TINY = ["--data=mnist-10k", "--device=cpu", "--precision=fp32", "-oarchitecture.widths=[16]", "-otrain.batch=8"]
TINY += ["-otrain.sample_every=1000", "-otrain.save_every=4", "-otrain.log_every=4"]
SMOOTH = [*TINY, "-oarchitecture.generator.batch_norm=false", "-oarchitecture.discriminator.dropout=0"]
SMOOTH += ["-ooptimizer.name=sgd", "-ooptimizer.lr=0.05"]
"""Nothing in it depends on how the samples are divided among the processes."""

PLUGIN = """
    import os
    import shutil
    import signal
    import time
    from pathlib import Path

    import torch
    import ganzoo

    @ganzoo.hookimpl
    def register_losses(register):
        register("pool", "ganzoo_together:Pool")
        register("broken", "ganzoo_together:Broken")
        register("rotten", "ganzoo_together:Rotten")
        register("unequal", "ganzoo_together:Unequal")
        register("spoiling", "ganzoo_together:Spoiling")
        register("drawn", "ganzoo_together:Drawn")
        register("dying", "ganzoo_together:Dying")
        register("choosy", "ganzoo_together:Choosy")
        register("refusing", "ganzoo_together:Refusing")

    class Pool(ganzoo.Loss):
        def setup(self, step):
            self.register_buffer("kept", step.real[0].clone())

        def discriminator(self, step):
            return {"old": step.score(self.kept[None].expand_as(step.real), step.batch).mean()}

        def after(self, step, terms):
            self.kept.copy_(step.batch["image"][-1])

    class Broken(ganzoo.Loss):
        def discriminator(self, step):
            here = step.rank == 1 and step.index == 5
            return {"sum": step.real_scores.mean() * (float("nan") if here else 1)}

        generator = discriminator

    class Rotten(ganzoo.Loss):
        def setup(self, step):
            self.register_buffer("kept", torch.zeros(()))

        def after(self, step, terms):
            if step.rank == 1 and step.index == 5:
                self.kept.fill_(float("nan"))

    class Unequal(ganzoo.Loss):
        def discriminator(self, step):
            return {"one" if step.rank or step.index < 2 else "other": step.real_scores.mean().detach()}

    class Spoiling(ganzoo.Loss):
        def after(self, step, terms):
            if step.rank == 0 and step.index == 2 and step.turn == "generator":
                shutil.rmtree("spoilt/checkpoints")
                Path("spoilt/checkpoints").write_text("")

    class Dying(ganzoo.Loss):
        def setup(self, step):
            if step.rank == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(3)

    class Choosy(ganzoo.Loss):
        def after(self, step, terms):
            if (step.batch["image"][0] > 0).any() and step.rank == 1:
                step.randn(len(step.batch["image"]), 1)

    class Refusing(ganzoo.Loss):
        def __init__(self, rank=None):
            super().__init__()
            self.rank = rank

        def discriminator(self, step):
            if step.index == 2 and self.rank in (None, step.rank):
                raise ganzoo.BadInput("refused at step 2")
            return {}

    class Drawn(ganzoo.Loss):
        def setup(self, step):
            self.network = torch.nn.Linear(2, 2)
            self.register_buffer("projection", torch.cat([torch.randn(3), self.network.weight.flatten()]))
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """`ganzoo` in a folder of its own, with a plugin of this file installed beside it."""
    folder = tmp_path_factory.mktemp("processes")
    site = folder / "site"
    site.mkdir()
    Site(site).install("ganzoo-together", PLUGIN)
    command = Command(folder)
    command.environment["PYTHONPATH"] = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    return command


# The games.


@pytest.fixture(scope="module")
def games(tmp_path_factory):
    """What two processes came to after each step of each game, by rank."""
    folder = tmp_path_factory.mktemp("games")
    done = Command(folder).python(*LAUNCH, SUPPORT / "play_games.py", folder)
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", play_games.ALL)
def test_both_processes_have_the_same_weights_after_every_step(games, name):
    for one, other in zip(*(of_rank[name] for of_rank in games), strict=True):
        assert one["terms"] == other["terms"]
        for side in ("generator", "discriminator"):
            weights = [key for key in one[side] if "running" not in key]  # batch norm's means are each process's own
            assert weights and all(torch.equal(one[side][key], other[side][key]) for key in weights)


@pytest.mark.parametrize("name", sorted(play_games.ALL.keys() - {*play_games.NORMED}))
def test_two_processes_come_to_the_weights_of_one_with_the_double_batch(games, name, float64):
    for one, other in zip(games[0][name], play_games.played(name, Processes()), strict=True):
        assert one["terms"].keys() == other["terms"].keys()
        assert max(difference(one[side], other[side]) for side in ("generator", "discriminator")) < 1e-10
        assert all(math.isclose(value, other["terms"][key], rel_tol=1e-6) for key, value in one["terms"].items())


def difference(one, other):
    return max((one[key] - other[key]).abs().max().item() for key in one)


def test_a_gradient_that_only_some_samples_give_counts_and_one_that_none_gives_stays_away(games, float64):
    name, batch = "a_part_without_gradient", next(play_games.whole_batches(play_games.ALL["vanilla"]))
    chosen = [bool((part[:, 0] > play_games.CHOSEN).any()) for part in batch["image"].chunk(2)]
    assert sorted(chosen) == [False, True]  # at the first step only one of the two processes has that gradient
    _, started = play_games.ALL[name].networks()
    after = games[0][name][0]["discriminator"]
    assert not torch.equal(after["extra.weight"], started.extra.weight)
    assert torch.equal(after["never.weight"], started.never.weight)


# Trainings.


@pytest.fixture(scope="module")
def came(command):
    """What came of many commands in two processes: by name, for each rank (exit code, output, errors)."""
    for steps, out in ((4, "alone-4"), (8, "alone-8")):
        assert command("train", "vanilla", *SMOOTH, f"-otrain.steps={steps}", "--out", out).returncode == 0
    (command.folder / "other").mkdir()
    dropout = [
        *TINY,
        "-oarchitecture.discriminator.dropout=0.5",
        "--loss=non-saturating",
        "--loss=pool",
        "--loss=drawn",
    ]
    watched = ["train", "ring8", "--device=cpu", "-otrain.batch=32", "-otrain.steps=60", "-otrain.sample_every=1000"]
    watched += ["-ooptimizer.lr=1e-9"]
    sound = ["train", "vanilla", *TINY, "-otrain.steps=8", "--loss=non-saturating"]
    broken = [*sound, "--loss=broken"]
    commands = {
        "whole": ["train", "vanilla", *dropout, "-otrain.steps=8", "--out=whole"],
        "half": ["train", "vanilla", *dropout, "-otrain.steps=4", "--out=half"],
        "resumed": ["train", "--resume=half", "-otrain.steps=8"],
        "smooth-4": ["train", "vanilla", *SMOOTH, "-otrain.steps=4", "--out=smooth-4"],
        "smooth-8": ["train", "--resume=alone-4", "-otrain.steps=8"],
        "named": ["train", "vanilla", *TINY, "-otrain.steps=2", "-otrain.accumulate=2"],
        "finished": ["train", "--resume=whole"],
        "watched": [*watched, "-otrain.evaluate_every=10", "-otrain.patience=2", "--out=watched"],
        "diverged": [*broken, "--out=bad"],
        "back": [*broken, "-otrain.on_nonfinite=rollback", "--out=back"],
        "rotten": [*sound, "--loss=rotten", "--out=rotten"],
        "unequal": [*sound, "--loss=unequal", "--out=unequal"],
        "choosy": [*sound, "--loss=choosy", "--out=choosy"],
        "spoilt": [*sound, "--loss=spoiling", "--out=spoilt"],
        "longer": {"words": ["train", "--resume=whole", "-otrain.steps=12"], "1": ["-otrain.steps=8"]},
        "divided": ["train", "vanilla", *TINY, "-otrain.batch=9", "--out=no"],
        "parts": ["train", "vanilla", *TINY, "-otrain.batch=6", "-otrain.accumulate=2", "--out=no"],
        "device": ["train", "vanilla", *TINY, "--device=cuda", "--out=no"],
        "numbered": ["train", "vanilla", *TINY, "--device=cuda:0", "--out=no"],
        "apart": {"words": ["train", "vanilla", *TINY, "--out=no"], "1": ["-otrain.ema=0.9"]},
        "seeds": {"words": ["train", "vanilla", *TINY, "--out=no"], "1": ["--seed=3"]},
        "data": {"words": ["train", "vanilla", *TINY, "--out=no"], "1": ["--data=nowhere"]},
        "elsewhere": {"words": ["train", "vanilla", *TINY, "-otrain.steps=2", "--out=shared"], "folder": "other"},
        "shared": ["train", "vanilla", *TINY, "-otrain.steps=2", "--out=shared"],
        "outs": {"words": ["train", "vanilla", *TINY, "--out=no"], "1": ["--out=elsewhere"]},
        "synced": ["train", "vanilla", *TINY, "-otrain.sync_batch_norm=true", "--out=no"],
        "occupied": ["train", "vanilla", *TINY, "--out=whole"],
        "misspelt": ["train", "vanilla", *TINY, "--sed=3", "--out=no"],
        "unlike": {"words": ["train", "vanilla", *TINY, "--out=no"], "1": ["-ononsense"]},
    }
    if torch.cuda.is_available():
        del commands["device"]
    (command.folder / "commands.json").write_text(json.dumps(commands))
    done = command.python(*LAUNCH, SUPPORT / "type_commands.py", command.folder)
    assert done.returncode == 0, done.stderr
    of_rank = [json.loads((command.folder / f"{rank}.json").read_text()) for rank in (0, 1)]
    return {name: [each[name] for each in of_rank] for name in commands}


def state(folder: Path, step: int) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoints" / checkpoint.checkpoint_name(step) / "state.safetensors")


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_two_processes_leave_one_run_and_the_first_alone_speaks(came, command):
    (code, out, err), (other_code, *others_words) = came["whole"]
    assert (code, other_code, others_words) == (0, 0, ["", ""])
    assert "2 processes on cpu" in err and out.splitlines()[-1] == "whole"
    run = command.folder / "whole"
    assert [line["step"] for line in lines(run / "metrics.jsonl")] == [4, 8]
    assert [line["images"] for line in lines(run / "metrics.jsonl")] == [32, 64]
    assert lines(run / "history.jsonl")[0]["circumstances"]["processes"] == 2
    assert {path.name for path in run.iterdir()} == {path.name for path in (command.folder / "alone-8").iterdir()}


def test_both_processes_agree_on_the_name_of_a_new_run(came, command):
    assert came["named"][0][0] == came["named"][1][0] == 0
    assert [path.name for path in (command.folder / "runs").iterdir()] == ["vanilla-001"]


def test_a_resumed_training_of_two_processes_goes_on_bit_for_bit(came, command):
    assert came["resumed"][0][0] == 0, came["resumed"][0][2]
    whole, resumed = (state(command.folder / name, 8) for name in ("whole", "half"))
    assert {"process.1.rng.torch", "process.1.loss.pool.kept"} < whole.keys()
    assert not torch.equal(whole["loss.pool.kept"], whole["process.1.loss.pool.kept"])  # each has samples of its own
    assert not torch.equal(whole["rng.torch"], whole["process.1.rng.torch"])
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_two_processes_train_as_one_does_and_one_goes_on_from_two_and_two_from_one(came, command):
    assert came["smooth-8"][0][0] == 0, came["smooth-8"][0][2]
    assert command("train", "--resume=smooth-4", "-otrain.steps=8", "--device=cpu").returncode == 0
    alone = state(command.folder / "alone-8", 8)
    for name in ("smooth-4", "alone-4"):
        found = state(command.folder / name, 8)
        for key in alone:
            if not key.startswith(("rng.torch", "tally")):
                torch.testing.assert_close(found[key], alone[key], rtol=1e-4, atol=1e-5, msg=f"{name}: {key}")
    history = lines(command.folder / "smooth-4" / "history.jsonl")
    assert [line["circumstances"]["processes"] for line in history] == [2, 1]


def test_a_run_that_is_finished_is_so_for_all(came):
    (code, _, err), (other_code, *_) = came["finished"]
    assert (code, other_code) == (0, 0)
    assert "is finished" in err


def test_patience_ends_both_at_one_step(came, command):
    assert [code for code, *_ in came["watched"]] == [0, 0], came["watched"]
    stopped = lines(command.folder / "watched" / "history.jsonl")[-1]
    assert stopped["event"] == "stopped" and stopped["step"] < 60


def test_a_nan_in_one_process_stops_both(came):
    (code, _, err), (other_code, _, other_err) = came["diverged"]
    assert (code, other_code, other_err) == (3, 3, "")
    assert "'discriminator/broken/sum' is not a finite number at step 5" in err and "step-000004" in err


def test_a_nan_that_only_one_process_can_see_stops_both(came):
    (code, _, err), (other_code, _, other_err) = came["rotten"]
    assert (code, other_code, other_err) == (3, 3, "")
    assert "process 1: training diverged: a buffer has a NaN after step 8" in err


def test_what_a_loss_draws_in_its_setup_is_the_same_in_all(came, command):
    found = state(command.folder / "whole", 8)
    assert torch.equal(found["loss.drawn.projection"], found["process.1.loss.drawn.projection"])


def test_both_go_back_together_until_they_give_up(came, command):
    (code, _, err), (other_code, _, other_err) = came["back"]
    assert (code, other_code, other_err) == (3, 3, "")
    assert "also after 3 rollbacks" in err
    events = [line["event"] for line in lines(command.folder / "back" / "history.jsonl")]
    assert events == ["begun", "rolled back", "rolled back", "rolled back"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("longer", "but 'train.steps' is 12 in process 0 and 8 in process 1"),
        ("divided", "train.batch=9 cannot be divided equally among 2 processes"),
        ("parts", "train.batch=6 cannot be divided equally among 2 processes with train.accumulate=2"),
        ("device", "process 0 needs GPU 0 of its machine, which has 0; --device cpu takes none"),
        ("numbered", "several processes train on 'cpu' or 'cuda', where each takes its own GPU, not 'cuda:0'"),
        ("apart", "but 'train.ema' is 0.999 in process 0 and 0.9 in process 1"),
        ("seeds", "but 'train.seed' is 0 in process 0 and 3 in process 1"),
        ("data", "process 1: there is no data set or folder 'nowhere'"),
        ("elsewhere", "process 1: 'shared' is not the folder that process 0 has; --out must be one that all share"),
        ("outs", "but '--out' is 'no' in process 0 and 'elsewhere' in process 1"),
        ("synced", "train.sync_batch_norm needs GPUs"),
        ("occupied", "'whole' is not empty"),
        ("misspelt", "No such option '--sed'. Did you mean '--seed'?"),
        ("unlike", "process 1: '-o nonsense' is not section.key=value"),
    ],
)
def test_bad_input_is_one_sentence_of_the_first_and_exit_2_of_all(came, command, name, said):
    if name not in came:
        pytest.skip("this machine has a GPU")
    (code, _, err), (other_code, *others_words) = came[name]
    assert (code, other_code, others_words) == (2, 2, ["", ""]), err
    assert err.startswith("error: ") and err.count("\n") == 1
    assert said in err
    assert not (command.folder / "no").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "unequal",
            "the processes no longer agree: lengths of batches, names of loss terms or random draws differ between "
            "them; none of these may depend on the samples; no",
        ),
        ("choosy", "the processes no longer agree"),
        ("spoilt", "cannot write spoilt/checkpoints"),
    ],
)
def test_what_goes_wrong_on_the_way_is_one_sentence_of_the_first_too(came, name, said):
    (code, _, err), (other_code, *others_words) = came[name]
    assert (code, other_code, others_words) == (2, 2, ["", ""]), err
    assert err.count("error: ") == 1 and f"error: {said}" in err


def test_a_batch_norm_of_somebody_s_own_cannot_look_at_all_processes():
    class Conditional(torch.nn.BatchNorm2d):
        pass

    plain, own = torch.nn.BatchNorm2d(3), torch.nn.Sequential(Conditional(3))
    with pytest.raises(BadInput, match="works with torch's own batch norms only, not with Conditional"):
        Hardware("cpu").check_sync_batch_norm(plain, own)
    with pytest.raises(BadInput, match="needs GPUs"):
        Hardware("cpu").check_sync_batch_norm(plain)


def test_a_refused_start_leaves_nothing_in_the_way_of_the_next(came):
    assert came["elsewhere"][0][0] == 2
    assert [code for code, *_ in came["shared"]] == [0, 0], came["shared"]


def test_a_program_trains_several_times_and_each_error_is_told_by_one_process(command):
    done = command.python(*LAUNCH, SUPPORT / "train_several.py", command.folder)
    assert done.returncode == 0, done.stderr
    first, other = (json.loads((command.folder / f"program-{rank}.json").read_text()) for rank in (0, 1))
    assert first["again"] == other["again"] == 6
    assert first["both"] == ["BadInput", "refused at step 2; no checkpoint had been saved yet", True]
    assert other["both"] == [*first["both"][:2], False]
    assert first["one"] == ["BadInput", "process 1: refused at step 2; no checkpoint had been saved yet", True]
    assert other["one"] == ["BadInput", "refused at step 2; no checkpoint had been saved yet", False]
    assert first["batches"][0] == "BadInput" and "'checksum of the first batch' is" in first["batches"][1]
    assert first["tail"][1].startswith("a batch of 5 (a DataLoader's last one? see drop_last=True) cannot be divided")
    assert first["said"][0].startswith("skipped 15 images") and not other["said"]


def test_what_cannot_be_read_is_said_once_and_ends_all_with_exit_2(command):
    done = command.python(*LAUNCH, "-m", "ganzoo", "train", "vanilla", "-ononsense", "--out=no")
    (said,) = re.findall("^error: .*", done.stderr, re.M)
    assert "'-o nonsense' is not section.key=value" in said
    assert done.stderr.count("exitcode  : 2") == 2, done.stderr


# Ends that nobody wished for.


def test_one_that_dies_before_the_first_step_ends_the_other_with_a_sentence(command):
    words = ["train", "vanilla", *TINY, "--loss=non-saturating", "--loss=dying", "--out=early"]
    done = command.python(*LAUNCH, "-m", "ganzoo", *words)
    (said,) = re.findall("^error: .*", done.stderr, re.M)
    assert "another process" in said


def processes_of(launcher: subprocess.Popen) -> dict[int, int]:
    """The process of each rank."""
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    found = {}
    for child in children:
        environment = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        ranks = [int(line.removeprefix(b"RANK=")) for line in environment if line.startswith(b"RANK=")]
        found |= {rank: int(child) for rank in ranks}
    return found


def started(command: Command, out: str) -> subprocess.Popen:
    """A long training in two processes that has saved its first checkpoint."""
    launcher = subprocess.Popen(
        [sys.executable, *LAUNCH, "-m", "ganzoo", "train", "vanilla", *SMOOTH, "-otrain.steps=1000000", "--out", out],
        cwd=command.folder, env=command.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 120
    while not list((command.folder / out).glob("checkpoints/step-*/state.json")):
        assert launcher.poll() is None and time.monotonic() < until, launcher.communicate()[1]
        time.sleep(0.05)
    return launcher


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the processes by /proc")
@pytest.mark.parametrize("rank", [0, 1])
def test_one_that_is_killed_ends_the_other_with_a_sentence_and_the_run_goes_on(command, rank):
    launcher = started(command, f"killed-{rank}")
    os.kill(processes_of(launcher)[rank], signal.SIGKILL)
    _, err = launcher.communicate(timeout=30)
    assert launcher.returncode
    assert err.count("error: another process of this training has ended or cannot be reached") == 1
    assert f"with: torchrun --nproc-per-node=2 -m ganzoo train --resume killed-{rank}" in err
    step = checkpoint.read_newest(command.folder / f"killed-{rank}" / "checkpoints")[0].numbers["index"]
    done = command("train", f"--resume=killed-{rank}", f"-otrain.steps={step + 3}", "--device=cpu")
    assert done.returncode == 0, done.stderr
    assert "processes 2 -> 1" in done.stderr


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the processes by /proc")
@pytest.mark.parametrize("ranks", [[1], [0, 1, "launcher"]], ids=["one", "all and who started them"])
def test_sigterm_saves_once_and_ends_all(command, ranks):
    out = f"stopped-{len(ranks)}"
    launcher = started(command, out)
    there = {**processes_of(launcher), "launcher": launcher.pid}
    for rank in ranks:
        os.kill(there[rank], signal.SIGTERM)
    _, err = launcher.communicate(timeout=60)
    (step,) = re.findall(r"error: stopped after step (\d+); continue with", err)
    assert checkpoint.list_checkpoints(command.folder / out / "checkpoints")[-1].name.endswith(step)
    assert "launcher" in ranks or err.count("exitcode  : 143") == 2
