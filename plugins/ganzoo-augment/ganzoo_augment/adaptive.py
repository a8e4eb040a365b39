"""A probability that follows how far the discriminator overfits (Karras et al. 2020, section 3)."""

import torch
from torch import Tensor

import ganzoo
from ganzoo.layers import check_positive, check_share

TURNS = 4
"""Turns of the discriminator between two changes of the probability."""


class Adaptive(ganzoo.Loss):
    """Base of losses that act with a probability, which is `p` at the start, and stays so unless it is `adaptive`.

    After every four turns of the discriminator it rises by their real images divided by `speed` where r = E[sign D(x)]
    over these turns is above `target`, and falls as much where it is below, down to 0. So `speed` is the number of
    images in which it can go from 0 to 1. It does not rise above `limit`, beyond which generators learn to make
    augmented images (section 2.2). r is 1 where the discriminator knows all real images, and 0 where it guesses; it
    needs scores that are positive for what looks real, which those of `wasserstein` and `relativistic` need not be.
    The log has both, as "p" and "sign"; of a probability that stays, p alone. Raises `ValueError` for an option out of
    range.
    """

    schedulable = ("p", "target")
    raised: Tensor
    signs: Tensor

    def __init__(
        self,
        p: float = 0.0,
        adaptive: bool = True,
        target: float = 0.6,
        speed: float = 500_000,
        limit: float = 0.8,
    ) -> None:
        super().__init__()
        check_share(p=p, limit=limit)
        check_positive(speed=speed, **({"limit": limit} if adaptive else {}))
        if not -1 < target < 1:
            raise ValueError(f"target must lie between -1 and 1, the mean sign of real scores, got {target}")
        self.p, self.adaptive, self.target, self.speed, self.limit = p, adaptive, target, speed, limit
        self.register_buffer("raised", torch.zeros(()))
        self.register_buffer("signs", torch.zeros(2))

    @property
    def probability(self) -> Tensor:
        """The probability now, in [0, 1], of shape ()."""
        return (self.raised + self.p).clamp(0, 1)

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Log the probability "p" and, where it is adaptive, the mean "sign" of the scores of real images."""
        if not self.adaptive:  # other losses may not need these scores: `relativistic` with its penalties makes its own
            return {"p": self.probability}
        return {"p": self.probability, "sign": step.real_scores.detach().sign().mean()}

    def after(self, step: ganzoo.Step, terms: dict[str, Tensor]) -> None:
        """Move the probability, after every four turns of the discriminator."""
        if step.turn == "generator" or not self.adaptive:
            return
        self.signs += torch.stack([terms["sign"], torch.ones_like(terms["sign"])])
        due = self.signs[1] >= TURNS  # a tensor, as reading it would wait for the device
        images = TURNS * len(next(iter(step.batch.values()))) * step.processes
        change = (self.signs[0] / TURNS - self.target).sign() * images / self.speed
        self.raised += due * ((self.raised + change).clamp(-self.p, self.limit - self.p) - self.raised)
        self.signs *= ~due
