"""Losses of the game itself. Each takes raw scores of any shape and averages over all of them."""

import math

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

import ganzoo
from ganzoo.layers import check_below_one, check_not_negative, single


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
    paired with the i-th fake one, patch by patch where the scores are a map.

    Huang et al. add R1 and R2. The options `r1` and `r2` do that here, the gamma of each, 0 or more; at 0, the default,
    there is none. They have the values of the losses of these names, but are taken from the forwards that the scores
    come from, in full precision: two forwards in place of four. Raises `ValueError` for a negative gamma.
    """

    schedulable = ("r1", "r2")

    def __init__(self, r1: float = 0.0, r2: float = 0.0) -> None:
        super().__init__()
        check_not_negative(r1=r1, r2=r2)
        self.r1, self.r2 = r1, r2

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for scores that cannot be paired."""
        real, fake = tuple(step.real_scores.shape), tuple(step.fake_scores.shape)
        if real != fake:
            raise ValueError(f"it pairs real and fake scores one to one, but their shapes are {real} and {fake}")

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "pairs", and "r1" and "r2" where their gamma is above 0."""
        penalties: dict[str, Tensor] = {}
        if self.r1:
            real, penalties["r1"] = score_and_penalise(step, step.real, step.batch, self.r1)
        else:
            real = step.real_scores
        if self.r2:
            fake, penalties["r2"] = score_and_penalise(step, step.fake, step.given, self.r2)
        else:
            fake = step.fake_scores
        return {"pairs": softplus(fake - real).mean(), **penalties}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "pairs"."""
        return {"pairs": softplus(step.real_scores - step.fake_scores).mean()}


def score_and_penalise(
    step: ganzoo.Step, images: Tensor | dict[str, Tensor], given: dict[str, Tensor], gamma: float
) -> tuple[Tensor, Tensor]:
    """Return the scores of images, and gamma / 2 * mean(||grad D||^2) at them."""
    leaf = single(images).detach().requires_grad_()
    scores = step.score(leaf, given, twice=True)
    (gradient,) = torch.autograd.grad(scores.sum(), leaf, create_graph=True)
    return scores, gamma / 2 * gradient.flatten(1).square().sum(1).mean()


class LabelSmoothing(ganzoo.Loss):
    """One-sided label smoothing, beside a cross-entropy loss: `non-saturating` or `minimax` (Salimans et al. 2016).

    Section 3.4: the target of real samples is 1 - amount in place of 1, that of fake ones stays 0. The cross entropy of
    a raw score s with that target is softplus(-s) + amount * s, so this loss adds amount * mean(D(x)) to the
    discriminator's, and nothing to the generator's. Option `amount`, in [0, 1); 0.1 is the paper's. Raises `ValueError`
    for another.
    """

    schedulable = ("amount",)

    def __init__(self, amount: float = 0.1) -> None:
        super().__init__()
        check_below_one(amount=amount)
        self.amount = amount

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "smoothing"."""
        return {"smoothing": self.amount * step.real_scores.mean()}
