"""Evaluations on the way: what is logged of them, which generator is the best, and that they change nothing."""

import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.data.sources import open_data
from ganzoo.engine.settings import Train
from ganzoo.evaluation.lookup import find_default
from ganzoo.training.display.progress import Bar
from ganzoo.training.runs import checkpoint
from ganzoo.training.runs.curves import group_into_panels, write_curves
from ganzoo.training.watch.monitor import Monitor
from trainings import Heard, Power, assert_same_weights, log, resume, state, train_with
from watched import EVALUATED, TINY, Ink, measured

train = train_with(TINY)


def test_what_is_logged_is_what_the_suite_says_of_the_models_own_samples(tmp_path, ink):
    recipe = {**TINY, "train": {**EVALUATED["train"], "steps": 10, "log_every": 10, "evaluate_every": 10}}
    run = train(tmp_path / "run", recipe)
    inks = run.model.sample(100, seed=0).double().mean((1, 2, 3))
    mnist = open_data("mnist-10k").images.double().div(255)
    ratio = (inks.mean() - mnist.mean()).abs() / (mnist[:100].mean() - mnist.mean()).abs()
    (line,) = run.metrics
    assert line["shift_ratio"] == pytest.approx(float(ratio), rel=1e-3)
    assert line["dark"] == pytest.approx(float((inks > mnist.mean()).double().mean()))
    assert "swd_ratio" not in line


def test_evaluating_leaves_every_bit_of_a_training_as_it_is(tmp_path, ink):
    plain = train(tmp_path / "plain")
    evaluated = train(tmp_path / "evaluated", **EVALUATED)
    assert_same_weights(plain, evaluated)
    assert log(plain, "swd_ratio") == log(evaluated, "shift_ratio", "dark")
    # In the lines that follow the evaluations after steps 5, 10, 15 and 20.
    assert [step for step, _ in measured(evaluated)] == [6, 12, 15, 21]


def test_the_best_generator_is_kept_and_is_told_by_name(tmp_path, ink):
    recipe = {**TINY, "train": {**EVALUATED["train"], "log_every": 1, "evaluate_every": 2}}
    run = train(tmp_path / "run", recipe)
    ratios = dict(measured(run))
    best = min(ratios, key=ratios.get)
    kept = state(run).numbers["best"]
    assert (kept["step"], kept["shift_ratio"], set(kept)) == (best, ratios[best], {"step", "shift_ratio", "dark"})
    assert (run.best_step, run.best.config["training"]["steps"]) == (best, best)
    assert f"step-{best:06d}" in [path.name for path in checkpoint.list_checkpoints(run.checkpoints)]
    inks = ganzoo.load(run.path / "best").sample(100).double().mean((1, 2, 3))
    assert Ink().metrics["shift"].measure(inks) / Ink().metrics["shift"].measure(Ink().control(100)) == pytest.approx(
        ratios[best], rel=1e-3
    )


def test_a_measure_that_is_better_when_higher_is_the_best_where_it_is_highest():
    watch = Monitor(open_data("mnist-10k"), Train())
    watch.gauge.better = "higher"
    values = iter([1.0, 3.0, 2.0, 3.0])
    watch.gauge.measure = lambda pieces: {"swd_ratio": next(values)}
    for step in (1, 2, 3, 4):
        watch.measure(step, [])
    assert (watch.best, watch.unimproved) == ({"step": 2, "swd_ratio": 3.0}, 2)


@pytest.mark.parametrize("cut", [12, 17])
def test_a_run_that_was_cut_off_goes_on_bit_for_bit_with_all_that_was_measured(tmp_path, ink, cut):
    whole = train(tmp_path / "whole", **EVALUATED)
    with pytest.raises(Power):
        train(tmp_path / "broken", **EVALUATED, heard=Heard(cut))
    broken = resume(tmp_path / "broken")
    assert_same_weights(whole, broken)
    assert state(whole).numbers == state(broken).numbers
    assert log(whole) == log(broken)
    for file in ("model.safetensors", "config.json"):
        assert (whole.best_folder / file).read_bytes() == (broken.best_folder / file).read_bytes()


def test_evaluation_may_begin_later_and_then_has_a_best_of_its_own(tmp_path, ink):
    run = train(tmp_path / "run")
    assert "swd_ratio" in state(run).numbers["best"]
    later = resume(run.path, train={**EVALUATED["train"], "steps": 30})
    assert state(later).numbers["best"]["step"] in (25, 30)
    assert later.best_step in (25, 30)


def test_the_best_of_other_counts_of_samples_is_not_compared(tmp_path, ink):
    run = train(tmp_path / "run", **EVALUATED)
    resumed = resume(run.path, train={"steps": 30, "evaluate_samples": 50})
    assert state(resumed).numbers["best"]["step"] in (25, 30)


def test_a_checkpoint_that_does_not_count_yet_is_gone_on_from(tmp_path, ink):
    run = train(tmp_path / "run", **EVALUATED)
    kept = state(run)
    numbers = {key: value for key, value in kept.numbers.items() if key not in ("unimproved", "count")}
    watch = Monitor(open_data("mnist-10k"), run.recipe.train)
    watch.restore(numbers)
    assert (watch.best, watch.unimproved) == (kept.numbers["best"], 0)


