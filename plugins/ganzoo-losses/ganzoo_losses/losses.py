"""Three losses and three penalties. Each takes raw scores of any shape and averages over all of them.

The penalties act only on the discriminator's turn and work beside any loss. If the discriminator gives a sample several
scores, such as a map of patches, a penalty takes the gradient of their sum.
"""

import math

from torch import Tensor
from torch.nn.functional import relu, softplus

import ganzoo
from ganzoo.layers import check_not_negative, check_positive


class LeastSquares(ganzoo.Loss):
    """Squared distances of the scores from three targets (Mao et al. 2017, equation 2).

    The discriminator minimises mean((D(x) - real)^2) / 2 + mean((D(G(z)) - fake)^2) / 2, the generator
    mean((D(G(z)) - fool)^2) / 2. The options are these three targets, any finite numbers; the paper calls them b, a
    and c. The defaults are its equation 9; real = 1, fake = -1, fool = 0 is its equation 8 (Pearson chi-squared).
    Raises `ValueError` for a target that is not finite.
    """

    def __init__(self, real: float = 1.0, fake: float = 0.0, fool: float = 1.0) -> None:
        super().__init__()
        if not all(map(math.isfinite, (real, fake, fool))):
            raise ValueError(f"the targets must be finite numbers, got real {real}, fake {fake} and fool {fool}")
        self.targets = {"real": real, "fake": fake, "fool": fool}

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return terms "real" and "fake"."""
        return {"real": self._distance(step.real_scores, "real"), "fake": self._distance(step.fake_scores, "fake")}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "fool"."""
        return {"fool": self._distance(step.fake_scores, "fool")}

    def _distance(self, scores: Tensor, target: str) -> Tensor:
        return (scores - self.targets[target]).square().mean() / 2


class Hinge(ganzoo.Loss):
    """Hinge loss: scores beyond a margin of 1 cost nothing (Lim & Ye 2017; Miyato et al. 2018, equations 16 and 17).

    The discriminator minimises mean(max(0, 1 - D(x))) + mean(max(0, 1 + D(G(z)))), the generator -mean(D(G(z))).
    """

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return terms "real" and "fake"."""
        return {"real": relu(1 - step.real_scores).mean(), "fake": relu(1 + step.fake_scores).mean()}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "fool"."""
        return {"fool": -step.fake_scores.mean()}


class Relativistic(ganzoo.Loss):
    """Relativistic pairing: by how much a real sample scores above a fake one.

    Jolicoeur-Martineau 2018, section 4, in the form of Huang et al. 2024 (R3GAN), equation 2: the discriminator
    minimises mean(softplus(D(G(z)) - D(x))), the generator mean(softplus(D(x) - D(G(z)))). The i-th real score is
    paired with the i-th fake one, patch by patch where the scores are a map. Huang et al. add `r1` and `r2`.
    """

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for scores that cannot be paired."""
        real, fake = tuple(step.real_scores.shape), tuple(step.fake_scores.shape)
        if real != fake:
            raise ValueError(f"it pairs real and fake scores one to one, but their shapes are {real} and {fake}")

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "pairs"."""
        return {"pairs": softplus(step.fake_scores - step.real_scores).mean()}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "pairs"."""
        return {"pairs": softplus(step.real_scores - step.fake_scores).mean()}


class Penalty(ganzoo.Loss):
    """Base of the penalties here, which take the gradient with respect to one kind of image."""

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for a generator that makes several kinds of image."""
        single(step.real)


class R1(Penalty):
    """Zero-centred gradient penalty at real samples: gamma / 2 * mean(||grad D(x)||^2).

    Mescheder et al. 2018, equation 9. The squared norm sums over all elements of a sample, so the best gamma
    depends on the size of the images. Option `gamma`, greater than 0; 10 is the paper's. For lazy regularisation set
    `every = 16` beside it in the recipe: it is then computed on every 16th turn and counts 16 times. Raises
    `ValueError` for a gamma out of range.
    """

    schedulable = ("gamma",)

    def __init__(self, gamma: float = 10.0) -> None:
        super().__init__()
        check_positive(gamma=gamma)
        self.gamma = gamma

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "penalty"."""
        return {"penalty": self._penalty(step.gradient(single(step.real), step.batch))}

    def _penalty(self, gradient: Tensor) -> Tensor:
        return self.gamma / 2 * gradient.flatten(1).square().sum(1).mean()


class R2(R1):
    """Zero-centred gradient penalty at fake samples: gamma / 2 * mean(||grad D(G(z))||^2).

    Mescheder et al. 2018, equation 10. Option and units as in `r1`.
    """

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "penalty"."""
        return {"penalty": self._penalty(step.gradient(single(step.fake), step.given))}


class Dragan(Penalty):
    """Gradient penalty around the real data: mean((||grad D(x')|| - target)^2) (Kodali et al. 2017).

    The points are those of the authors' code, x' = x + a * noise * std(x) * u, where std(x) is one number for the
    whole batch, a is uniform in [0, 1) per sample and u uniform in [0, 1) per element; the paper writes normal noise
    of a fixed variance instead. The gradient penalty of a WGAN takes points between real and fake samples; this one
    does not use fake samples. Batch norm is allowed, but with it each sample's gradient depends on the whole batch.

    Options: `noise`, in standard deviations of the batch, greater than 0; `target`, the gradient norm that costs
    nothing, 0 or more. The authors' weight is 10 (`weight = 10` in the recipe). Raises `ValueError` for an option out
    of range.
    """

    schedulable = ("noise", "target")

    def __init__(self, noise: float = 0.5, target: float = 1.0) -> None:
        super().__init__()
        check_positive(noise=noise)
        check_not_negative(target=target)
        self.noise, self.target = noise, target

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "penalty"; log the mean gradient "norm"."""
        gradient = step.gradient(perturb(step, self.noise), step.batch)
        # The square root has no finite derivative at 0, and a NaN there would spread to every weight.
        norms = (gradient.flatten(1).square().sum(1) + 1e-12).sqrt()
        return {"penalty": (norms - self.target).square().mean(), "norm": norms.detach().mean()}


def perturb(step: ganzoo.Step, noise: float) -> Tensor:
    """Draw a point near each real sample: each element up to `noise` standard deviations of the batch above it."""
    real = single(step.real)
    share = step.rand(len(real), *[1] * (real.dim() - 1))
    return real + share * noise * real.std(correction=0) * step.rand(*real.shape)


def single(images: Tensor | dict[str, Tensor]) -> Tensor:
    """Return the images as they are. Raises `ValueError` if they are of several kinds."""
    if isinstance(images, dict):
        raise ValueError(f"it needs one kind of image, but the generator makes {' and '.join(images)}")
    return images
