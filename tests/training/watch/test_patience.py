"""A training that gets no better ends when its patience is at an end."""

from trainings import Heard, assert_same_weights, log, resume, state, train_with
from watched import EVALUATED, TINY

train = train_with(TINY)
IMPATIENT = {
    "train": {**EVALUATED["train"], "steps": 60, "evaluate_every": 2, "patience": 3},
    "optimizer": {"lr": 0.05},
}


def test_patience_ends_a_run_and_says_so(tmp_path, ink):
    heard = Heard()
    run = train(tmp_path / "run", heard=heard, **IMPATIENT)
    stopped, best = state(run).numbers["index"], run.best_step
    assert stopped == best + 3 * 2 < 60
    said = f"has not improved on its {state(run).numbers['best']['shift_ratio']} of step {best} in 3 measurements"
    assert said in heard.lines[-1]
    assert heard.lines[-1].endswith(f"the best is in {run.best_folder}")
    assert (run.history[-1]["event"], run.history[-1]["step"]) == ("stopped", stopped)
    assert said in run.history[-1]["reason"]
    assert run.model.config["training"]["steps"] == stopped
    assert run.metrics[-1]["step"] == stopped
    assert (run.path / "curves.png").exists()


def test_a_run_that_patience_ended_goes_on_only_with_more_of_it(tmp_path, ink):
    run, heard = train(tmp_path / "run", **IMPATIENT), Heard()
    stopped = state(run).numbers["index"]
    resume(run.path, heard, train={"steps": 100})
    assert f"is finished: it was trained for {stopped} steps, and shift_ratio has not improved" in heard.lines[-1]
    assert "give it more patience: -o train.patience=6, or 0 for no limit" in heard.lines[-1]
    assert (state(run).numbers["index"], len(run.history)) == (stopped, 2)
    more = resume(run.path, train={"patience": 0, "steps": stopped + 3})
    assert state(more).numbers["index"] == stopped + 3


def test_with_more_patience_a_run_comes_to_what_it_would_have_come_to_with_it_from_the_beginning(tmp_path, ink):
    whole = train(tmp_path / "whole", {**TINY, **IMPATIENT, "train": {**IMPATIENT["train"], "patience": 5}})
    part = train(tmp_path / "part", **IMPATIENT)
    longer = resume(part.path, train={"patience": 5})
    assert state(part).numbers["index"] == state(longer).numbers["index"] > 0
    assert_same_weights(whole, longer)
    assert log(whole) == log(longer)
    assert state(whole).numbers == state(longer).numbers
