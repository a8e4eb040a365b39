"""Inception's metrics for images of any kind: comparable with published ones, but slow.

They need torch-fidelity, which the extra `inception` installs, and its 92 MB of weights.
"""

import contextlib
import os
import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo._io import read_bytes, sha256
from ganzoo.errors import BadInput, Unavailable, needs_package
from ganzoo.evaluation import metrics
from ganzoo.evaluation.pixels import to_rgb_bytes
from ganzoo.evaluation.real import RealSamples
from ganzoo.evaluation.suites import Metric, Pieces, Suite, select_output
from ganzoo.pictures.decode import CHANNEL_NAMES, WITH_ALPHA

INCEPTION_METRICS = ("fid", "inception-kid", "inception-score")
INCEPTION_WIDTH = 2048
"""Inception's features; the covariance matrix of fewer samples does not have full rank."""
MIN_INCEPTION_SAMPLES = 100
SCORE_SPLITS = 10
"""Random parts of the samples whose scores are averaged, as in Salimans et al. 2016."""
INCEPTION_BATCH = 64


@dataclass
class InceptionOutputs:
    """Inception's outputs for images: features (n, 2048) and raw scores of its classes (n, 1008)."""

    features: Tensor
    scores: Tensor

    def select(self, part: slice) -> "InceptionOutputs":
        """Return the outputs for a part of the images."""
        return InceptionOutputs(self.features[part], self.scores[part])


class InceptionSuite(Suite[InceptionOutputs]):
    """FID, KID and Inception Score of samples against images of the data; other images of the data are the control.

    Heusel et al. 2017, Binkowski et al. 2018 and Salimans et al. 2016. `inception_weights` is a file with
    torch-fidelity's weights; without it they are downloaded.
    """

    name = "inception-v3-compat"
    watched = ("fid",)
    on_request = "they need the package torch-fidelity"
    uses_pretrained = ("inception-v3",)

    def __init__(self, real: RealSamples, inception_weights: str | Path | None = None) -> None:
        super().__init__(real)
        self.weights = Path(inception_weights) if inception_weights else None
        self._reference: InceptionOutputs | None = None
        self.metrics = {
            "fid": Metric("FID", self._frechet_distance, "lower", INCEPTION_WIDTH + 1),
            "inception-kid": Metric("Inception KID", self._kernel_distance, "lower", MIN_INCEPTION_SAMPLES),
            "inception-score": Metric("Inception Score", self._score, "higher", MIN_INCEPTION_SAMPLES),
        }

    def observe(self, pieces: Pieces) -> InceptionOutputs:
        """Compute Inception's outputs for samples."""
        shape = self.real.kind.spec.shape
        return self._compute(select_output("image", shape, samples) for samples, _ in pieces)

    def control(self, n: int) -> InceptionOutputs:
        """Compute Inception's outputs for `n` images of the data, and keep those for `n` others as the reference."""
        count = self.real.data.count
        if count is not None and count < 2 * n:
            needed = f"{n:,} samples need {2 * n:,}, half as control"
            raise BadInput(f"{self.real.data.name} has {count:,} images; {needed}: choose a smaller -n")
        outputs = self.observe(self.real.pieces(2 * n))
        self._reference = outputs.select(slice(n))
        return outputs.select(slice(n, 2 * n))

    def most_samples(self) -> int | None:
        """Return half of the number of images: the others are what they are compared with."""
        return None if self.real.data.count is None else self.real.data.count // 2

    @property
    def reference(self) -> InceptionOutputs:
        """The outputs that samples and control are compared with. Raises `ValueError` before the first `control`."""
        if self._reference is None:
            raise ValueError("there is nothing to compare with: call control(n) first")
        return self._reference

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` if the shape of the model's images is not that of the data's images."""
        made = tuple(data["shape"]) if data["kind"] == "image" else None
        real = self.real.data
        if made is None or made != real.image:
            kinds = [" x ".join(map(str, shape)) if shape else "no images" for shape in (made, real.image)]
            raise BadInput(f"this model makes {kinds[0]} (channels, height, width), {real.name} has {kinds[1]}")
        if made and made[0] not in CHANNEL_NAMES:
            raise BadInput(f"Inception sees images of 1 to 4 channels, and these have {made[0]}")

    def protocol(self, n: int) -> dict[str, Any]:
        """Return weights, counts and subsets."""
        import torch_fidelity

        weights = {"sha256": sha256(read_bytes(self.weights))} if self.weights else {"weights": "torch-fidelity's own"}
        return {
            **weights,
            "torch_fidelity": torch_fidelity.__version__,
            "features": INCEPTION_WIDTH,
            "resize": "to 299 x 299 as TensorFlow 1 does",
            "rounded_to": 256,
            **({"transparent": "white"} if next(iter(self.real.kind.spec.shape), 0) in WITH_ALPHA else {}),
            "reference": f"{n} images of {self.real.name}",
            "real": f"{n} other images of {self.real.name}",
            "kid_subsets": [metrics.KID_SUBSETS, min(n, metrics.KID_SUBSET_SIZE)],
            "score_splits": SCORE_SPLITS,
        }

    @cached_property
    def _network(self) -> nn.Module:
        return load_inception(self.name, self.weights).to("cuda" if torch.cuda.is_available() else "cpu")

    def _compute(self, images: Iterable[Tensor]) -> InceptionOutputs:
        device = next(self._network.parameters()).device
        batches = (part for each in images for part in torch.split(to_rgb_bytes(each), INCEPTION_BATCH))
        outputs = [self._network(part.to(device)) for part in batches]
        features, scores = (torch.cat(each).cpu() for each in zip(*outputs, strict=True))
        return InceptionOutputs(features, scores)

    def _frechet_distance(self, outputs: InceptionOutputs) -> float:
        return metrics.frechet_distance(metrics.moments(self.reference.features), outputs.features)

    def _kernel_distance(self, outputs: InceptionOutputs) -> float:
        return metrics.kernel_distance(self.reference.features, outputs.features)

    def _score(self, outputs: InceptionOutputs) -> float:
        return metrics.classifier_score(outputs.scores, SCORE_SPLITS)


def load_inception(name: str, weights: Path | None) -> nn.Module:
    """Load torch-fidelity's network, in `eval()`; it returns features and raw scores.

    Raises `BadInput` if torch-fidelity is not installed, `Unavailable` if the weights cannot be read or downloaded.
    """
    try:
        from torch_fidelity import FeatureExtractorInceptionV3
    except ImportError as error:
        raise needs_package("an Inception metric", "torch-fidelity") from error
    if weights:
        read_bytes(weights)
    file = str(weights) if weights else None
    try:
        # torch-fidelity prints the progress of its download to standard error.
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
            network: nn.Module = FeatureExtractorInceptionV3(
                name, ["2048", "logits_unbiased"], feature_extractor_weights_path=file
            )
    except (OSError, RuntimeError, KeyError, AttributeError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise Unavailable(explain_failure(error, weights)) from error
    return network.eval()


def explain_failure(error: Exception, weights: Path | None) -> str:
    """Say why the weights could not be loaded and what to do."""
    reason = " ".join(str(error).split())[:200]
    if weights:
        return f"{weights} does not hold the weights of Inception as torch-fidelity has them: {reason}"
    return (
        f"the weights of Inception cannot be downloaded ({reason}); get weights-inception-2015-12-05-6726825d.pth "
        "of torch-fidelity's release v0.2.0 and pass it with --inception-weights FILE"
    )
