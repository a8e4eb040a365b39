"""Every metric against an independent one: NumPy in float64, plain loops, and torch-fidelity on the same features."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize
from torch.utils.data import Subset

from ganzoo._seeds import make_rng
from ganzoo.evaluation import metrics
from ganzoo.evaluation.cas import classification_accuracy_score
from ganzoo.evaluation.mnist import Digits, DigitSuite, reference_features
from ganzoo.evaluation.mnist_cnn import CLASSIFIER_ACCURACY, CLASSIFIER_NAME, MNIST_FILES, load_mnist_cnn
from ganzoo.evaluation.prdc import coverage, covered_share, density, distances, radii


def points(n, d, seed=0, spread=1.0):
    return spread * torch.randn(n, d, generator=make_rng("points", seed))


@pytest.fixture(scope="module")
def suite():
    return DigitSuite()


@pytest.fixture(scope="module")
def blurred(suite):
    """Three hundred test images that somebody has smeared, and their labels."""
    real = suite.control(300)
    return Digits((real.images + real.images.roll(1, 3)).div(2).mul(255).round().div(255), real.labels)


def root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def test_the_frechet_distance_is_the_formula():
    real, made = points(200, 6).double(), points(150, 6, 1, 1.5).double() + 0.3
    (a, b), (c, d) = ((x.mean(0).numpy(), np.cov(x.numpy(), rowvar=False)) for x in (real, made))
    half = root(b)
    wanted = ((a - c) ** 2).sum() + np.trace(b) + np.trace(d) - 2 * np.trace(root(half @ d @ half))
    assert metrics.frechet_distance(metrics.moments(real), made) == pytest.approx(wanted, rel=1e-9)
    assert metrics.frechet_distance(metrics.moments(real), real) == pytest.approx(0, abs=1e-9)


def test_the_frechet_distance_of_what_is_not_finite_is_nan():
    for value in (np.nan, np.inf):
        assert np.isnan(
            metrics.frechet_distance(
                metrics.moments(points(20, 6)), points(20, 6).index_fill(0, torch.tensor(3), value)
            )
        )


def test_the_kernel_distance_is_the_unbiased_estimate_on_features_of_length_one():
    real, made = points(60, 5).double() + 1, points(60, 5, 1).double()
    x, y = (normalize(each) for each in (real, made))
    total = 0.0
    for i in range(60):
        for j in range(60):
            if i != j:
                total += float((x[i] @ x[j] + 1) ** 3 + (y[i] @ y[j] + 1) ** 3) / (60 * 59)
            total -= 2 * float((x[i] @ y[j] + 1) ** 3) / 60**2
    assert metrics.kernel_distance(x, y, gamma=1.0) == pytest.approx(total, rel=1e-6)


def test_the_classifier_score_and_the_label_divergence_are_their_formulas():
    scores = points(80, 4, spread=3.0).double()
    shares = scores.softmax(1)
    mean = shares.mean(0)
    score = math.exp(sum(float((p * (p / mean).log()).sum()) for p in shares) / 80)
    assert metrics.classifier_score(scores) == pytest.approx(score, rel=1e-6)
    found = torch.tensor([0] * 6 + [2] * 3 + [3])
    wanted = 0.6 * math.log(0.6 * 4) + 0.3 * math.log(0.3 * 4) + 0.1 * math.log(0.1 * 4)
    assert metrics.label_divergence(found, 4) == pytest.approx(wanted, rel=1e-12)
    assert metrics.label_divergence(torch.arange(4), 4) == pytest.approx(0, abs=1e-12)


def plain_ssim(one, other):
    """Of each 7 x 7 window in two images: how alike their structure is, and that times how alike their means are."""
    structures, wholes = [], []
    for i in range(one.shape[0] - 6):
        for j in range(one.shape[1] - 6):
            a, b = one[i : i + 7, j : j + 7], other[i : i + 7, j : j + 7]
            mean, covariance = a.mean() * b.mean(), (a * b).mean() - a.mean() * b.mean()
            structures.append((2 * covariance + 0.03**2) / (a.var() + b.var() + 0.03**2))
            wholes.append(structures[-1] * (2 * mean + 0.01**2) / (a.mean() ** 2 + b.mean() ** 2 + 0.01**2))
    return np.mean(structures), np.mean(wholes)


def halved(pair):
    """Each image averaged to half its size; what is too small for that stays."""
    side = pair.shape[1] // 2
    return pair.reshape(2, side, 2, side, 2).mean((2, 4)) if pair.shape[1] % 2 == 0 else pair


def test_the_similarity_is_that_of_wang_over_three_scales(suite):
    images = suite.control(8).images
    weights = np.array([0.0448, 0.2856, 0.3001]) / (0.0448 + 0.2856 + 0.3001)
    found = []
    for pair in images.double().numpy()[:, 0].reshape(4, 2, 28, 28):
        product = 1.0
        for scale, weight in enumerate(weights):
            # The smallest scale has a single window; torchmetrics mirrors its edges to have more.
            mirrored = np.pad(pair, ((0, 0), (3, 3), (3, 3)), mode="reflect")
            alike = plain_ssim(*mirrored)[1] if scale == 2 else plain_ssim(*pair)[0]
            product *= max(0.0, alike) ** weight
            pair = halved(pair)
        found.append(product)
    assert metrics.ms_ssim(images) == pytest.approx(np.mean(found), abs=1e-4)
    assert metrics.ms_ssim(images[:1].expand(6, -1, -1, -1)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("chunk", [7, 1000])
def test_neighbours_are_counted_as_plain_loops_count_them(monkeypatch, chunk):
    monkeypatch.setattr("ganzoo.evaluation.prdc.ROWS_PER_CHUNK", chunk)
    real, made, k = points(40, 3), points(30, 3, 1, 1.3), 3

    def apart(x, y):
        return math.dist(x.tolist(), y.tolist())

    def ball(x, others):
        return sorted(apart(x, y) for y in others)[k]  # the nearest is itself

    around, own = [ball(x, real) for x in real], [ball(x, made) for x in made]
    assert radii(real, k).tolist() == pytest.approx(around, rel=1e-9)
    inside = [[apart(y, x) <= r for x, r in zip(real, around, strict=True)] for y in made]
    recalled = [any(apart(y, x) <= r for y, r in zip(made, own, strict=True)) for x in real]
    radius = radii(real, k)
    assert covered_share(made, real, radius) == pytest.approx(sum(map(any, inside)) / 30)
    assert covered_share(real, made, radii(made, k)) == pytest.approx(sum(recalled) / 40)
    assert density(made, real, radius, k) == pytest.approx(sum(map(sum, inside)) / (k * 30))
    assert coverage(made, real, radius) == pytest.approx(sum(map(any, zip(*inside, strict=True))) / 40)


def test_torch_fidelity_agrees_on_the_same_features(suite, blurred):
    from torch_fidelity import calculate_metrics, register_feature_extractor
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

    class Digit(FeatureExtractorBase):
        def __init__(self, name, features_list, **_):
            super().__init__(name, features_list)

        def forward(self, images):
            seen = Digits(images / 255, None)
            found = {"wide": seen.features, "long": normalize(seen.features), "scores": seen.scores}
            return tuple(found[name] for name in self.features_list)

        @staticmethod
        def get_provided_features_list():
            return "wide", "long", "scores"

        @staticmethod
        def get_default_feature_layer_for_metric(metric):
            return {"isc": "scores", "kid": "long"}.get(metric, "wide")

        @staticmethod
        def can_be_compiled():
            return True

        @staticmethod
        def get_dummy_input_for_compile():
            return torch.zeros(1, 1, 28, 28, dtype=torch.uint8)

    register_feature_extractor("digit", Digit)
    real = suite.control(600)
    others = Digits(real.images[300:], real.labels[300:])
    pixels = [each.images.mul(255).round().byte() for each in (blurred, others)]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        theirs = calculate_metrics(
            input1=Subset(pixels[0], range(300)),
            input2=Subset(pixels[1], range(300)),
            feature_extractor="digit",
            isc=True,
            fid=True,
            kid=True,
            prc=True,
            isc_splits=1,
            kid_subset_size=300,
            kid_kernel_poly_gamma=1.0,
            cuda=False,
            cache=False,
            verbose=False,
        )
        both = others.features, blurred.features
        ours = {
            "frechet_inception_distance": metrics.frechet_distance(metrics.moments(others.features), blurred.features),
            "kernel_inception_distance_mean": metrics.kernel_distance(*map(normalize, both), gamma=1.0),
            "inception_score_mean": metrics.classifier_score(blurred.scores),
            "precision": covered_share(blurred.features, others.features, others.radii(3)),
            "recall": covered_share(others.features, blurred.features, blurred.radii(3)),
        }
    for name, value in ours.items():
        assert value == pytest.approx(theirs[name], rel=1e-4, abs=1e-5), name


def test_the_classifier_is_as_good_as_it_says(suite):
    real = suite.control(10_000)
    with torch.no_grad():
        right = (real.predicted == real.labels).double().mean().item()
    assert right == pytest.approx(CLASSIFIER_ACCURACY, abs=2e-4)
    assert right >= 0.993
    assert (MNIST_FILES / f"{CLASSIFIER_NAME}.safetensors").stat().st_size <= 1_000_000
    assert not load_mnist_cnn().training


def test_the_reference_is_of_training_images_in_random_order(suite):
    from ganzoo.data.named import load_small

    images, labels, _ = load_small("mnist-10k", MNIST_FILES)
    with torch.no_grad():
        training = Digits(images[:3000] / 255, None).features
        apart = {
            name: suite.metrics["fd"].measure(Digits(i, None))
            for name, i in {"training": images[:3000] / 255, "test": suite.control(3000).images}.items()
        }
    assert apart["training"] < apart["test"] < 3
    # Those of the first images that are among the ten thousand lie at one with them.
    nearest = torch.cat([rows.amin(1) for rows in distances(training[:300], reference_features())])
    assert 20 <= (nearest < 0.05).sum() <= 90
    assert labels[:3000].bincount().min() > 200


def test_a_student_learns_from_labels_and_only_from_right_ones(suite):
    real, test = suite.control(1500), suite.control(10_000)
    learned = classification_accuracy_score(
        real.images[:1000], real.labels[:1000], test.images[1000:], test.labels[1000:]
    )
    wrong = classification_accuracy_score(real.images[:1000], (real.labels[:1000] + 1) % 10, test.images, test.labels)
    assert learned > 0.75
    assert wrong < 0.1
