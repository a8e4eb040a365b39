"""Measures samples of MNIST's digits against real ones, with the features of `mnist-cnn-v1`."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import torch
from safetensors.torch import load
from torch import Tensor
from torch.nn.functional import normalize

from ganzoo.data.named import load_small
from ganzoo.errors import BadInput
from ganzoo.evaluation import metrics, prdc
from ganzoo.evaluation.cas import MIN_STUDENT_SAMPLES, classification_accuracy_score
from ganzoo.evaluation.mnist_cnn import (
    CLASSIFIER_ACCURACY,
    CLASSIFIER_NAME,
    MNIST_FILES,
    MNIST_SHA256,
    MnistCNN,
    load_mnist_cnn,
    read_pinned,
)
from ganzoo.evaluation.suites import Metric, Pieces, Suite, select_output

DIGIT_SHAPE = (1, 28, 28)
NEIGHBOURS_FOR_PRECISION, NEIGHBOURS_FOR_DENSITY = 3, 5
"""A ball reaches to that nearest neighbour, as each pair of metrics was published."""
IMAGES_PER_FORWARD = 500
"""Images that go through the classifier at once."""


@dataclass
class Digits:
    """Images (n, 1, 28, 28) in [0, 1], their labels (int64, (n,)) if they have any, and the classifier's outputs."""

    images: Tensor
    labels: Tensor | None

    @cached_property
    def features(self) -> Tensor:
        """The classifier's features, (n, 128)."""
        network = load_mnist_cnn()
        return torch.cat([network.features(part * 2 - 1) for part in torch.split(self.images, IMAGES_PER_FORWARD)])

    @cached_property
    def scores(self) -> Tensor:
        """The classifier's raw scores of each digit, (n, 10)."""
        return load_mnist_cnn().classify(self.features)

    @cached_property
    def predicted(self) -> Tensor:
        """The digits that the classifier predicts, int64 (n,)."""
        return self.scores.argmax(1)

    @property
    def given_labels(self) -> Tensor:
        """The labels. Raises `ValueError` if there are none."""
        if self.labels is None:
            raise ValueError("these samples have no labels")
        return self.labels

    def radii(self, k: int) -> Tensor:
        """Return the distance of each feature to its k-th nearest neighbour."""
        return prdc.radii(self.features, k)


@cache
def load_test_digits() -> tuple[Tensor, Tensor]:
    """Load the 10,000 test images in a fixed random order, in [0, 1], and their labels."""
    images, labels = (
        torch.frombuffer(bytearray(gzip.decompress(read_pinned(f"test-{kind}.gz"))), dtype=torch.uint8)
        for kind in ("images", "labels")
    )
    return images.view(-1, *DIGIT_SHAPE) / 255, labels.long()


@cache
def load_reference() -> dict[str, Tensor]:
    """Load the moments of the features of all training images, and the "features" of some in float16."""
    return load(read_pinned("reference.safetensors"))


@cache
def reference_features() -> Tensor:
    """Return the features of some training images in float32."""
    return load_reference()["features"].float()


@cache
def reference_radii(k: int) -> Tensor:
    """Return the distance of each reference feature to its k-th nearest neighbour."""
    return prdc.radii(reference_features(), k)


@cache
def control_digits(n: int) -> Digits:
    """Return the first `n` test images; the cache keeps their features. Raises `BadInput` for too many."""
    images, labels = load_test_digits()
    if n > len(images):
        raise BadInput(f"MNIST has {len(images):,} test images to compare with, so {n:,} samples are too many")
    return Digits(images[:n], labels[:n])


