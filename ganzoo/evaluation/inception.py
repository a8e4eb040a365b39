"""Inception's metrics for images of any kind: comparable with published ones, but slow.

They need torch-fidelity, which the extra `ganzoo[inception]` brings, and its 92 MB of weights.
"""

import contextlib
import os
import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo._io import read_bytes, sha256
from ganzoo.data.base import Data
from ganzoo.errors import BadInput, Unavailable
from ganzoo.evaluation import metrics
from ganzoo.evaluation.suites import Metric, Pieces, Suite, select_outputs

INCEPTION_METRICS = ("fid", "inception-kid", "inception-score")
INCEPTION_WIDTH = 2048
"""Inception's features; of fewer samples the covariance matrix has not full rank."""
MIN_INCEPTION_SAMPLES = 100
SCORE_SPLITS = 10
"""Parts of the samples whose scores are averaged, as in Salimans et al. 2016."""
INCEPTION_BATCH = 64
REFERENCE_SEED = 0
"""Which images of the data are compared with does not depend on the seed of the samples."""


@dataclass
class InceptionOutputs:
    """What Inception sees in images: features (n, 2048) and raw scores of its classes (n, 1008)."""

    features: Tensor
    scores: Tensor


class InceptionSuite(Suite):
    """FID, KID and Inception Score of samples against images of the data; other images of the data are the control.

    Heusel et al. 2017, Binkowski et al. 2018 and Salimans et al. 2016. `weights` is a file of torch-fidelity's weights,
    which are downloaded if nothing is said.
    """

    name = "inception-v3-compat"
    watched = ("fid",)

    def __init__(self, data: Data, weights: str | Path | None = None) -> None:
        self.data, self.weights = data, Path(weights) if weights else None
        self.metrics = {
            "fid": Metric("FID", self._frechet, "lower", INCEPTION_WIDTH + 1),
            "inception-kid": Metric("Inception KID", self._kernel_distance, "lower", MIN_INCEPTION_SAMPLES),
            "inception-score": Metric("Inception Score", self._score, "higher", MIN_INCEPTION_SAMPLES),
        }

    def observe(self, pieces: Pieces) -> InceptionOutputs:
        """Inception's view of samples."""
        return self._seen(select_outputs("image", self.data.image, samples) for samples, _ in pieces)

    def control(self, n: int) -> InceptionOutputs:
        """Inception's view of `n` images of the data; that of `n` others is what both are compared with."""
        if self.data.count is not None and self.data.count < 2 * n:
            said = f"{self.data.name} has {self.data.count:,} images; {n:,} samples need {2 * n:,}, half as control"
            raise BadInput(f"{said}: say a smaller -n")
        with contextlib.closing(self.data.batches(INCEPTION_BATCH, REFERENCE_SEED)) as batches:
            seen = self._seen((batch["image"] + 1) / 2 for batch in islice(batches, -(-2 * n // INCEPTION_BATCH)))
        self.reference, control = (
            InceptionOutputs(seen.features[part], seen.scores[part]) for part in (slice(n), slice(n, 2 * n))
        )
        return control

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` where the model makes other images than the data have."""
        made = tuple(data["shape"]) if data["kind"] == "image" else None
        if made is None or made != self.data.image:
            kinds = [" x ".join(map(str, shape)) if shape else "no images" for shape in (made, self.data.image)]
            raise BadInput(f"this model makes {kinds[0]} (channels, height, width), {self.data.name} has {kinds[1]}")

    def protocol(self, n: int) -> dict[str, Any]:
        """Weights, counts and subsets."""
        import torch_fidelity

        weights = {"sha256": sha256(read_bytes(self.weights))} if self.weights else {"weights": "torch-fidelity's own"}
        return {
            **weights,
            "torch_fidelity": torch_fidelity.__version__,
            "features": INCEPTION_WIDTH,
            "resize": "to 299 x 299 as TensorFlow 1 does",
            "rounded_to": 256,
            "reference": f"{n} images of {self.data.name}",
            "real": f"{n} other images of {self.data.name}",
            "kid_subsets": [metrics.KID_SUBSETS, min(n, metrics.KID_SUBSET_SIZE)],
            "score_splits": SCORE_SPLITS,
        }

    @cached_property
    def _network(self) -> nn.Module:
        try:
            from torch_fidelity import FeatureExtractorInceptionV3
        except ImportError as error:
            raise BadInput("Inception's metrics need torch-fidelity: pip install 'ganzoo[inception]'") from error
        if self.weights:
            read_bytes(self.weights)
        file = self.weights and str(self.weights)
        wanted = ["2048", "logits_unbiased"]
        try:
            # It tells of its download where only our sentences belong.
            with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
                network = FeatureExtractorInceptionV3(self.name, wanted, feature_extractor_weights_path=file)
        except (OSError, RuntimeError, KeyError, AttributeError, TypeError, EOFError, pickle.UnpicklingError) as error:
            raise Unavailable(self._sentence(error)) from error
        return network.to("cuda" if torch.cuda.is_available() else "cpu").eval()

    def _seen(self, parts: Iterable[Tensor]) -> InceptionOutputs:
        device, found = next(self._network.parameters()).device, []
        for images in parts:
            pixels = images.mul(255).round().clamp(0, 255).byte().expand(-1, 3, -1, -1)
            found += [self._network(few.to(device)) for few in pixels.split(INCEPTION_BATCH)]
        features, scores = (torch.cat(each).cpu() for each in zip(*found, strict=True))
        return InceptionOutputs(features, scores)

    def _frechet(self, seen: InceptionOutputs) -> float:
        return metrics.frechet_distance(metrics.moments(self.reference.features), seen.features)

    def _kernel_distance(self, seen: InceptionOutputs) -> float:
        return metrics.kernel_distance(self.reference.features, seen.features)

    def _score(self, seen: InceptionOutputs) -> float:
        return metrics.classifier_score(seen.scores, SCORE_SPLITS)

    def _sentence(self, error: Exception) -> str:
        reason = " ".join(str(error).split())[:200]
        if self.weights:
            return f"{self.weights} does not hold the weights of Inception as torch-fidelity has them: {reason}"
        how = "fetch weights-inception-2015-12-05-6726825d.pth of torch-fidelity's release v0.2.0 and say"
        return f"the weights of Inception cannot be downloaded ({reason}); {how} --inception-weights FILE"
