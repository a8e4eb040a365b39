"""Samples of MNIST's digits: what measures them, and the real digits that they are compared with."""

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
from ganzoo.evaluation.suites import Metric, Pieces, Suite, select_outputs

DIGIT_SHAPE = (1, 28, 28)
NEIGHBOURS_FOR_PRECISION, NEIGHBOURS_FOR_DENSITY = 3, 5
"""Neighbours that make a ball, as each pair of metrics was published."""
IMAGES_PER_FORWARD = 500
"""Images that the classifier looks at once."""


@dataclass
class Digits:
    """Images (n, 1, 28, 28) in [0, 1] and perhaps their labels (int64, (n,)), and what the classifier sees in them."""

    images: Tensor
    labels: Tensor | None

    @cached_property
    def features(self) -> Tensor:
        """The classifier's features, (n, 128)."""
        return torch.cat([load_mnist_cnn().features(part * 2 - 1) for part in self.images.split(IMAGES_PER_FORWARD)])

    @cached_property
    def scores(self) -> Tensor:
        """The classifier's raw scores of each digit, (n, 10)."""
        return load_mnist_cnn().head(self.features)

    @cached_property
    def found(self) -> Tensor:
        """Which digit the classifier finds, int64 (n,)."""
        return self.scores.argmax(1)

    def radii(self, k: int) -> Tensor:
        """The distance of each feature to its k-th nearest."""
        return prdc.radii(self.features, k)


