"""Mode coverage: each metric against a plain loop, and what real, collapsed and spoilt points are told to be."""

import math
import random

import pytest
import torch

import ganzoo
from ganzoo.data.mixtures import MIXTURES
from ganzoo.evaluation.lookup import find_default
from ganzoo.evaluation.mixtures import MixtureSuite

NAMES = list(MIXTURES)


def by_loops(points, means, sigma):
    """The metrics of PacGAN, section 4.1, in plain Python."""
    found = [0] * len(means)
    for x, y in points:
        distances = [math.sqrt((x - a) ** 2 + (y - b) ** 2) for a, b in means]
        nearest = min(range(len(means)), key=distances.__getitem__)
        if distances[nearest] < 3 * sigma:
            found[nearest] += 1
    good = sum(found)
    kl = sum(n / good * math.log(n / good * len(means)) for n in found if n) if good else math.log(len(means))
    return {"modes": len([n for n in found if n]), "high-quality": good / len(points), "reverse-kl": kl}


def measured(suite, *pieces):
    observed = suite.observe([(piece, {}) for piece in pieces])
    return {name: metric.measure(observed) for name, metric in suite.metrics.items()}


def drawn(name, n, sigmas, kept, seed=0):
    """Points of some of the modes, so many standard deviations wide."""
    chance, mixture = random.Random(seed), MIXTURES[name]
    centres = [chance.choice(mixture.means[:kept]) for _ in range(n)]
    wide = sigmas * mixture.sigma
    return torch.tensor([[x + chance.gauss(0, wide), y + chance.gauss(0, wide)] for x, y in centres])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("sigmas", "kept"), [(1, None), (3, None), (1, 3), (20, None), (0.1, 1)])
def test_every_metric_is_what_a_plain_loop_counts(name, sigmas, kept):
    points, mixture = drawn(name, 700, sigmas, kept or 99), MIXTURES[name]
    expected = by_loops(points.double().tolist(), mixture.means, mixture.sigma)
    assert measured(MixtureSuite(name), points[:64], points[64:]) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_one_mode_alone_has_the_largest_divergence_and_no_sample_near_any_has_it_too():
    collapsed = torch.tensor([[1.0, 0.0]]).expand(50, 2)
    assert measured(MixtureSuite("ring8"), collapsed) == {"modes": 1, "high-quality": 1, "reverse-kl": math.log(8)}
    nowhere = torch.zeros(50, 2)
    assert measured(MixtureSuite("ring8"), nowhere) == {"modes": 0, "high-quality": 0, "reverse-kl": math.log(8)}


@pytest.mark.parametrize("name", NAMES)
def test_fresh_points_are_at_what_the_protocol_says_of_a_perfect_sampler(name):
    suite, n = MixtureSuite(name), 40_000
    observed, protocol = suite.control(n), suite.protocol(n)
    values = {key: metric.measure(observed) for key, metric in suite.metrics.items()}
    assert values["modes"] == protocol["modes"] == len(MIXTURES[name].means)
    spread = math.sqrt(math.exp(-4.5) / n)
    assert values["high-quality"] == pytest.approx(protocol["perfect_high_quality"], abs=4 * spread)
    assert 0 < values["reverse-kl"] < 3 * protocol["perfect_reverse_kl"]


@pytest.mark.parametrize("name", NAMES)
def test_the_points_to_compare_with_are_none_of_those_to_learn_from(name):
    learnt = {tuple(point) for point in MIXTURES[name].draw(100_000, "train").tolist()}
    fresh = MIXTURES[name].draw(2500, "control")
    assert fresh.equal(MIXTURES[name].draw(2500, "control"))
    assert not learnt & {tuple(point) for point in fresh.tolist()}


@pytest.mark.parametrize("name", NAMES)
def test_the_points_have_the_published_centres_and_width(name):
    mixture = MIXTURES[name]
    centres = {
        "ring8": [(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)],
        "grid25": [(-4 + 2 * i, -4 + 2 * j) for i in range(5) for j in range(5)],
    }[name]
    points = mixture.draw(100_000, "train").double()
    assert points.shape == (100_000, 2)
    distances, nearest = torch.cdist(points, torch.tensor(centres, dtype=torch.float64)).min(1)
    shares = torch.bincount(nearest, minlength=len(centres)) / len(points)
    assert (shares * len(centres) - 1).abs().max() < 0.08
    sigma = {"ring8": 0.01, "grid25": 0.05}[name]
    assert distances.square().mean().div(2).sqrt().item() == pytest.approx(sigma, rel=0.01)


@pytest.mark.parametrize(
    "data",
    [
        {"name": "mnist", "kind": "image", "shape": [1, 28, 28]},
        {"name": "x", "kind": "other"},
        {"name": "ring8", "kind": "point", "shape": [3]},
    ],
)
def test_samples_that_are_no_points_in_the_plane_are_refused_in_a_sentence(data):
    with pytest.raises(ganzoo.BadInput, match="modes of ring8 are those of points in the plane, which this model does"):
        MixtureSuite("ring8").check_data(data)


def test_points_among_several_outputs_are_measured_and_other_outputs_refused():
    suite, points = MixtureSuite("ring8"), drawn("ring8", 50, 1, 8)
    several = suite.observe([({"point": points, "weight": torch.ones(50)}, {})])
    assert several.counts.equal(suite.observe([(points, {})]).counts)
    for other in ({"weight": points}, points[:, :1]):
        with pytest.raises(ganzoo.BadInput, match=r"points of shape \(2,\) were to be measured, and this model makes"):
            suite.observe([(other, {})])


def test_more_points_than_there_are_to_compare_with_are_refused_in_a_sentence():
    with pytest.raises(ganzoo.BadInput, match="are more than the 1,000,000 points of grid25"):
        MixtureSuite("grid25").control(10**12)


@pytest.mark.parametrize("name", NAMES)
def test_each_mixture_has_its_suite(name):
    data = {"name": name, "kind": "point", "shape": [2], "classes": []}
    (suite,) = find_default(data)
    suite.check_data(data)
    assert suite.mixture is MIXTURES[name]


def test_an_unknown_mixture_is_refused_with_the_nearest():
    with pytest.raises(ganzoo.BadInput, match=r"no mixture 'ring9'; did you mean 'ring8'\?"):
        MixtureSuite("ring9")
