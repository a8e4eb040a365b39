"""Several trainings of one recipe: what is trained, refused, stopped, gone on with, and told."""

import json
import os
import signal

import pytest

import ganzoo
from ganzoo.cli.params import split_values
from ganzoo.comparison.grid import combine, name_folders
from trainings import assert_same_weights, start, tiny, wait_for

TINY = {"name": "tiny", **tiny(steps=4, save_every=2, log_every=2)}
TOML = """
loss = "non-saturating"
architecture = { name = "vanilla", generator = { widths = [16] }, discriminator = { widths = [16] } }
train = { steps = 4, batch = 8, precision = "fp32", save_every = 2, log_every = 2 }
"""
QUIET = {"device": "cpu", "quiet": True}


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """The name of a recipe file in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(TOML)
    return "tiny.toml"


def test_a_grid_is_every_combination_each_with_a_name():
    grid = {"optimizer.lr": [1e-3, 2e-4], "optimizer.betas": [[0.5, 0.9]], "train.seed": [0, 1]}
    names = ["lr-0.001-betas-0.5-0.9-seed-0", "lr-0.001-betas-0.5-0.9-seed-1"]
    assert name_folders(combine(grid))[:2] == names
    assert len(combine(grid)) == 4
    assert name_folders([{"data.name": "a/b"}, {"data.name": "a b"}]) == ["001-name-a-b", "002-name-a-b"]
    assert len(name_folders([{"data.name": "x" * 500}])[0]) <= 80


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1e-3,2e-4", ["1e-3", "2e-4"]),
        ("[0.5,0.9]", ["[0.5,0.9]"]),
        ("[0.5,0.9],[0,0.9]", ["[0.5,0.9]", "[0,0.9]"]),
        ("'a,b',c", ["'a,b'", "c"]),
        ("{a=1,b=[2,3]}, x", ["{a=1,b=[2,3]}", "x"]),
        ("", [""]),
    ],
)
def test_commas_outside_brackets_and_quotes_separate_values(text, values):
    assert split_values(text) == values


def test_a_sweep_trains_as_single_trainings_do_and_tells_mean_and_standard_error(typed, recipe, tmp_path):
    code, out, said = typed("sweep", recipe, "-o", "optimizer.lr=1e-3,1e30", "--seeds", "0,1", "--device", "cpu")
    assert code == 0, said
    assert "run 3 of 4: lr 1e+30, seed 0" in said
    assert "diverged: training diverged" in said
    assert "mean of 2" in out
    assert "mean of 0 of 2" in out
    done = ganzoo.Sweep.open("runs/tiny-sweep-001")
    assert [summary.state for summary in done.summaries] == ["finished", "finished", "diverged", "diverged"]
    rows = json.loads((done.path / "results.json").read_text())["rows"]
    values = [row["swd_ratio"] for row in rows[:2]]
    assert rows[2]["swd_ratio"] == pytest.approx(sum(values) / 2)
    assert rows[2]["swd_ratio_error"] == pytest.approx(abs(values[0] - values[1]) / 2)
    single = ganzoo.train(recipe, out=tmp_path / "single", **{"optimizer.lr": 1e-3, "train.seed": 1}, **QUIET)
    assert_same_weights(done.runs[1], single)
    assert done.best.path.name == f"lr-0.001-seed-{values.index(min(values))}"


def test_the_same_sweep_again_trains_nothing_and_another_one_gets_a_folder(recipe):
    lr = {"optimizer": {"lr": [1e-3, 1e-4]}}
    first = ganzoo.sweep(recipe, lr, **QUIET)
    times = [(run.path / "history.jsonl").stat().st_mtime_ns for run in first.runs]
    again = ganzoo.sweep(recipe, lr, **QUIET)
    assert again.path == first.path
    assert [(run.path / "history.jsonl").stat().st_mtime_ns for run in again.runs] == times
    assert ganzoo.sweep(recipe, lr, train={"steps": 2}, **QUIET).path.name == "tiny-sweep-002"
    assert repr(first) == "Sweep('runs/tiny-sweep-001': 2 of 2 runs finished)"


@pytest.mark.slow
def test_a_sweep_that_is_stopped_and_killed_goes_on(command, tmp_path):
    long = TOML.replace("steps = 4", "steps = 600").replace("save_every = 2", "save_every = 300")
    (command.folder / "tiny.toml").write_text(long)
    words = ("tiny.toml", "--seeds", "0,1", "--device", "cpu", "--out", "several")
    for number in (signal.SIGINT, signal.SIGKILL):
        process = start(command, *words)
        seed = 0 if number == signal.SIGINT else 1
        wait_for(command.folder / f"several/seed-{seed}/metrics.jsonl", process)
        os.kill(process.pid, number)
        _, said = process.communicate(timeout=120)
        if number == signal.SIGINT:
            assert process.returncode == 130, said
            assert "stopped in several/seed-0; continue the sweep with: ganzoo sweep --resume several" in said
    done = command("sweep", "--resume", "several", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert "mean of 2" in done.stdout
    assert "run 1 of 2" not in done.stderr


REFUSED = [
    (["sweep", "tiny.toml", "-o", "optimizer.ler=1,2"], "unknown key 'optimizer.ler'; did you mean 'lr'?"),
    (["sweep", "tiny.toml", "-o", "loss.non-saturating.gama=1,2"], "gama"),
    (["sweep", "tiny.toml", "-o", "train.lr=1,2"], "did you mean 'optimizer.lr'?"),
    (["sweep", "tiny.toml", "-o", "optimizer.lr=1e-3,-1"], "optimizer.lr"),
    (["sweep", "tiny.toml", "-o", "optimizer.lr=1e-3"], "there is nothing to vary"),
    (["sweep", "tiny.toml"], "there is nothing to vary"),
    (["sweep", "tiny.toml", "-o", "optimizer.lr=1,,2"], "has an empty value between its commas"),
    (["sweep", "tiny.toml", "-o", "optimizer.lr=1,1.0"], "'optimizer.lr' has the value 1 twice"),
    (["sweep", "tiny.toml", "-o", "optimizer.lr=1,2", "-o", "optimizer.lr=3"], "is given twice"),
    (["sweep", "tiny.toml", "-o", "train.seed=0,1", "--seeds", "0,1"], "give the seeds by --seeds or by -o"),
    (["sweep", "tiny.toml", "-o", "optimizer.lr=1,2", "--out", "a", "--out", "b"], "--out takes one folder"),
    (["sweep", "tiny.toml", "-o", "data.name=mnist-10k,ring9"], "ring9"),
    (["sweep", "tiny.toml", "--seeds", "0,1", "--out", "x.png"], "'x.png' is neither a folder nor a file"),
    (["sweep", "--resume", "."], "'.' is not a sweep: it has no sweep.json"),
    (["runs", "tiny.toml"], "'tiny.toml' is a file; give a folder with runs"),
    (["sweep"], "give either a recipe"),
    (["sweep", "--resume", "nowhere"], "there is no folder 'nowhere'"),
    (["sweep", "--resume", "nowhere", "--seeds", "0,1"], "--resume continues a sweep as it was begun"),
    (["sweep", "tiny.toml", "--seeds", "0,1", "--out", "tiny.toml"], "is a file; --out is the folder of the sweep"),
    (["sweep", "tiny.toml", "--seeds", "0,1", "--out", "."], "is not empty and holds no sweep"),
    (["train", "tiny.toml", "--seeds", ""], "is not a list of whole numbers"),
    (["train", "tiny.toml", "--seeds", "0,x"], "is not a list of whole numbers"),
    (["train", "tiny.toml", "--seeds", "0,1.5"], "is not a list of whole numbers"),
    (["train", "tiny.toml", "--seeds", "0,-1"], "is not a list of whole numbers"),
    (["train", "tiny.toml", "--seeds", "1,1"], "has a seed twice"),
    (["train", "tiny.toml", "--seeds", "1"], "is one seed, and one run: --seed 1"),
    (["train", "tiny.toml", "--seeds", "0,9999999999"], "train.seed"),
    (["train", "tiny.toml", "--seeds", "0,1", "--seed", "1"], "without --seed"),
    (["train", "tiny.toml", "--seeds", "0,1", "-o", "train.seed=1"], "without --seed"),
    (["train", "tiny.toml", "--seeds", "0,1", "--overwrite"], "leave out --overwrite"),
    (["train", "--resume", "x", "--seeds", "0,1"], "--seeds begins new runs"),
]


@pytest.mark.parametrize(("words", "sentence"), REFUSED)
def test_what_cannot_work_is_refused_before_anything_is_made(typed, recipe, tmp_path, words, sentence):
    code, out, said = typed(*words)
    assert (code, out) == (2, "")
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((TINY, {"optimizer.lr": 1e-3}), "gives each key a list of values"),
        ((TINY, {}), "there is nothing to vary"),
        ((TINY,), "there is nothing to vary"),
        ((), "nothing to train"),
    ],
)
def test_a_sweep_from_python_is_refused_in_one_sentence(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ganzoo.BadInput) as refused:
        ganzoo.sweep(*arguments)
    assert sentence in str(refused.value)


def test_own_losses_of_a_sweep_come_from_files(recipe, tmp_path):
    class Mine(ganzoo.Loss):
        pass

    with pytest.raises(ganzoo.BadInput, match=r"write Mine into a file: './mine.py:Mine'"):
        ganzoo.sweep(recipe, {"train.seed": [0, 1]}, losses=[Mine()], **QUIET)
    (tmp_path / "store").write_text(MINE)
    (tmp_path / "mine.py").symlink_to("store")
    done = ganzoo.sweep(recipe, {"loss": ["./mine.py:Breaks", "hinge"]}, "s", **QUIET)
    assert [summary.state for summary in done.summaries] == ["finished", "finished"]
    assert [run.recipe.loss[0].name.rpartition(":")[2] for run in done.runs] == ["Breaks", "hinge"]


def test_a_folder_that_holds_another_sweep_is_kept(recipe):
    ganzoo.sweep(recipe, {"train.seed": [0, 1]}, "mine", train={"steps": 1}, **QUIET)
    with pytest.raises(ganzoo.BadInput, match="'mine' holds another sweep; choose another --out"):
        ganzoo.sweep(recipe, {"train.seed": [0, 2]}, "mine", train={"steps": 1}, **QUIET)
    assert len(ganzoo.Sweep.open("mine").runs) == 2


def test_a_sweep_of_which_no_run_can_be_trained_raises_what_the_first_one_raised(recipe):
    with pytest.raises(ganzoo.Diverged, match="training diverged"):
        ganzoo.sweep(recipe, {"optimizer.lr": [1e30, 1e31]}, **QUIET)
    assert (ganzoo.Sweep.open("runs/tiny-sweep-001").path / "results.csv").is_file()


def test_several_runs_are_not_trained_under_torchrun(typed, recipe, monkeypatch):
    monkeypatch.setattr("ganzoo.comparison.sweep.is_under_torchrun", lambda: True)
    with pytest.raises(ganzoo.BadInput, match="under torchrun train one run at a time"):
        ganzoo.sweep(recipe, {"train.seed": [0, 1]})


MINE = """
import ganzoo


