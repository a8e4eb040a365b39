"""Watching a training: evaluations on the way, the best generator, patience, and the guard against a collapse."""

import copy

import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo._seeds import make_rng
from ganzoo.data.batches import Batches
from ganzoo.data.sources import open_data
from ganzoo.engine.settings import Train
from ganzoo.evaluation.lookup import find_suite
from ganzoo.evaluation.suites import Metric, Suite
from ganzoo.recipe import build
from ganzoo.recipe.sections import LossUse
from ganzoo.training import checkpoint, collapse
from ganzoo.training.collapse import CollapseDetector, spread
from ganzoo.training.curves import panels_of, write_curves
from ganzoo.training.monitor import Monitor
from ganzoo.training.progress import Bar
from ganzoo.zoo.sampling import concatenate
from trainings import Silence

TINY = {
    "architecture": {"name": "vanilla", "generator": {"widths": [16]}, "discriminator": {"widths": [16]}},
    "loss": [{"name": "non-saturating"}],
    "train": {"steps": 24, "batch": 8, "log_every": 3, "save_every": 8, "precision": "fp32"},
}
EVALUATED = {"train": {**TINY["train"], "evaluate_every": 5, "evaluate_samples": 100}}


class Ink(Suite):
    """Judges digits by how much ink they have: the distance of the means, and how many have more than the average."""

    name = "ink"
    watched = ("shift", "dark")

    def __init__(self):
        self.mean = open_data("mnist-10k").images.double().div(255).mean().item()
        self.metrics = {
            "shift": Metric("shift", lambda ink: abs(ink.mean().item() - self.mean), "lower", least=10),
            "dark": Metric("dark", lambda ink: (ink > self.mean).double().mean().item(), "higher"),
        }

    def observe(self, pieces):
        images = concatenate([samples for samples, _ in pieces])
        assert images.min() >= 0 and images.max() <= 1
        torch.rand(3)  # as a metric may that draws random subsets
        return images.double().mean((1, 2, 3))

    def control(self, n):
        if n > 1000:
            raise ganzoo.BadInput(f"there are 1,000 real samples to compare with, so {n:,} are too many")
        return self.observe([(open_data("mnist-10k").images[:n] / 255, {})])

    def protocol(self, n):
        return {"real": f"{n} training images"}

    def check_data(self, data):
        if data["shape"] != [1, 28, 28]:
            raise ganzoo.BadInput("ink measures images of 1 x 28 x 28")


@pytest.fixture
def ink(monkeypatch):
    """Has digits measured by ink, which takes next to no time."""
    suites = {"mnist-10k": Ink()}
    monkeypatch.setattr("ganzoo.training.monitor.find_suite", lambda data: suites.get(data["name"]))


class Power(BaseException):
    """What a process feels when the power goes."""


class Heard(Silence):
    """Keeps what is said, and cuts the power after a step."""

    def __init__(self, cut=0):
        self.lines, self.cut = [], cut

    def say(self, text):
        self.lines.append(text)

    def step(self, done):
        if done == self.cut:
            raise Power


def train(out, recipe=TINY, progress=None, **more):
    return ganzoo.train(copy.deepcopy(recipe), out=out, device="cpu", quiet=not progress, progress=progress, **more)


def resume(out, progress=None, **more):
    return ganzoo.train(out=out, resume=True, device="cpu", quiet=not progress, progress=progress, **more)


def state(run):
    return checkpoint.read(run.checkpoints)[0]


def assert_same_weights(one, other):
    one, other = state(one).tensors, state(other).tensors
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def log(run, *but):
    return [
        {key: value for key, value in line.items() if key not in ("images_per_second", *but)} for line in run.metrics
    ]


def measured(run, key="shift_ratio"):
    return [(line["step"], line[key]) for line in run.metrics if key in line]


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
    assert f"step-{best:06d}" in [path.name for path in checkpoint.checkpoints(run.checkpoints)]
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
        train(tmp_path / "broken", **EVALUATED, progress=Heard(cut))
    broken = resume(tmp_path / "broken")
    assert_same_weights(whole, broken)
    assert state(whole).numbers == state(broken).numbers
    assert log(whole) == log(broken)
    for file in ("model.safetensors", "config.json"):
        assert (whole.best_folder / file).read_bytes() == (broken.best_folder / file).read_bytes()


IMPATIENT = {
    "train": {**EVALUATED["train"], "steps": 60, "evaluate_every": 2, "patience": 3},
    "optimizer": {"lr": 0.05},
}


def test_patience_ends_a_run_and_says_so(tmp_path, ink):
    heard = Heard()
    run = train(tmp_path / "run", progress=heard, **IMPATIENT)
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
    assert "ask for more: -o train.patience=6, or 0 for no end" in heard.lines[-1]
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
    run = train(tmp_path / "run", progress=heard, **EVALUATED)
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
            "evaluate_samples is 9, and 'shift' needs 10 or more",
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