@pytest.mark.parametrize("name", ["mnist-10k", "ring8"])
def test_samples_that_are_no_numbers_are_left_out(name):
    data = open_data(name)
    watch, shape = Monitor(data, Train(evaluate_every=1, evaluate_samples=150)), data.image or data.point
    assert watch.measure(1, [(torch.full((150, *shape), float("nan")), {})]) == {}
    assert watch.best is None


def test_the_history_says_under_which_protocol_was_measured(tmp_path, ink):
    heard = Heard()
    run = train(tmp_path / "run", heard=heard, **EVALUATED)
    about = run.history[0]["evaluation"]
    assert (about["samples"], about["protocol"]) == (100, {"real": "100 training images"})
    assert about["real"]["dark"] == Ink().metrics["dark"].measure(Ink().control(100))
    assert any(
        line.startswith("evaluated every 5 steps on 100 samples; as many real ones have") for line in heard.lines
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train.patience": 3}, "patience counts evaluations, so it needs evaluate_every"),
        ({"train.evaluate_every": -1}, r"train\.evaluate_every: .* greater than or equal to 0, got -1"),
        ({"train.patience": -1}, r"train\.patience: .* greater than or equal to 0, got -1"),
        ({"train.evaluate_every": 5, "train.evaluate_samples": 1}, r"train\.evaluate_samples: .* got 1"),
        (
            {"train.evaluate_every": 5, "train.evaluate_samples": 9},
            "evaluate_samples is 9, but 'shift' needs 10 or more",
        ),
        ({"train.evaluate_every": 5, "train.evaluate_samples": 1001}, "so 1,001 are too many"),
        ({"train.evaluate_every": 5, "data.size": 32}, "ink measures images of 1 x 28 x 28"),
        ({"train.evalute_every": 5}, "did you mean 'evaluate_every'"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_before_anything_is_done(tmp_path, ink, changes, said):
    with pytest.raises(ganzoo.BadInput, match=said):
        train(tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


def test_too_few_pictures_to_measure_are_refused_in_one_sentence_with_exit_code_2(command):
    (command.folder / "pictures").mkdir()
    for number in range(3):
        Image.new("L", (28, 28), 80 * number).save(command.folder / "pictures" / f"{number}.png")
    words = ["train", "vanilla", "--data", "pictures", "-o", "train.evaluate_every=5", "--out", "run"]
    result = command(*words)
    assert result.returncode == 2
    said = "pictures has 3 images, half of them to compare with: too few, at least 50 are measured"
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (command.folder / "run").exists()


def test_the_digits_own_metrics_are_watched(tmp_path):
    settings = {**EVALUATED["train"], "steps": 2, "evaluate_every": 2, "evaluate_samples": 150}
    run = train(tmp_path / "run", {**TINY, "train": settings})
    assert run.metrics[-1]["fd_ratio"] > 2
    assert 0 <= run.metrics[-1]["coverage"] < 0.1
    assert run.history[0]["evaluation"]["protocol"]["sha256"]


def test_points_are_watched_by_their_modes(tmp_path):
    settings = {**EVALUATED["train"], "evaluate_every": 6, "steps": 12}
    run = train(tmp_path / "run", "ring8", train=settings)
    (suite,) = find_default({"name": "ring8"})
    seen = suite.observe(run.model.blocks(100, seed=0))
    assert run.metrics[-1]["high_quality"] == pytest.approx(suite.metrics["high-quality"].measure(seen), abs=1e-4)
    assert {"modes", "sigma"} <= run.history[0]["evaluation"]["protocol"].keys()


def test_a_measure_that_is_no_number_is_never_the_best():
    watch = Monitor(open_data("mnist-10k"), Train())
    values = iter([float("nan"), 3.0, float("nan"), 2.0])
    watch.gauge.measure = lambda pieces: {"swd_ratio": next(values)}
    for step in (1, 2, 3, 4):
        watch.measure(step, [])
    assert watch.best == {"step": 4, "swd_ratio": 2.0}


def test_a_bar_and_tensorboard_show_what_was_measured(tmp_path, ink, capsys):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = train(tmp_path / "run", {**TINY, "train": {**EVALUATED["train"], "tensorboard": True}}, callbacks=[Bar()])
    assert "shift_ratio" in capsys.readouterr().err
    events = EventAccumulator(str(run.path / "tensorboard")).Reload()
    found = [(event.step, event.value) for event in events.Scalars("shift_ratio")]
    assert found == [(step, pytest.approx(value)) for step, value in measured(run)]


def test_a_picture_of_curves_has_a_panel_for_each_measure(tmp_path):
    keys = ["step", "images", "images_per_second", "discriminator/a/real", "discriminator/b/x", "fd_ratio", "coverage"]
    assert group_into_panels(keys) == {
        "discriminator's terms": ["discriminator/a/real", "discriminator/b/x"],
        "fd ratio": ["fd_ratio"],
        "coverage": ["coverage"],
    }
    lines = [dict.fromkeys(keys, 1.0) | {"step": step} for step in (1, 2)]
    for name, more in {"plain": [], "marked": [2], "titled": [None, "a run at $5"]}.items():
        write_curves(tmp_path / f"{name}.png", lines, *more)
    write_curves(tmp_path / "empty.png", [])
    assert len({(tmp_path / f"{name}.png").read_bytes() for name in ("plain", "marked", "titled")}) == 3
