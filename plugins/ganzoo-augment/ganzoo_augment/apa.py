"""Adaptive pseudo augmentation (Jiang et al. 2021, Deceive D)."""

import torch
from torch import Tensor

import ganzoo
from ganzoo.layers import single
from ganzoo_augment.adaptive import Adaptive
from ganzoo_augment.numbers import Numbers


class Apa(Adaptive):
    """Pass off fakes as real ones with a probability that adapts (Jiang et al. 2021, section 3).

    Of the samples that are judged as real, each is with probability p the fake of the same place in the batch: its
    gradient is on average that of another fake. Any kind of samples will do. Options as in `Adaptive`; its r is their
    lambda_r.
    """

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for a generator that makes several kinds of samples."""
        single(step.real)

    def view(
        self, step: ganzoo.Step, images: Tensor | dict[str, Tensor], given: dict[str, Tensor]
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Return real images, some of them replaced by fakes with what belongs to these; fakes as they are."""
        real = single(images)
        if not step.sees_real:
            return real
        pseudo = Numbers(step, real).chance(self.probability)
        # A penalty takes the slope at the fake, with respect to the image in whose place it is.
        stand_in = single(step.fake).detach().to(real) + (real - real.detach())
        changed = [key for key, value in step.given.items() if key in given and value is not step.batch[key]]
        own = {key: choose(pseudo, step.given[key], given[key]) for key in changed}
        return choose(pseudo, stand_in, real), {**given, **own}


def choose(which: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """Return the samples of `one` where `which` (n,) is true, and of `other` elsewhere."""
    return torch.where(which.view(-1, *[1] * (one.dim() - 1)), one, other)
