"""Trainings that end by the clock: a clock of our own, that goes on by a second with each step."""

import pytest

import ganzoo
from ganzoo.training.runs import checkpoint
from seconds import Second
from trainings import keeping, tiny, trained

TEN_SECONDS = 1 / 6
SCHEDULED = {**tiny(minutes=TEN_SECONDS, log_every=1), "optimizer": {"lr": 1.0, "schedule": "linear"}}


@pytest.fixture
def second(monkeypatch):
    return Second(monkeypatch)


def test_a_training_ends_when_its_minutes_are_over_and_so_does_the_schedule(second, tmp_path):
    run = trained(SCHEDULED, out=tmp_path / "run", heard=second)
    # The first step ends at second 0, so that the eleventh ends at second 10.
    assert len(second.rates) == 11
    assert second.rates == pytest.approx([1, 1, *(1 - number / 10 for number in range(1, 10))])
    assert second.expected == [1, 20, 15, 13, 12, 12, 12, 11, 11, 11, 11]
    assert [line["minutes"] for line in run.metrics] == [round(number / 60, 2) for number in range(11)]
    assert run.recipe.train.steps is None


def test_warm_up_stays_in_steps_and_the_schedule_still_reaches_its_end(second, tmp_path):
    recipe = {**SCHEDULED, "optimizer": {**SCHEDULED["optimizer"], "warmup": 4}}
    trained(recipe, out=tmp_path / "run", heard=second)
    assert second.rates[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert second.rates[4:] == sorted(second.rates[4:], reverse=True)
    assert second.rates[-1] < 0.2


def test_an_interrupted_training_goes_on_with_the_minutes_that_are_left(monkeypatch, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(ganzoo.Interrupted, match="stopped after step 5"):
        trained(SCHEDULED, out=out, heard=Second(monkeypatch, stop_at=4))
    rest = Second(monkeypatch)
    trained(out=out, resume=True, heard=rest)
    # 4 seconds were over after 5 steps; the first step of the rest takes none.
    assert len(rest.rates) == 7
    assert rest.rates[0] == pytest.approx(0.6)
    assert checkpoint.read_newest(out / "checkpoints")[0].numbers["seconds"] == 10


def test_a_finished_run_says_how_to_go_on_and_more_minutes_extend_it(monkeypatch, tmp_path):
    out, lines = tmp_path / "run", []
    trained(SCHEDULED, out=out, heard=Second(monkeypatch))
    with keeping(lines):
        trained(out=out, resume=True)
    assert lines[-1].endswith("for 11 steps in 0.167 minutes; to continue, give it more: -o train.minutes=0.333333")
    more = Second(monkeypatch)
    trained(out=out, resume=True, heard=more, train={"minutes": 2 * TEN_SECONDS})
    assert len(more.rates) == 11
    assert more.rates[0] == pytest.approx(0.5)


@pytest.mark.parametrize(("first", "then", "steps"), [("steps", "minutes", 3 + 11), ("minutes", "steps", 12)])
def test_steps_and_minutes_take_each_others_place(monkeypatch, tmp_path, first, then, steps):
    lengths = {"steps": 3 if first == "steps" else 12, "minutes": TEN_SECONDS}
    recipe = {**SCHEDULED, "train": {**tiny()["train"], first: lengths[first]}}
    trained(recipe, out=tmp_path / "run", heard=Second(monkeypatch))
    run = trained(out=tmp_path / "run", resume=True, heard=Second(monkeypatch), train={then: lengths[then]})
    assert checkpoint.read_newest(run.checkpoints)[0].numbers["index"] == steps
    assert getattr(run.recipe.train, first) is None


def test_by_a_real_clock_a_training_takes_at_least_its_minutes(command):
    words = ("train", "vanilla", "--data=mnist-10k", "-otrain.minutes=0.02", "--out=run")
    assert command(*words).returncode == 0
    run = ganzoo.Run.open(command.folder / "run")
    assert checkpoint.read_newest(run.checkpoints)[0].numbers["seconds"] >= 1.2
    assert run.metrics[-1]["minutes"] >= 0.02


def test_the_engine_alone_counts_in_steps():
    from tiny_game import batches, make

    with pytest.raises(ganzoo.BadInput, match=r"give train\.steps instead of train\.minutes"):
        make(minutes=1).run(batches())


@pytest.mark.parametrize("minutes", [True, "1", 0, 1e308])
def test_minutes_are_a_number_that_a_clock_can_count(minutes):
    with pytest.raises(ganzoo.BadInput, match=r"train\.minutes: "):
        ganzoo.Recipe.load("ring8", **{"train.minutes": minutes})