def test_data_that_nothing_measures_are_refused_in_one_sentence_with_exit_code_2(command):
    (command.folder / "pictures").mkdir()
    for number in range(3):
        Image.new("L", (28, 28), 80 * number).save(command.folder / "pictures" / f"{number}.png")
    words = ["train", "vanilla", "--data", "pictures", "-o", "train.evaluate_every=5", "--out", "run"]
    result = command(*words)
    assert result.returncode == 2
    said = "there are no metrics for 'pictures', only for mnist, mnist-10k"
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
    suite = find_suite({"name": "ring8"})
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

    run = train(tmp_path / "run", {**TINY, "train": {**EVALUATED["train"], "tensorboard": True}}, progress=Bar())
    assert "shift_ratio" in capsys.readouterr().err
    events = EventAccumulator(str(run.path / "tensorboard")).Reload()
    found = [(event.step, event.value) for event in events.Scalars("shift_ratio")]
    assert found == [(step, pytest.approx(value)) for step, value in measured(run)]


def test_a_picture_of_curves_has_a_panel_for_each_measure(tmp_path):
    keys = ["step", "images", "images_per_second", "discriminator/a/real", "discriminator/b/x", "fd_ratio", "coverage"]
    assert panels_of(keys) == {
        "discriminator's terms": ["discriminator/a/real", "discriminator/b/x"],
        "images per second": ["images_per_second"],
        "fd ratio": ["fd_ratio"],
        "coverage": ["coverage"],
    }
    lines = [dict.fromkeys(keys, 1.0) | {"step": step} for step in (1, 2)]
    for name, number in (("plain", None), ("marked", 2)):
        write_curves(tmp_path / f"{name}.png", lines, number)
    write_curves(tmp_path / "empty.png", [])
    plain, marked = ((tmp_path / f"{name}.png").read_bytes() for name in ("plain", "marked"))
    assert plain != marked


def test_spread_is_the_mean_distance_of_all_pairs():
    points = torch.randn(9, 2, 3, generator=make_rng("spread"), dtype=torch.float64)
    flat = points.flatten(1)
    pairs = [(flat[one] - flat[other]).norm() for one in range(9) for other in range(one)]
    assert spread(points) == pytest.approx(float(torch.stack(pairs).mean()), rel=1e-6)
    assert spread({"a": points[:, 0], "b": points[:, 1]}) == pytest.approx(spread(points))
    assert spread(points[:7]) == 0


SMALL = {"steps": 120, "batch": 16, "log_every": 10, "save_every": 100, "precision": "fp32"}
COLLAPSING = {
    "architecture": TINY["architecture"],
    "loss": ["wasserstein"],
    "train": SMALL,
    "optimizer": {"generator": {"lr": 0.2}, "discriminator": {"lr": 1e-6}},
}
"""Nothing holds this generator back from making one and the same picture."""
SATURATED = {**COLLAPSING, "loss": ["minimax"], "optimizer": {"discriminator": {"lr": 0.02}}}
"""A discriminator that learns a hundred times too fast."""


@pytest.fixture
def often(monkeypatch):
    """Has a training looked at every ten steps."""
    monkeypatch.setattr("ganzoo.training.housekeeping.STEPS_BETWEEN_LOOKS", 10)


def warnings(heard):
    return [line for line in heard.lines if line.startswith("warning")]


@pytest.mark.parametrize(
    ("recipe", "sign", "said"),
    [
        (COLLAPSING, "collapse", "the samples are nearly all alike"),
        (SATURATED, "saturation", "the discriminator tells real from fake without effort"),
    ],
)
def test_a_training_that_goes_to_pieces_is_warned_of_once(tmp_path, often, recipe, sign, said):
    heard, again = Heard(), Heard()
    run = train(tmp_path / "run", recipe, heard)
    (line,) = (line for line in run.history if line["event"] == "warned")
    assert line["sign"] == sign
    assert line["reason"].startswith(said)
    assert "; try a lower" in line["reason"]
    assert warnings(heard) == [f"warning at step {line['step']}: {line['reason']}"]
    assert (run.metrics[-1]["diversity"] < collapse.ALIKE) == (sign == "collapse")
    resume(run.path, again, train={"steps": 180})
    assert warnings(again) == []


def test_a_sound_training_is_not_warned_of_and_its_diversity_is_logged(tmp_path, often):
    heard = Heard()
    run = train(tmp_path / "run", {**TINY, "train": SMALL}, heard)
    assert warnings(heard) == []
    assert len(measured(run, "diversity")) == 12


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["vanilla", "dcgan", "wgan", "wgan-gp", "conditional", "infogan"])
def test_no_recipe_is_warned_of_at_its_beginning(tmp_path, recipe):
    heard = Heard()
    train(tmp_path / "run", recipe, heard, train={"steps": 700})
    assert warnings(heard) == []