class Breaks(ganzoo.Loss):
    def __init__(self, fails: bool = False, seen: int = 0):
        super().__init__()
        self.fails = fails

    def generator(self, step):
        if self.fails and step.fake_scores.grad_fn is not None:
            raise ArithmeticError("broken on purpose")
        return {"loss": -step.fake_scores.mean()}

    def discriminator(self, step):
        return {"loss": (step.fake_scores - step.real_scores).mean()}
"""


def test_a_run_that_fails_is_told_with_its_reason_and_the_next_begins(typed, recipe, tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    loss = ("--loss", "./mine.py:Breaks", "-o", "loss.Breaks.fails=true,false")
    code, _, said = typed("sweep", recipe, *loss, "--device", "cpu", "--out", "s")
    assert code == 1
    assert "1 of 2 runs failed; the first said: " in said.splitlines()[-1]
    states = ["failed", "finished"]
    rows = json.loads((tmp_path / "s/results.json").read_text())["rows"]
    assert [row["state"] for row in rows] == states
    assert [(row["run"], row["trained steps"]) for row in rows] == [
        ("s/Breaks.fails-true", None),
        ("s/Breaks.fails-false", 4),
    ]
    assert rows[1]["seconds"] >= 0
    assert [summary.state for summary in ganzoo.Sweep.open("s").summaries] == ["waiting", "finished"]


def test_a_training_that_fails_says_so_in_its_history(recipe, typed):
    class Fails(ganzoo.Callback):
        def on_step_end(self, trainer):
            raise ganzoo.Failed("broken on purpose")

    with pytest.raises(ganzoo.Failed):
        ganzoo.train(recipe, callbacks=[Fails()], **QUIET)
    assert "failed: " in typed("runs")[1]
    again = ganzoo.train(out="runs/tiny-001", resume=True, **QUIET)
    assert [line["event"] for line in again.history] == ["begun", "failed", "resumed"]
    assert "finished" in typed("runs")[1]
