"""Path length regularisation (Karras et al. 2020, section 3.2)."""

from math import sqrt

import torch
from torch import Tensor

import ganzoo
from ganzoo.layers import check_at_least_one, check_below_one, single


class PathLength(ganzoo.Loss):
    """Steps of one length in w change the image by one amount: mean((||J^T y|| - a)^2).

    Karras et al. 2020, equation 4: a is the running mean of ||J^T y||, J the derivative of an image with respect to its
    styles, and y an image of normal noise; divided by sqrt(height x width), the norm does not depend on the size. Where
    an image has several styles, the squared norm is the mean over them, as in the authors' code. The generator returns
    (images, {"w": styles}).

    Options: `decay` of the running mean, which begins at 0, in [0, 1); `shrink`, the term takes every so many samples
    of the batch. The authors' weight is 2, with `every = 4`. Raises `ValueError` for an option out of range.
    """

    mean: Tensor

    def __init__(self, decay: float = 0.99, shrink: int = 2) -> None:
        super().__init__()
        check_at_least_one(shrink=shrink)
        check_below_one(decay=decay)
        self.decay, self.shrink = decay, shrink
        self.register_buffer("mean", torch.zeros(()))

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for a generator without styles, or one that makes several kinds of samples."""
        if "w" not in step.generator_extras:
            raise ValueError("it needs a generator that returns (images, {'w': styles}), such as stylegan2")
        single(step.fake)

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "penalty"; log "length", the mean of the norms."""
        # Every k-th sample and not the first ones, so that several processes take the same ones as one does.
        given = {key: value[:: self.shrink] for key, value in step.given.items()}
        images, extras = step.make(given, twice=True)
        images = single(images)
        noise = step.randn(len(next(iter(step.latent.values()))), *images.shape[1:])[:: self.shrink]
        noise = noise.to(images) / sqrt(images[0, 0].numel())
        (slopes,) = torch.autograd.grad((images * noise).sum(), extras["w"], create_graph=True)
        # The square root has no finite derivative at 0, and a NaN there would spread to every weight.
        lengths = (slopes.square().sum(-1).reshape(len(slopes), -1).mean(1) + 1e-12).sqrt()
        return {"penalty": (lengths - self.mean).square().mean(), "length": lengths.mean().detach()}

    def after(self, step: ganzoo.Step, terms: dict[str, Tensor]) -> None:
        """Move the running mean towards the mean of this turn."""
        if step.turn == "generator":
            self.mean.lerp_(terms["length"].to(self.mean), 1 - self.decay)
