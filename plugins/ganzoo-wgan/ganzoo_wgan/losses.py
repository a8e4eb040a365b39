"""The Wasserstein loss and the two ways to keep its critic Lipschitz: clipped weights or a gradient penalty."""

import math

from torch import Tensor, nn
from torch.nn.functional import relu

import ganzoo

BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class Wasserstein(ganzoo.Loss):
    """The critic tells real from fake by mean score (Arjovsky et al. 2017, Algorithm 1).

    The critic minimises mean(D(G(z))) - mean(D(x)), the generator -mean(D(G(z))). Scores may have any shape. It needs
    `weight-clipping` or `gradient-penalty` beside it: without them the scores grow without bound.
    """

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Terms "real" and "fake"; "distance", the Wasserstein distance up to a factor, is logged."""
        real, fake = step.real_scores.mean(), step.fake_scores.mean()
        return {"real": -real, "fake": fake, "distance": (real - fake).detach()}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Term "fool"."""
        return {"fool": -step.fake_scores.mean()}


class WeightClipping(ganzoo.Loss):
    """Clamp every trainable weight of the critic to [-limit, limit] after each of its steps.

    Arjovsky et al. 2017, Algorithm 1. It has no term of its own. Option `limit`, greater than 0: 0.01 is the paper's.
    """

    def __init__(self, limit: float = 0.01) -> None:
        super().__init__()
        if not 0 < limit < math.inf:
            raise ValueError(f"limit must be a number greater than 0, got {limit}")
        self.limit = limit

    def after(self, step: ganzoo.Step, terms: dict[str, Tensor]) -> None:
        """Clamp on the critic's turn, weights and biases alike; what is frozen stays as it is."""
        if step.turn == "discriminator":
            for parameter in step.discriminator.parameters():
                if parameter.requires_grad:
                    parameter.clamp_(-self.limit, self.limit)


class GradientPenalty(ganzoo.Loss):
    """Keep the critic's slope near `target` between real and fake: mean((||grad D(x')|| - target)^2).

    Gulrajani et al. 2017, equation 3: x' lies on the line between a real and a fake sample, at a place uniform in
    [0, 1), one per sample. The norm is over all elements of a sample; one with several scores, such as a map of
    patches, has the gradient of their sum. The paper's weight is 10 (`weight = 10` in the recipe).

    Options: `target`, 0 or more; `one_sided`, where only slopes above the target cost (Petzka et al. 2018).
    """

    def __init__(self, target: float = 1.0, one_sided: bool = False) -> None:
        super().__init__()
        if not 0 <= target < math.inf:
            raise ValueError(f"target must be a number of 0 or more, got {target}")
        self.target, self.one_sided = target, one_sided

    def setup(self, step: ganzoo.Step) -> None:
        """Refuse batch norm in the critic and a generator that makes several kinds of image, with `ValueError`."""
        if isinstance(step.real, dict):
            raise ValueError(f"it needs one kind of image, but the generator makes {' and '.join(step.real)}")
        for name, layer in step.discriminator.named_modules():
            if isinstance(layer, BATCH_NORM):
                raise ValueError(
                    f"the critic's layer '{name}' is batch norm, which ties together samples that are penalised one by "
                    "one; switch it off with the architecture's option, such as -o architecture.batch_norm=false"
                )

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Term "penalty"; the mean gradient "norm" is logged."""
        gradient = step.gradient(between(step), step.given)
        # The root has no finite slope at 0, and a NaN there would spread to every weight.
        norms = (gradient.flatten(1).square().sum(1) + 1e-12).sqrt()
        excess = norms - self.target
        costly = relu(excess) if self.one_sided else excess
        return {"penalty": costly.square().mean(), "norm": norms.detach().mean()}


def between(step: ganzoo.Step) -> Tensor:
    """A point on the line from each real sample to its fake one."""
    share = step.rand(len(step.real), *[1] * (step.real.dim() - 1))
    return step.real + share * (step.fake - step.real)