@pytest.mark.parametrize("recipe", ["dcgan", "wgan-gp"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_looking_leaves_every_bit_of_a_training_as_it_is(tmp_path, monkeypatch, recipe, precision):
    settings = {"train": {"steps": 4, "batch": 8, "log_every": 1, "precision": precision}, "architecture": {"width": 8}}
    plain = train(tmp_path / "plain", recipe, **settings)
    monkeypatch.setattr("ganzoo.training.housekeeping.STEPS_BETWEEN_LOOKS", 1)
    looked = train(tmp_path / "looked", recipe, **settings)
    assert_same_weights(plain, looked)
    assert log(plain) == log(looked, "diversity")
    assert len(measured(looked, "diversity")) == 4


class Points(ganzoo.Generator):
    latent_size, makes = 2, "point"

    def __init__(self, size=1.0):
        super().__init__()
        self.size = torch.nn.Parameter(torch.tensor(size))

    def forward(self, given):
        return given["z"] * self.size


class Judge(torch.nn.Module):
    def __init__(self, slope=1.0):
        super().__init__()
        self.slope = torch.nn.Parameter(torch.tensor(slope))

    def forward(self, points, given):
        return points.sum(1) * self.slope


def guard(loss="non-saturating", size=1.0, slope=1.0, count=200):
    batch = {"point": torch.randn(count, 2, generator=make_rng("points")) + 1}
    section = LossUse(name=loss)
    engine = ganzoo.Engine(
        Points(size), Judge(slope), [build.schedule(section, build.resolve_loss(section))], device="cpu"
    )
    engine.prepare(batch)
    return CollapseDetector(engine, Batches([batch]))


def test_diversity_of_points_is_how_far_they_lie_apart_beside_real_ones():
    for size in (1.0, 0.25, 0.01):
        looking = guard(size=size)
        looking.look()
        assert looking.diversity == pytest.approx(size, rel=0.1)


def test_a_few_samples_and_samples_that_are_all_alike_are_not_compared():
    alike = guard()
    alike.data = Batches([{"point": torch.ones(64, 2)}])
    for looking in (guard(count=7), alike):
        assert looking.look() == {}
        assert looking.diversity is None


class Elsewhere(ganzoo.Loss):
    """Plays with real samples under another key than the generator's, and wears a buffer down in its terms."""

    def __init__(self):
        super().__init__()
        self.register_buffer("worn", torch.zeros(()))

    def discriminator(self, step):
        self.worn += 1
        return {"real": step.score(step.batch["other"], step.given).mean(), "fake": step.fake_scores.mean()}

    def generator(self, step):
        return {"fool": -step.fake_scores.mean()}


def test_a_game_that_cannot_be_looked_at_goes_on():
    batch = {"other": torch.randn(16, 2, generator=make_rng("others"))}
    engine = ganzoo.Engine(Points(), Judge(), [Elsewhere()], device="cpu")
    engine.prepare(batch)
    looking = CollapseDetector(engine, Batches([batch]))
    assert [looking.look() for _ in range(6)] == [{}] * 6
    assert looking.diversity is None


def test_samples_that_are_no_numbers_have_no_diversity():
    looking = guard(size=float("nan"))
    assert looking.look() == {}
    assert looking.diversity is None


def test_looking_undoes_what_terms_do_to_a_losss_buffers():
    batch = {"point": torch.randn(16, 2, generator=make_rng("points")), "other": torch.zeros(16, 2)}
    engine = ganzoo.Engine(Points(), Judge(), [Elsewhere()], device="cpu")
    engine.prepare(batch)
    looking, worn = CollapseDetector(engine, Batches([batch])), engine.losses[0].loss.worn.clone()
    looking.look()
    assert looking.diversity is not None
    assert engine.losses[0].loss.worn == worn


@pytest.mark.parametrize("loss", ["non-saturating", "wasserstein", "hinge", "least-squares"])
def test_the_slope_of_a_loss_is_what_its_formula_says(loss):
    looking = guard(loss, slope=0.7)
    with looking.engine.observe(looking.batch) as step:
        found = collapse.slope(looking.engine, step)
        real, fake = step.real_scores.detach().double(), step.fake_scores.detach().double()
    sides = {
        "non-saturating": (1 - torch.sigmoid(real), torch.sigmoid(fake)),
        "wasserstein": (torch.ones(1), torch.ones(1)),
        "hinge": ((real < 1).double(), (fake > -1).double()),
        "least-squares": ((real - 1).abs(), fake.abs()),
    }[loss]
    factor = found / max(side.mean().item() for side in sides)
    assert factor == pytest.approx({"least-squares": factor}.get(loss, 1), rel=1e-5)
    assert factor in (pytest.approx(1, rel=1e-5), pytest.approx(2, rel=1e-5))


def test_a_sign_counts_only_where_it_lasts():
    looking = guard(size=0.001)
    said = [looking.look() for _ in range(4)]
    looking.engine.generator.size.data.fill_(1.0)
    said.append(looking.look())
    looking.engine.generator.size.data.fill_(0.001)
    said += [looking.look() for _ in range(4)]
    assert said == [{}] * 9
    assert list(looking.look()) == ["collapse"]
