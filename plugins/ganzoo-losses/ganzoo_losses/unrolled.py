"""The unrolled GAN: the generator looks some steps of the discriminator ahead."""

from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import softplus

import ganzoo
from ganzoo.layers import check_at_least_one, check_positive

Weights = dict[str, Tensor]


class Unrolled(ganzoo.Loss):
    """Both sides' cross entropy, the generator's after `steps` updates of the discriminator (Metz et al. 2017).

    The discriminator minimises -f = mean softplus(-D(x)) + mean softplus(D(G(z))) as ever. Section 2.2: on the
    generator's turn `steps` steps of gradient ascent change a copy of its weights, w <- w + rate * grad f, with this
    turn's batch and noise. The generator minimises f with the last of these weights (section 2.3), and its gradient
    goes through the steps, which depend on the fakes (section 2.4). The discriminator itself keeps its weights.

    Options: `steps`, 1 or more, 5 to 10 in the paper; `rate` of these steps, greater than 0; `kind`, "minimax" as in
    the paper, or "non-saturating": the generator then minimises mean softplus(-D(G(z))) in place of f. It is a whole
    game: name no other loss of scores beside it. Each step keeps its graph, in full precision: memory and time of the
    generator's turn grow with `steps`. Raises `ValueError` for an option out of range.
    """

    schedulable = ("rate",)

    def __init__(
        self, steps: int = 5, rate: float = 0.01, kind: Literal["minimax", "non-saturating"] = "minimax"
    ) -> None:
        super().__init__()
        check_at_least_one(steps=steps)
        check_positive(rate=rate)
        self.steps, self.rate, self.kind = steps, rate, kind

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "entropy"."""
        return {"entropy": cross_entropy(step.real_scores, step.fake_scores)}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "fool"."""
        weights = {f"discriminator.{name}": each.detach() for name, each in step.discriminator.named_parameters()}
        for _ in range(self.steps):
            weights = self._descend(step, weights)
        real, fake = score_both(step, weights)
        if self.kind == "non-saturating":
            return {"fool": softplus(-fake).mean()}
        return {"fool": -cross_entropy(real, fake)}

    def _descend(self, step: ganzoo.Step, weights: Weights) -> Weights:
        """Return the weights after one step of the discriminator; a function of the weights before and the fakes."""
        weights = {name: each if each.requires_grad else each.requires_grad_() for name, each in weights.items()}
        loss = cross_entropy(*score_both(step, weights))
        slopes = torch.autograd.grad(
            loss, list(weights.values()), create_graph=True, allow_unused=True, materialize_grads=True
        )
        return {name: each - self.rate * slope for (name, each), slope in zip(weights.items(), slopes, strict=True)}


class WithWeights(nn.Module):
    """The discriminator as the turn calls it, whose weights `functional_call` can replace."""

    def __init__(self, step: ganzoo.Step) -> None:
        super().__init__()
        self.discriminator, self.score = step.discriminator, partial(step.score, twice=True)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return raw scores after all views."""
        return self.score(images, given)


def score_both(step: ganzoo.Step, weights: Weights) -> tuple[Tensor, Tensor]:
    """Return the scores of real and fake samples by a discriminator with these weights."""
    score = partial(functional_call, WithWeights(step), weights)
    return score((step.real, step.batch)), score((step.fake, step.given))


def cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """Return -f, the cross entropy of raw scores that the discriminator minimises."""
    return softplus(-real).mean() + softplus(fake).mean()
