"""Penalties on the discriminator's gradient, which work beside any loss.

They act only on the discriminator's turn. If the discriminator gives a sample several scores, such as a map of patches,
a penalty takes the gradient of their sum.
"""

from torch import Tensor

import ganzoo
from ganzoo.layers import check_not_negative, check_positive, single

Images = Tensor | dict[str, Tensor]
"""Samples of one kind, or of several kinds by their batch key."""


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
