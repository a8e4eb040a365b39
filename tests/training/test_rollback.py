"""A training that diverges goes back to its last good checkpoint and on with another seed, three times at most."""

import signal

import pytest

import ganzoo
from trainings import Heard, Power, assert_same, resume, state, tiny, train_with

TINY = tiny(steps=11, log_every=3)
train = train_with(TINY)


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

    class Later(Heard):
        """Cuts the power only after the rollback."""

        def on_train_start(self, trainer):
            self.cut = 7 if trainer.step else 0

    with pytest.raises(Power):
        train(tmp_path / "broken", rollback(seeds=1), Later())
    assert state(tmp_path / "broken").numbers["seed"] == 0
    assert_same(whole.path, resume(tmp_path / "broken").path, but=())


def test_ctrl_c_ends_a_training_that_would_have_rolled_back(tmp_path, unlucky):
    class Impatient(ganzoo.Callback):
        def on_step_end(self, trainer):
            if trainer.step == 6:
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
    assert [line["event"] for line in run.history] == ["begun", *3 * ["rolled back"], "diverged"]
    # Somebody who changes a setting gets three more.
    with pytest.raises(ganzoo.Diverged, match="also after 3 rollbacks"):
        resume(run.path, optimizer={"lr": 1e-5})
    assert [line["event"] for line in run.history[5:]] == ["resumed", *3 * ["rolled back"], "diverged"]
