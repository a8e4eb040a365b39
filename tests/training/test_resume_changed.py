"""A run goes on with other settings or in another place, and says what was changed."""

import copy
import shutil

import pytest
import torch
from PIL import Image

from ganzoo.data.memory import InMemory, permute_epoch
from ganzoo.data.sources import open_data
from trainings import Heard, Power, assert_same, resume, state, tiny, train_with

TINY = tiny(steps=11, log_every=3)
train = train_with(TINY)


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
        train(tmp_path / "run", heard=Heard(5), **{"train.save_every": 4})
    heard = Heard()
    run = resume(tmp_path / "run", heard)
    assert run.history[-1]["changed"] == {}
    assert [line for line in heard.lines if line.startswith(("changed", "the run will not be bit-identical"))] == []


def test_other_circumstances_are_told(tmp_path):
    with pytest.raises(Power):
        train(tmp_path / "run", heard=Heard(5), **{"train.save_every": 4})
    path, heard = tmp_path / "run" / "history.jsonl", Heard()
    path.write_text(path.read_text().replace(torch.__version__, "2.0.0"))
    resume(tmp_path / "run", heard)
    assert (
        f"the run will not be bit-identical to an uninterrupted one: torch 2.0.0 -> {torch.__version__}" in heard.lines
    )


def test_another_batch_size_goes_on_in_the_same_epoch(tmp_path):
    # 12 images in batches of 4: two steps use 8, and the last 4 of the epoch come next, two at a time.
    (tmp_path / "pictures").mkdir()
    for number in range(12):
        Image.new("L", (28, 28), 20 * number).save(tmp_path / "pictures" / f"{number:02d}.png")
    seen = []

    class Spy(InMemory):
        def gather(self, places):
            seen.append(places.tolist())
            return super().gather(places)

    found = open_data(tmp_path / "pictures", size=28)
    spy = Spy("spy", found.tensors, found.specs)
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
    assert "is finished: it was trained for 11 steps, more than the 2 of train.steps, and a run does" in heard.lines[-1]
    assert heard.lines[-1].endswith("to continue, give it more steps: -o train.steps=22")
    assert (run.recipe.train.steps, len(run.history), len(run.metrics)) == (11, 1, 4)


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
    assert run.history[-1]["changed"]["loss.pull.name"] == [None, "ganzoo-pull:pull"]


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
        train("run", recipe, **{"train.save_every": 4}, heard=Heard(5))
    shutil.move(tmp_path / "there", tmp_path / "here")
    monkeypatch.chdir(tmp_path)
    refused = command("train", "--resume", "../here/run")
    assert refused.returncode == 2
    assert "the images of this run were in" in refused.stderr and "give their new folder with --data" in refused.stderr
    words = ["train", "--resume", "../here/run", "--data", "../here/pictures", "--device", "cpu"]
    done = command(*words, OMP_NUM_THREADS=str(torch.get_num_threads()))
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "here" / whole.path, tmp_path / "here" / "run")
