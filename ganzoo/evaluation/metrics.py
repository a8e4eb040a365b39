"""Distances between sets of features, and scores of a classifier's outputs. Sums are in float64."""

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ganzoo._seeds import preserve_global_generators, seed_of

if TYPE_CHECKING:
    from torchmetrics.image.fid import FrechetInceptionDistance

# torchmetrics is slow to import, so each metric imports what it needs.

KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000
"""KID is the mean over that many random subsets of that many samples, or of all samples where there are fewer."""
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001)
"""Weights of the first three scales (Wang et al. 2003, section 3.2), before they are normalised to a sum of 1."""
MS_SSIM_WINDOW = 7
"""Side of the window in pixels: as large as the smallest of three scales of a 28 x 28 image."""
PAIRS_PER_CHUNK = 500
"""Pairs of images whose structural similarity is computed at once."""

ROWS_PER_CHUNK = 1000
"""Rows of the kernel's matrix that are in memory at once."""


class PrecomputedFeatures(nn.Identity):
    """Takes the place of torchmetrics' network where features have been computed already."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.num_features = count


def moments(features: Tensor) -> dict[str, Tensor]:
    """Return sum, sum of outer products and number of features (n, d): what `frechet_distance` needs of real ones."""
    distance = make_frechet_distance(features.shape[1])
    distance.update(features.double(), real=True)
    return {name: value for name, value in distance.state_dict().items() if name.startswith("real")}


def frechet_distance(real: Mapping[str, Tensor], features: Tensor) -> float:
    """Return the Frechet distance between Gaussians fitted to real features, given by `moments`, and features (n, d).

    Heusel et al. 2017, "GANs trained by a two time-scale update rule", equation 6. The trace of the root of the product
    of both covariances is that of A C A', where A'A is the covariance of the features and C that of real ones: it is
    symmetric, and small where there are few features. NaN for features that are not finite.
    """
    if not features.isfinite().all():
        return math.nan
    mean, covariance = mean_and_covariance(real)
    centred = features.double() - features.double().mean(0)
    factor = root_of_covariance(centred)
    roots = torch.linalg.eigvalsh(factor @ covariance @ factor.T).clamp(min=0).sqrt()
    spread = covariance.trace() + centred.square().sum() / (len(features) - 1)
    shift = (mean - features.double().mean(0)).square().sum()
    return float(shift + spread - 2 * roots.sum())


def mean_and_covariance(real: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Return the mean (d,) and the covariance (d, d) that `moments` hold."""
    total, products, count = (real[f"real_features_{name}"] for name in ("sum", "cov_sum", "num_samples"))
    mean = total.double() / count
    return mean, (products.double() - count * mean[:, None] * mean) / (count - 1)


def root_of_covariance(centred: Tensor) -> Tensor:
    """Return a matrix A such that A'A is the covariance of centred features (n, d), with at most d rows."""
    if len(centred) <= centred.shape[1]:
        scaled: Tensor = centred / (len(centred) - 1) ** 0.5
        return scaled
    values, vectors = torch.linalg.eigh(centred.T @ centred / (len(centred) - 1))
    root: Tensor = values.clamp(min=0).sqrt()[:, None] * vectors.T
    return root


def make_frechet_distance(count: int) -> "FrechetInceptionDistance":
    """Make torchmetrics' distance for `count` features, in float64, with a state that can be saved."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    distance = FrechetInceptionDistance(feature=PrecomputedFeatures(count))
    distance.set_dtype(torch.float64)
    distance.persistent(True)
    return distance


def kernel_distance(real: Tensor, features: Tensor, gamma: float | None = None) -> float:
    """Return KID: the squared maximum mean discrepancy of features (n, d) with the kernel (gamma x . y + 1)^3.

    Binkowski et al. 2018, "Demystifying MMD GANs", section 4, where `gamma` is 1 / d. The estimate is unbiased, so it
    can be negative. For features of length 1 take a `gamma` of 1.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    size = min(KID_SUBSET_SIZE, len(real), len(features))
    with warnings.catch_warnings(), preserve_global_generators():
        warnings.simplefilter("ignore")  # torchmetrics warns that it keeps all features
        torch.default_generator.manual_seed(seed_of("kid"))
        distance = KernelInceptionDistance(
            feature=PrecomputedFeatures(features.shape[1]), subsets=KID_SUBSETS, subset_size=size, gamma=gamma
        )
        distance.update(real.double(), real=True)
        distance.update(features.double(), real=False)
        return distance.compute()[0].item()


def mean_kernel(features: Tensor, others: Tensor | None = None) -> float:
    """Return the mean of the kernel (x . y + 1)^3 over pairs of features (n, d) and others (m, d), or of one another.

    Of n features among themselves those pairs count in which both are not the same, which makes KID unbiased.
    """
    chunks = torch.split(features, ROWS_PER_CHUNK)
    if others is not None:
        return sum(kernel(part, others).sum().item() for part in chunks) / (len(features) * len(others))
    total = sum(kernel(part, features).sum().item() for part in chunks) - kernel_diagonal(features).sum().item()
    return total / (len(features) * (len(features) - 1))


def kernel(features: Tensor, others: Tensor) -> Tensor:
    """Return the kernel (x . y + 1)^3 of each pair, (n, m)."""
    return torch.pow(features @ others.T + 1, 3)


def kernel_diagonal(features: Tensor) -> Tensor:
    """Return the kernel of each feature with itself, (n,)."""
    return torch.pow(features.square().sum(1) + 1, 3)


def classifier_score(scores: Tensor, splits: int = 1) -> float:
    """Return the Inception Score's formula, exp of the mean KL(p(class | sample) || p(class)), from 1 to `classes`.

    Salimans et al. 2016, "Improved techniques for training GANs", section 4. `scores` (n, classes) are raw. With
    several random `splits` it is the mean of their scores.
    """
    from torchmetrics.image.inception import InceptionScore

    with warnings.catch_warnings(), preserve_global_generators():
        warnings.simplefilter("ignore")  # torchmetrics warns that it keeps all scores
        torch.default_generator.manual_seed(seed_of("splits"))
        score = InceptionScore(feature=PrecomputedFeatures(scores.shape[1]), splits=splits)
        score.update(scores.double())
        mean: float = score.compute()[0].item()
        return mean


def label_divergence(predicted: Tensor, classes: int) -> float:
    """Return KL(predicted || uniform) over the classes, in nats, for predicted labels int64 (n,)."""
    share = torch.bincount(predicted, minlength=classes).double() / len(predicted)
    divergence: float = torch.special.xlogy(share, share * classes).sum().item()
    return divergence


def ms_ssim(images: Tensor) -> float:
    """Return the mean MS-SSIM of pairs of consecutive images (n, channels, height, width) in [0, 1]: low is diverse.

    Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs", section 4.2; here pairs are of any
    two classes, with three scales and `MS_SSIM_WEIGHTS`.
    """
    from torchmetrics.image import MultiScaleStructuralSimilarityIndexMeasure

    pairs = len(images) // 2
    weights = tuple(weight / sum(MS_SSIM_WEIGHTS) for weight in MS_SSIM_WEIGHTS)
    measure = MultiScaleStructuralSimilarityIndexMeasure(
        gaussian_kernel=False, kernel_size=MS_SSIM_WINDOW, betas=weights, data_range=1.0
    )
    first, second = (torch.split(images[start : 2 * pairs : 2], PAIRS_PER_CHUNK) for start in (0, 1))
    for one, other in zip(first, second, strict=True):
        measure.update(one, other)
    similarity: float = measure.compute().item()
    return similarity