class DigitSuite(Suite):
    """FD, KID, precision, recall, density, coverage, classifier score, label KL, MS-SSIM; with labels also theirs.

    Generated images are rounded to 256 grey levels first, which is what a picture file of them would hold.
    """

    name = CLASSIFIER_NAME
    watched = ("fd", "coverage")
    classes = tuple("0123456789")

    def __init__(self) -> None:
        self.metrics: Mapping[str, Metric] = {
            "fd": Metric(f"FD ({CLASSIFIER_NAME})", self._frechet, "lower", MnistCNN.WIDTH + 1),
            "kid": Metric("KID", self._kernel_distance, "lower"),
            "precision": Metric("precision", self._precision, "higher"),
            "recall": Metric("recall", self._recall, "higher", NEIGHBOURS_FOR_PRECISION + 1),
            "density": Metric("density", self._density, "higher"),
            "coverage": Metric("coverage", self._coverage, "higher"),
            "classifier-score": Metric("classifier score", self._score, "higher"),
            "label-kl": Metric("label KL", self._label_divergence, "lower"),
            "ms-ssim": Metric("MS-SSIM", self._similarity, "lower"),
            "label-accuracy": Metric("label accuracy", label_accuracy, "higher", labelled=True),
            "cas": Metric(
                "CAS", self._student, "higher", MIN_STUDENT_SAMPLES, labelled=True, control=self._student_of_real
            ),
        }

    def observe(self, pieces: Pieces) -> Digits:
        """The digits among samples, and their labels where there are any."""
        images, labels = [], []
        for samples, given in pieces:
            images.append(select_outputs("image", DIGIT_SHAPE, samples))
            labels += [given["label"]] if "label" in given else []
        rounded = torch.cat(images).mul(255).round().div(255)
        return Digits(rounded, torch.cat(labels) if labels else None)

    @cache  # noqa: B019 (a suite lives as long as the program)
    def control(self, n: int) -> Digits:
        """The first of the 10,000 test images in a fixed random order."""
        images, labels = self._test
        if n > len(images):
            raise BadInput(f"MNIST has {len(images):,} test images to compare with, so {n:,} samples are too many")
        return Digits(images[:n], labels[:n])

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` for other images than grey ones of 28 x 28 pixels."""
        made = " x ".join(map(str, data["shape"])) if data["kind"] == "image" else "no images"
        if data["kind"] != "image" or tuple(data["shape"]) != DIGIT_SHAPE:
            raise BadInput(
                f"{CLASSIFIER_NAME} measures images of 1 x 28 x 28 (channels, height, width), this model makes {made}"
            )
        if data.get("range", [-1, 1]) != [-1, 1]:
            raise BadInput(f"{CLASSIFIER_NAME} measures images in [-1, 1], this model makes {data['range']}")

    def protocol(self, n: int) -> dict[str, Any]:
        """Extractor, counts, neighbours and weights."""
        scales = [round(weight / sum(metrics.MS_SSIM_WEIGHTS), 4) for weight in metrics.MS_SSIM_WEIGHTS]
        return {
            "sha256": MNIST_SHA256[f"{CLASSIFIER_NAME}.safetensors"],
            "test_accuracy": CLASSIFIER_ACCURACY,
            "features": MnistCNN.WIDTH,
            "resize": "none",
            "rounded_to": 256,
            "real": f"{n} test images of MNIST",
            "fd_reference": f"{int(self._reference['real_features_num_samples'])} training images",
            "reference": f"{len(self._reference['features'])} random training images",
            "k_precision_recall": NEIGHBOURS_FOR_PRECISION,
            "k_density_coverage": NEIGHBOURS_FOR_DENSITY,
            "kid_kernel": "(x . y + 1)^3 of features of length 1",
            "kid_subsets": [metrics.KID_SUBSETS, min(n, metrics.KID_SUBSET_SIZE)],
            "ms_ssim_weights": scales,
            "ms_ssim_kernel": metrics.MS_SSIM_WINDOW,
        }

    @cached_property
    def _test(self) -> tuple[Tensor, Tensor]:
        images, labels = (
            torch.frombuffer(bytearray(gzip.decompress(read_pinned(f"test-{what}.gz"))), dtype=torch.uint8)
            for what in ("images", "labels")
        )
        return images.view(-1, *DIGIT_SHAPE) / 255, labels.long()

    @cached_property
    def _reference(self) -> dict[str, Tensor]:
        """Moments of the features of all training images, and the features of some."""
        return load(read_pinned("reference.safetensors"))

    @cached_property
    def _real(self) -> Tensor:
        return self._reference["features"].float()

    @cache  # noqa: B019 (a suite lives as long as the program)
    def _radii(self, k: int) -> Tensor:
        return prdc.radii(self._real, k)

    def _frechet(self, seen: Digits) -> float:
        moments = {name: value for name, value in self._reference.items() if name != "features"}
        return metrics.frechet_distance(moments, seen.features)

    def _kernel_distance(self, seen: Digits) -> float:
        return metrics.kernel_distance(normalize(self._real), normalize(seen.features), gamma=1.0)

    def _precision(self, seen: Digits) -> float:
        return prdc.covered_share(seen.features, self._real, self._radii(NEIGHBOURS_FOR_PRECISION))

    def _recall(self, seen: Digits) -> float:
        return prdc.covered_share(self._real, seen.features, seen.radii(NEIGHBOURS_FOR_PRECISION))

    def _density(self, seen: Digits) -> float:
        k = NEIGHBOURS_FOR_DENSITY
        return prdc.density(seen.features, self._real, self._radii(k), k)

    def _coverage(self, seen: Digits) -> float:
        return prdc.coverage(seen.features, self._real, self._radii(NEIGHBOURS_FOR_DENSITY))

    def _score(self, seen: Digits) -> float:
        return metrics.classifier_score(seen.scores)

    def _label_divergence(self, seen: Digits) -> float:
        return metrics.label_divergence(seen.found, len(self.classes))

    def _similarity(self, seen: Digits) -> float:
        return metrics.ms_ssim(seen.images)

    def _student(self, seen: Digits) -> float:
        return classification_accuracy_score(seen.images, seen.labels, *self._test)

    def _student_of_real(self, n: int) -> float:
        images, labels, _ = load_small("mnist-10k", MNIST_FILES)
        return classification_accuracy_score(images[:n] / 255, labels[:n], *self._test)


def label_accuracy(seen: Digits) -> float:
    """The share of samples whose label the classifier finds."""
    return (seen.found == seen.labels).double().mean().item()