class DigitSuite(Suite[Digits]):
    """Eleven metrics of digits, two of them for labelled samples only.

    Generated images are rounded to 256 grey levels first, as in an image file.
    """

    name = CLASSIFIER_NAME
    watched = ("fd", "coverage")
    classes = tuple("0123456789")
    uses_pretrained = (CLASSIFIER_NAME,)

    def __init__(self) -> None:
        self.metrics = {
            "fd": Metric(f"FD ({CLASSIFIER_NAME})", frechet_distance, "lower", MnistCNN.WIDTH + 1),
            "kid": Metric("KID", kernel_distance, "lower"),
            "precision": Metric("precision", precision, "higher"),
            "recall": Metric("recall", recall, "higher", NEIGHBOURS_FOR_PRECISION + 1),
            "density": Metric("density", density, "higher"),
            "coverage": Metric("coverage", coverage, "higher"),
            "classifier-score": Metric("classifier score", classifier_score, "higher"),
            "label-kl": Metric("label KL", label_divergence, "lower"),
            "ms-ssim": Metric("MS-SSIM", ms_ssim, "lower"),
            "label-accuracy": Metric("label accuracy", label_accuracy, "higher", labelled=True),
            "cas": Metric("CAS", cas, "higher", MIN_STUDENT_SAMPLES, labelled=True, control=cas_of_real),
        }

    def observe(self, pieces: Pieces) -> Digits:
        """Collect and round the images, and their labels if there are any."""
        images, labels = [], []
        for samples, given in pieces:
            images.append(select_output("image", DIGIT_SHAPE, samples))
            labels += [given["label"]] if "label" in given else []
        rounded = torch.cat(images).mul(255).round().div(255)
        return Digits(rounded, torch.cat(labels) if labels else None)

    def control(self, n: int) -> Digits:
        """Return the first of the 10,000 test images in a fixed random order."""
        return control_digits(n)

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` unless the samples are grey images of 28 x 28 pixels in [-1, 1]."""
        made = " x ".join(map(str, data["shape"])) if data["kind"] == "image" else "no images"
        if data["kind"] != "image" or tuple(data["shape"]) != DIGIT_SHAPE:
            raise BadInput(
                f"{CLASSIFIER_NAME} measures images of 1 x 28 x 28 (channels, height, width), this model makes {made}"
            )
        if data.get("range", [-1, 1]) != [-1, 1]:
            raise BadInput(f"{CLASSIFIER_NAME} measures images in [-1, 1], this model makes {data['range']}")

    def protocol(self, n: int) -> dict[str, Any]:
        """Return classifier, counts, neighbours and weights."""
        weights = metrics.MS_SSIM_WEIGHTS
        reference = load_reference()
        return {
            "sha256": MNIST_SHA256[f"{CLASSIFIER_NAME}.safetensors"],
            "test_accuracy": CLASSIFIER_ACCURACY,
            "features": MnistCNN.WIDTH,
            "resize": "none",
            "rounded_to": 256,
            "real": f"{n} test images of MNIST",
            "fd_reference": f"{int(reference['real_features_num_samples'])} training images",
            "reference": f"{len(reference['features'])} random training images",
            "k_precision_recall": NEIGHBOURS_FOR_PRECISION,
            "k_density_coverage": NEIGHBOURS_FOR_DENSITY,
            "kid_kernel": "(x . y + 1)^3 of features of length 1",
            "kid_subsets": [metrics.KID_SUBSETS, min(n, metrics.KID_SUBSET_SIZE)],
            "ms_ssim_weights": [round(weight / sum(weights), 4) for weight in weights],
            "ms_ssim_kernel": metrics.MS_SSIM_WINDOW,
        }


def frechet_distance(digits: Digits) -> float:
    """Return the Frechet distance to the features of all training images."""
    moments = {name: value for name, value in load_reference().items() if name != "features"}
    return metrics.frechet_distance(moments, digits.features)


def kernel_distance(digits: Digits) -> float:
    """Return KID on features of length 1."""
    return metrics.kernel_distance(normalize(reference_features()), normalize(digits.features), gamma=1.0)


def precision(digits: Digits) -> float:
    """Return the share of samples that lie among real ones."""
    return prdc.covered_share(digits.features, reference_features(), reference_radii(NEIGHBOURS_FOR_PRECISION))


def recall(digits: Digits) -> float:
    """Return the share of real images that lie among samples."""
    return prdc.covered_share(reference_features(), digits.features, digits.radii(NEIGHBOURS_FOR_PRECISION))


def density(digits: Digits) -> float:
    """Return how densely real images lie around samples; about 1 for real ones."""
    k = NEIGHBOURS_FOR_DENSITY
    return prdc.density(digits.features, reference_features(), reference_radii(k), k)


def coverage(digits: Digits) -> float:
    """Return the share of real images that have a sample near them."""
    return prdc.coverage(digits.features, reference_features(), reference_radii(NEIGHBOURS_FOR_DENSITY))


def classifier_score(digits: Digits) -> float:
    """Return the Inception Score's formula with this classifier."""
    return metrics.classifier_score(digits.scores)


def label_divergence(digits: Digits) -> float:
    """Return KL(predicted digits || uniform)."""
    return metrics.label_divergence(digits.predicted, len(DigitSuite.classes))


def ms_ssim(digits: Digits) -> float:
    """Return the mean structural similarity of pairs of samples."""
    return metrics.ms_ssim(digits.images)


def label_accuracy(digits: Digits) -> float:
    """Return the share of samples for which the classifier predicts their label."""
    return (digits.predicted == digits.given_labels).double().mean().item()


def cas(digits: Digits) -> float:
    """Return the classification accuracy score on the test images."""
    return classification_accuracy_score(digits.images, digits.given_labels, *load_test_digits())


def cas_of_real(n: int) -> float:
    """Return that score for the first `n` of mnist-10k, which are training images."""
    images, labels, _ = load_small("mnist-10k", MNIST_FILES)
    return classification_accuracy_score(images[:n] / 255, labels[:n], *load_test_digits())
