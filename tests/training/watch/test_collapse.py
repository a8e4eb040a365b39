"""A training is warned of when its samples become alike or its losses saturate; looking changes nothing."""

import pytest
import torch

import ganzoo
from ganzoo._seeds import make_rng
from ganzoo.data.batches import Batches
from ganzoo.recipe import build
from ganzoo.recipe.sections import LossUse
from ganzoo.training.watch import collapse
from ganzoo.training.watch.collapse import CollapseDetector, mean_distance
from trainings import Heard, assert_same_weights, log, resume, train_with
from watched import TINY, measured

train = train_with(TINY)


def test_spread_is_the_mean_distance_of_all_pairs():
    points = torch.randn(9, 2, 3, generator=make_rng("spread"), dtype=torch.float64)
    flat = points.flatten(1)
    pairs = [(flat[one] - flat[other]).norm() for one in range(9) for other in range(one)]
    assert mean_distance(points) == pytest.approx(float(torch.stack(pairs).mean()), rel=1e-6)
    assert mean_distance({"a": points[:, 0], "b": points[:, 1]}) == pytest.approx(mean_distance(points))
    assert mean_distance(points[:7]) == 0


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
    monkeypatch.setattr("ganzoo.training.housekeeping.STEPS_BETWEEN_CHECKS", 10)


def warnings(heard):
    return [line for line in heard.lines if line.startswith("warning")]


@pytest.mark.parametrize(
    ("recipe", "sign", "said"),
    [
        (COLLAPSING, "collapse", "mode collapse: the samples are nearly all alike"),
        (SATURATED, "saturation", "saturation: the discriminator separates real from fake samples perfectly"),
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
    assert (run.metrics[-1]["diversity"] < collapse.COLLAPSED_DIVERSITY) == (sign == "collapse")
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
    monkeypatch.setattr("ganzoo.training.housekeeping.STEPS_BETWEEN_CHECKS", 1)
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


class Judges(Judge):
    """The same judge three times, the way several judges speak."""

    def forward(self, points, given):
        return [super(Judges, self).forward(points, given) for _ in range(3)]


@pytest.mark.parametrize("loss", ["non-saturating", "wasserstein"])
def test_several_judges_saturate_as_one_does(monkeypatch, loss):
    found = []
    monkeypatch.setattr(collapse, "measure_score_gradient", lambda *all: found.append(measure(*all)) or found[-1])
    for judge in (Judge, Judges):
        monkeypatch.setitem(globals(), "Judge", judge)
        guard(loss).check()
    assert found[0] == pytest.approx(found[1], rel=1e-6) and found[0] > 0.1


measure = collapse.measure_score_gradient


def test_diversity_of_points_is_how_far_they_lie_apart_beside_real_ones():
    for size in (1.0, 0.25, 0.01):
        looking = guard(size=size)
        looking.check()
        assert looking.diversity == pytest.approx(size, rel=0.1)


def test_a_few_samples_and_samples_that_are_all_alike_are_not_compared():
    alike = guard()
    alike.data = Batches([{"point": torch.ones(64, 2)}])
    for looking in (guard(count=7), alike):
        assert looking.check() == {}
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
    assert [looking.check() for _ in range(6)] == [{}] * 6
    assert looking.diversity is None


def test_samples_that_are_no_numbers_have_no_diversity():
    looking = guard(size=float("nan"))
    assert looking.check() == {}
    assert looking.diversity is None


def test_looking_undoes_what_terms_do_to_a_losss_buffers():
    batch = {"point": torch.randn(16, 2, generator=make_rng("points")), "other": torch.zeros(16, 2)}
    engine = ganzoo.Engine(Points(), Judge(), [Elsewhere()], device="cpu")
    engine.prepare(batch)
    looking, worn = CollapseDetector(engine, Batches([batch])), engine.losses[0].loss.worn.clone()
    looking.check()
    assert looking.diversity is not None
    assert engine.losses[0].loss.worn == worn


@pytest.mark.parametrize("loss", ["non-saturating", "wasserstein", "hinge", "least-squares"])
def test_the_slope_of_a_loss_is_what_its_formula_says(loss):
    looking = guard(loss, slope=0.7)
    with looking.engine.observe(looking.batch) as step:
        found = collapse.measure_score_gradient(looking.engine, step)
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
    said = [looking.check() for _ in range(4)]
    looking.engine.generator.size.data.fill_(1.0)
    said.append(looking.check())
    looking.engine.generator.size.data.fill_(0.001)
    said += [looking.check() for _ in range(4)]
    assert said == [{}] * 9
    assert list(looking.check()) == ["collapse"]
