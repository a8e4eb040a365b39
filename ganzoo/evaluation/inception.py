"""Inception's metrics for images of any kind, by torch-fidelity: comparable with published ones, but slow.

They need the extra `ganzoo[inception]` and 92 MB of weights.
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.data import Data
from ganzoo.errors import BadInput, Unavailable
from ganzoo.evaluation.suites import Metric, Pieces, Suite
from ganzoo.files import reading, sha256

KEYS = {
    "fid": "frechet_inception_distance",
    "inception-kid": "kernel_inception_distance_mean",
    "inception-score": "inception_score_mean",
}
"""What torch-fidelity calls the metrics."""
WIDTH = 2048
"""Inception's features, fewer samples than which have no covariance matrix of full rank."""
SUBSET = 1000
"""KID is the mean over 100 random subsets of so many images, or of all where there are fewer."""
BATCH = 64
SEED = 0
"""Which images of the data are compared with does not depend on the seed of the samples."""


class Pictures(Dataset):
    """Images (n, 1 or 3, height, width) in [0, 1] as torch-fidelity takes them: uint8 with three channels."""

    def __init__(self, images: Tensor) -> None:
        self.images = images.mul(255).round().clamp(0, 255).byte()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index].expand(3, -1, -1)


@dataclass
class Seen:
    """What torch-fidelity found out about samples, by its own names."""

    results: Mapping[str, float]


class InceptionSuite(Suite):
    """FID, KID and Inception Score of samples against images of the data; other images of the data are the control."""

    name = "inception-v3-compat"
    watched = ("fid",)

    def __init__(self, data: Data, weights: str | Path | None = None) -> None:
        self.data, self.weights = data, weights
        self.real: list[Tensor] = []
        self.metrics = {
            "fid": Metric("FID", lambda seen: seen.results[KEYS["fid"]], "lower", WIDTH + 1),
            "inception-kid": Metric("Inception KID", lambda seen: seen.results[KEYS["inception-kid"]], "lower", 100),
            "inception-score": Metric(
                "Inception Score", lambda seen: seen.results[KEYS["inception-score"]], "higher", 100
            ),
        }

    def observe(self, pieces: Pieces) -> Seen:
        """Inception's results for samples, against as many images of the data."""
        images = [samples["image"] if isinstance(samples, dict) else samples for samples, _ in pieces]
        return self._seen(torch.cat(images))

    def control(self, n: int) -> Seen:
        """The same for `n` other images of the data."""
        return self._seen(self._images(n)[1])

    def refuse(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` where the model makes other images than the data have."""
        made = tuple(data["shape"]) if data["kind"] == "image" else None
        if made is None or made != self.data.image:
            kinds = [" x ".join(map(str, shape)) if shape else "no images" for shape in (made, self.data.image)]
            raise BadInput(f"this model makes {kinds[0]} (channels, height, width), {self.data.name} has {kinds[1]}")

    def protocol(self, n: int) -> dict[str, Any]:
        """Weights, counts and subsets."""
        import torch_fidelity

        weights = {"sha256": sha256(reading(Path(self.weights)))} if self.weights else {"weights": "torch-fidelity's"}
        return {
            **weights,
            "torch_fidelity": torch_fidelity.__version__,
            "resize": "to 299 x 299 as in TensorFlow 1",
            "reference": f"{n} images of {self.data.name}",
            "real": f"{n} other images of {self.data.name}",
            "score_splits": 10,
            "kid_subsets": [100, min(n, SUBSET)],
        }

    def _images(self, n: int) -> tuple[Tensor, Tensor]:
        """`n` images of the data in [0, 1], and `n` others. Raises `BadInput` where there are not so many."""
        if self.data.count is not None and self.data.count < 2 * n:
            said = f"{self.data.name} has {self.data.count:,} images; {n:,} samples need {2 * n:,}, half as control"
            raise BadInput(f"{said}: say a smaller -n")
        if not self.real:
            batches = self.data.batches(BATCH, SEED)
            read = torch.cat([next(batches)["image"] for _ in range(-(-2 * n // BATCH))])
            self.real = [(part + 1) / 2 for part in read[: 2 * n].split(n)]
            batches.close()
        return tuple(self.real)

    def _seen(self, images: Tensor) -> Seen:
        try:
            from torch_fidelity import calculate_metrics
        except ImportError as error:
            raise BadInput("Inception's metrics need torch-fidelity: pip install 'ganzoo[inception]'") from error
        reference = self._images(len(images))[0]
        try:
            results = calculate_metrics(
                input1=Pictures(images),
                input2=Pictures(reference),
                isc=True,
                fid=True,
                kid=True,
                kid_subset_size=min(SUBSET, len(images)),
                batch_size=BATCH,
                cuda=torch.cuda.is_available(),
                cache=False,
                verbose=False,
                feature_extractor_weights_path=self.weights and str(self.weights),
            )
        except (OSError, URLError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
            raise Unavailable(self._sentence(error)) from error
        return Seen(results)

    def _sentence(self, error: Exception) -> str:
        reason = " ".join(str(error).split())[:200]
        if self.weights:
            return f"{self.weights} does not hold the weights of Inception as torch-fidelity has them: {reason}"
        how = "fetch weights-inception-2015-12-05-6726825d.pth of torch-fidelity's release v0.2.0 and say"
        return f"the weights of Inception cannot be downloaded ({reason}); {how} --inception-weights FILE"
