"""The Wasserstein loss, and two ways to keep its critic Lipschitz: weight clipping and a gradient penalty."""

from torch import Tensor, nn
from torch.nn.functional import relu

import ganzoo
from ganzoo.layers import check_not_negative, check_positive, single

BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class Wasserstein(ganzoo.Loss):
    """The critic separates real from fake by their mean scores (Arjovsky et al. 2017, algorithm 1).

    The critic minimises mean(D(G(z))) - mean(D(x)), the generator -mean(D(G(z))). Scores may have any shape. It needs
    `weight-clipping` or `gradient-penalty` beside it: without them the scores grow without bound.
    """

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return terms "real" and "fake"; log "distance", the Wasserstein distance up to a factor."""
        real, fake = step.real_scores.mean(), step.fake_scores.mean()
        return {"real": -real, "fake": fake, "distance": (real - fake).detach()}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "fool"."""
        return {"fool": -step.fake_scores.mean()}


class WeightClipping(ganzoo.Loss):
    """Clamp every trainable weight of the critic to [-limit, limit] after each of its steps.

    Arjovsky et al. 2017, algorithm 1. It has no terms. Option `limit`, greater than 0: 0.01 is the paper's. Raises
    `ValueError` for another limit.
    """

    schedulable = ("limit",)

    def __init__(self, limit: float = 0.01) -> None:
        super().__init__()
        check_positive(limit=limit)
        self.limit = limit

    def after(self, step: ganzoo.Step, terms: dict[str, Tensor]) -> None:
        """Clamp weights and biases on the critic's turn; frozen parameters stay as they are."""
        if step.turn == "discriminator":
            for parameter in step.discriminator.parameters():
                if parameter.requires_grad:
                    parameter.clamp_(-self.limit, self.limit)


class GradientPenalty(ganzoo.Loss):
    """Keep the norm of the critic's gradient near `target` between real and fake: mean((||grad D(x')|| - target)^2).

    Gulrajani et al. 2017, equation 3: x' = x + a (G(z) - x), with a uniform in [0, 1), one per sample. The norm is over
    all elements of a sample. If the critic gives a sample several scores, such as a map of patches, the gradient is
    that of their sum. The paper's weight is 10 (`weight = 10` in the recipe).

    Options: `target`, 0 or more; `one_sided=True` penalises only norms above the target (Petzka et al. 2018). Raises
    `ValueError` for a target out of range.
    """

    schedulable = ("target",)

    def __init__(self, target: float = 1.0, one_sided: bool = False) -> None:
        super().__init__()
        check_not_negative(target=target)
        self.target, self.one_sided = target, one_sided

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for batch norm in the critic, and for a generator that makes several kinds of image."""
        single(step.real)
        for name, layer in step.discriminator.named_modules():
            if isinstance(layer, BATCH_NORM):
                raise ValueError(
                    f"the critic's layer '{name}' is batch norm, which ties together samples that are penalised one by "
                    "one; switch it off with the architecture's option, such as -o architecture.batch_norm=false"
                )

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "penalty"; log the mean gradient "norm"."""
        gradient = step.gradient(interpolate(step), step.given)
        # The square root has no finite derivative at 0, and a NaN there would spread to every weight.
        norms = (gradient.flatten(1).square().sum(1) + 1e-12).sqrt()
        excess = norms - self.target
        penalised = relu(excess) if self.one_sided else excess
        return {"penalty": penalised.square().mean(), "norm": norms.detach().mean()}


def interpolate(step: ganzoo.Step) -> Tensor:
    """Draw a point on the line from each real sample to its fake one; same shape as the real samples."""
    real = single(step.real)
    share = step.rand(len(real), *[1] * (real.dim() - 1))
    return real + share * (single(step.fake) - real)
