"""Trainings with numbers that vary and parts with rates of their own: exact on resume, logged, refused."""

from pathlib import Path

import pytest
import torch

import ganzoo
from ganzoo.training.runs.log import format_terms
from seconds import Second
from trainings import assert_same, broken_off, log, resume, state, tiny, train_with

RATES = {"lr": {"from": 2e-3, "to": 1e-4, "kind": "exponential"}, "betas": [{"from": 0, "to": 0.5, "over": 4}, 0.9]}
VARIES = {
    **tiny(steps=11, log_every=3, ema={"from": 0.5, "to": 0.9, "over": 8}),
    "loss": [
        {"name": "non-saturating", "weight": {"from": 0.5, "to": 1, "over": 5, "kind": "cosine"}},
        {"name": "r1", "gamma": {"from": 1, "to": 4, "start": 2}, "every": 2},
    ],
    "optimizer": {**RATES, "generator": {"parts": {"network.0": 0.1, "network.2": {"from": 0, "to": 1, "over": 6}}}},
}
train = train_with(VARIES)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return train(tmp_path_factory.mktemp("varies") / "run")


def test_a_training_whose_numbers_vary_goes_on_bit_for_bit(whole, tmp_path):
    broken = broken_off(tmp_path / "run", [1, 4, 7, 8], VARIES)
    assert_same(whole.path, broken.path)
    assert log(whole, "swd_ratio") == log(broken, "swd_ratio")


def test_each_number_that_varies_is_logged(whole):
    last = whole.metrics[-1]
    assert last["step"] == 11
    done = {key: value for key, value in last.items() if key.startswith("schedule/")}
    assert done == pytest.approx(
        {
            "schedule/optimizer.lr": 2e-3 * 0.05 ** (10 / 11),
            "schedule/optimizer.betas.0": 0.5,
            "schedule/optimizer.generator.parts.network.2": 1,
            "schedule/train.ema": 0.9,
            "schedule/loss.non-saturating.weight": 1,
            "schedule/loss.r1.gamma": 1 + 3 * 8 / 9,
        }
    )
    assert {"lr 0.000131", "ema 0.9", "r1.gamma 3.67"} <= set(format_terms(last))


def test_the_recipe_keeps_the_schedules(whole):
    again = ganzoo.Recipe.load(whole.path / "recipe.toml")
    assert again.written_out()["loss"][1]["gamma"] == {"from": 1.0, "to": 4.0, "start": 2, "kind": "linear"}
    assert again.written_out() == whole.recipe.written_out()


def test_one_number_of_a_schedule_may_be_changed(whole):
    changed = whole.recipe.replace(**{"loss.r1.gamma.to": 2, "optimizer.lr": 1e-3})
    assert changed.written_out()["loss"][1]["gamma"]["to"] == 2
    assert changed.optimizer.lr == 1e-3


def test_a_course_of_the_rate_is_logged_too(tmp_path):
    recipe = {**tiny(steps=4, log_every=1), "optimizer": {"lr": 0.1, "schedule": "linear", "start": 2}}
    run = train(tmp_path / "run", recipe)
    assert [line["schedule/optimizer.lr"] for line in run.metrics] == pytest.approx([0.1, 0.1, 0.1, 0.05])


def test_with_minutes_a_schedule_ends_when_they_are_over(monkeypatch, tmp_path):
    recipe = {**VARIES, "train": {**VARIES["train"], "log_every": 1}}
    recipe["train"] = {**{k: v for k, v in recipe["train"].items() if k != "steps"}, "minutes": 1 / 6}
    run = train(tmp_path / "run", recipe, heard=Second(monkeypatch))
    gammas = [line["schedule/loss.r1.gamma"] for line in run.metrics]
    assert gammas[:3] == [1, 1, 1] and gammas == sorted(gammas) and 3 < gammas[-1] <= 4


FROZEN = {**tiny(steps=4), "optimizer": {"discriminator": {"parts": {"network.1": 0}}, "lr": 0.01}}


def test_a_part_that_was_frozen_may_be_trained_later_and_the_others_go_on(tmp_path):
    run = train(tmp_path / "run", FROZEN)
    first, thawed = state(run), "discriminator.network.1.weight"
    later = state(resume(run.path, **{"train.steps": 6, "optimizer.discriminator.parts.network.1": 1}))
    assert not torch.equal(first.tensors[thawed], later.tensors[thawed])
    steps = {
        name: later.numbers["trained"]["discriminator"].index(name) for name in ("network.1.weight", "network.4.weight")
    }
    counts = {name: later.tensors[f"optimizer.discriminator.{number}.step"].item() for name, number in steps.items()}
    assert counts == {"network.1.weight": 2, "network.4.weight": 6}


def test_a_checkpoint_that_does_not_name_its_parameters_is_resumed_exactly(whole, tmp_path, monkeypatch):
    """Those of ganzoo 0.1 do not."""
    from ganzoo.training.runs import snapshot

    recipe = tiny(steps=6)
    one = train(tmp_path / "one", recipe)
    monkeypatch.setattr(snapshot, "name_trained", lambda engine: {})
    train(tmp_path / "two", recipe, **{"train.steps": 3})
    monkeypatch.undo()
    two = resume(tmp_path / "two", **{"train.steps": 6})
    assert_same(one.path, two.path)


BAD = {
    "optimizer.lr={from=1,too=0}": "optimizer.lr: unknown key 'too'; did you mean 'to'?",
    "optimizer.lr={from=1e-3}": "optimizer.lr: 'to' is missing",
    "optimizer.lr={from=1e-3,to=1e-5,over=0}": "over: input should be greater than 0, got 0",
    "optimizer.lr={from=1e-3,to=0,start=20}": "the schedule starts with step 20 and ends with the training",
    "optimizer.start=3": "it needs schedule, linear or cosine",
    "train.batch={from=8,to=64}": "train.batch cannot follow a schedule; these can: optimizer.lr",
    "loss.0.every={from=1,to=4}": "loss.0.every cannot follow a schedule",
    "loss.r1.gamma={from=1,to=-4}": "gamma must be",
    'loss.r1.gamma={from=1,to=2,kind="cosinus"}': "gamma: kind: input should be 'linear', 'cosine' or 'exponential'",
    "loss.r1.gama={from=1,to=2}": "unknown key 'loss.r1.gama'; did you mean 'gamma'?",
    "optimizer.generator.parts={networks=0}": "the generator has no 'networks'; did you mean 'network'?",
    "optimizer.generator.parts.network=-1": "parts.network: input should be greater than or equal to 0",
    "optimizer.parts={network=0}": "give optimizer.generator.parts or optimizer.discriminator.parts",
    "optimizer.discriminator.parts={network=0}": "freezes all of the discriminator",
}


@pytest.mark.parametrize(("option", "words"), BAD.items(), ids=BAD)
def test_what_cannot_be_is_refused_in_one_sentence_and_leaves_nothing(command_in, option, words):
    code, said = command_in(
        "train", "vanilla", "--loss=non-saturating", "--loss=r1", "-otrain.steps=20", "-o", option, "--out=run"
    )
    assert code == 2
    assert words in said and said.strip().count("\n") == 0
    assert not Path("run").exists()


@pytest.fixture
def command_in(tmp_path, monkeypatch, capsys):
    """`ganzoo` in this process, in an empty folder."""
    from ganzoo.cli.main import main

    def run(*words):
        monkeypatch.setattr("sys.argv", ["ganzoo", *words])
        with pytest.raises(SystemExit) as done:
            main()
        return done.value.code, capsys.readouterr().err

    monkeypatch.chdir(tmp_path)
    return run
