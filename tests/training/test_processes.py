"""Two processes train one run: they decide together, and one of them speaks."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import ganzoo
from ganzoo.training.runs import checkpoint
from ganzoo.training.runs.steps import checkpoint_name
from launch import LAUNCH, SMOOTH, SUPPORT, TINY, command_with_plugin

OWN = [word for word in TINY if "widths" not in word] + ["-otrain.steps=4", "-ooptimizer.name=sgd"]
OWN += [f"-oarchitecture.{side}={SUPPORT}/own_code.py" for side in ("generator", "discriminator")]
OWN += [f"--loss={SUPPORT}/own_code.py"]


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """`ganzoo` in a folder of its own, with the plugin for two processes."""
    return command_with_plugin(tmp_path_factory.mktemp("processes"))


@pytest.fixture(scope="module")
def came(command):
    """What came of many commands in two processes: by name, for each rank (exit code, output, errors)."""
    for steps, out in ((4, "alone-4"), (8, "alone-8")):
        assert command("train", "vanilla", *SMOOTH, f"-otrain.steps={steps}", "--out", out).returncode == 0
    assert command("train", "vanilla", *OWN, "--out", "alone-own").returncode == 0
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
        "timed": ["train", "vanilla", *TINY, "-otrain.minutes=0.005", "--out=timed"],
        "named": ["train", "vanilla", *TINY, "-otrain.steps=2", "-otrain.accumulate=2"],
        "own": ["train", "vanilla", *OWN, "--out=own"],
        "missing": ["train", "vanilla", *OWN, "--loss=./absent.py:Mine", "--out=no"],
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
    return {name: [each[name] for each in of_rank] for name in ["threads", *commands]}


def state(folder: Path, step: int) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoints" / checkpoint_name(step) / "state.safetensors")


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


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the threads by /proc")
def test_no_thread_of_a_connection_of_the_users_own_outlives_it(came):
    assert came["threads"][0] and not [name for threads in came["threads"] for name in threads if "gloo" in name]


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


def test_both_run_the_file_with_the_networks_and_train_as_one_does(came, command):
    assert [code for code, *_ in came["own"]] == [0, 0], came["own"][0][2]
    alone, two = (state(command.folder / name, 4) for name in ("alone-own", "own"))
    for key in alone:
        if not key.startswith(("rng.torch", "tally")):
            torch.testing.assert_close(two[key], alone[key], rtol=1e-4, atol=1e-5, msg=key)
    assert len(list((command.folder / "own" / "code").iterdir())) == 1
    (code, _, error), (other, *others_words) = came["missing"]
    assert (code, other, others_words, error.count("there is no file")) == (2, 2, ["", ""], 1)


def test_a_run_that_is_finished_is_so_for_all(came):
    (code, _, err), (other_code, *_) = came["finished"]
    assert (code, other_code) == (0, 0)
    assert "is finished" in err


def test_patience_ends_both_at_one_step(came, command):
    assert [code for code, *_ in came["watched"]] == [0, 0], came["watched"]
    stopped = lines(command.folder / "watched" / "history.jsonl")[-1]
    assert stopped["event"] == "stopped" and stopped["step"] < 60


def test_both_end_at_one_step_when_the_time_is_over(came, command):
    assert [code for code, *_ in came["timed"]] == [0, 0], came["timed"]
    run = ganzoo.Run.open(command.folder / "timed")
    numbers = checkpoint.read_newest(run.checkpoints)[0].numbers
    assert numbers["seconds"] >= 0.3
    assert numbers["index"] == lines(run.path / "metrics.jsonl")[-1]["step"]


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
    assert events == ["begun", "rolled back", "rolled back", "rolled back", "diverged"]


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
        ("misspelt", "No such option '--sed'."),
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
