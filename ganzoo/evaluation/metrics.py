"""Distances between sets of features, and what a classifier's answers say of samples. Sums are in float64."""

import warnings
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torchmetrics.image import MultiScaleStructuralSimilarityIndexMeasure
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from ganzoo._seeds import seed_of

KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000
"""KID is the mean over so many random subsets of so many samples, or of all where there are fewer."""
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001)
"""Weights of the first three scales of MS-SSIM (Wang et al. 2003, section 3.2), which are made to add up to 1."""
MS_SSIM_WINDOW = 7
"""Pixels of MS-SSIM's window: all that the smallest of three scales of 28 pixels has."""
PAIRS_PER_CHUNK = 500
"""Images whose structural similarity is computed at once."""


class PrecomputedFeatures(nn.Identity):
    """What stands for a network where features are already there."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.num_features = count


def moments(features: Tensor) -> dict[str, Tensor]:
    """Sum, sum of outer products and number of features (n, d): all that the Frechet distance needs of real ones."""
    distance = make_frechet_distance(features.shape[1])
    distance.update(features.double(), real=True)
    return {name: value for name, value in distance.state_dict().items() if name.startswith("real")}


def frechet_distance(real: Mapping[str, Tensor], features: Tensor) -> float:
    """The Frechet distance of Gaussians with the means and covariances of real `moments` and features (n, d).

    Heusel et al. 2017, "GANs trained by a two time-scale update rule", equation 6.
    """
    distance = make_frechet_distance(features.shape[1])
    distance.load_state_dict(real, strict=False)
    distance.update(features.double(), real=False)
    return distance.compute().item()


def make_frechet_distance(count: int) -> FrechetInceptionDistance:
    """That of torchmetrics for `count` features, in float64; its state can be saved."""
    distance = FrechetInceptionDistance(feature=PrecomputedFeatures(count)).set_dtype(torch.float64)
    distance.persistent(True)
    return distance


def kernel_distance(real: Tensor, features: Tensor, gamma: float | None = None) -> float:
    """KID: the squared maximum mean discrepancy of features (n, d) with the kernel (gamma x . y + 1)^3.

    Binkowski et al. 2018, "Demystifying MMD GANs", section 4, where `gamma` is 1 / d. Unbiased, so that it may fall
    below 0. Features of length 1 want a `gamma` of 1.
    """
    size = min(KID_SUBSET_SIZE, len(real), len(features))
    with warnings.catch_warnings(), torch.random.fork_rng([]):
        warnings.simplefilter("ignore")  # that all features are kept
        torch.default_generator.manual_seed(seed_of("kid"))
        distance = KernelInceptionDistance(
            feature=PrecomputedFeatures(features.shape[1]), subsets=KID_SUBSETS, subset_size=size, gamma=gamma
        )
        distance.update(real.double(), real=True)
        distance.update(features.double(), real=False)
        return distance.compute()[0].item()


def classifier_score(scores: Tensor, splits: int = 1) -> float:
    """exp of the mean KL divergence of each sample's classes from their mean; from 1 to the number of classes.

    Salimans et al. 2016, "Improved techniques for training GANs", section 4. `scores` (n, classes) are raw. With more
    than one of the random `splits` it is their mean.
    """
    with warnings.catch_warnings(), torch.random.fork_rng([]):
        warnings.simplefilter("ignore")  # that all scores are kept
        torch.default_generator.manual_seed(seed_of("splits"))
        score = InceptionScore(feature=PrecomputedFeatures(scores.shape[1]), splits=splits)
        score.update(scores.double())
        return score.compute()[0].item()


def label_divergence(found: Tensor, classes: int) -> float:
    """KL divergence of how often each class was found among samples (int64, (n,)) from all being equally frequent."""
    share = torch.bincount(found, minlength=classes).double() / len(found)
    return torch.special.xlogy(share, share * classes).sum().item()


def ms_ssim(images: Tensor) -> float:
    """The mean MS-SSIM of pairs of neighbours among images (n, channels, height, width) in [0, 1]: low is diverse.

    Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs", section 4.2; here over all pairs,
    whatever their classes, with the weights `MS_SSIM_WEIGHTS`.
    """
    pairs = len(images) // 2
    weights = tuple(weight / sum(MS_SSIM_WEIGHTS) for weight in MS_SSIM_WEIGHTS)
    measure = MultiScaleStructuralSimilarityIndexMeasure(
        gaussian_kernel=False, kernel_size=MS_SSIM_WINDOW, betas=weights, data_range=1.0
    )
    for one, other in zip(
        images[0 : 2 * pairs : 2].split(PAIRS_PER_CHUNK), images[1::2].split(PAIRS_PER_CHUNK), strict=True
    ):
        measure.update(one, other)
    return measure.compute().item()
