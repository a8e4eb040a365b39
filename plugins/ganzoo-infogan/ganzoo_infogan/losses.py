"""The term that InfoGAN adds to a GAN's game, for any discriminator that guesses what an image was made from."""

import math

from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

import ganzoo


class MutualInformation(ganzoo.Loss):
    """A lower bound on the mutual information of codes and images (Chen et al. 2016, equation 5), negated.

    A code is every key that the generator draws and that the discriminator has among its extras: its guess, made from
    the fake image, at what the image was made from. Whole numbers are guessed by logits of shape (n, k) and cost their
    cross entropy; other codes are guessed by the mean of a normal distribution of variance 1, of the code's own shape,
    and cost its negative log-likelihood without the constant, which is half the squared error. Both sides minimise
    the same: the discriminator learns to read the codes, the generator to write them legibly.

    Option `continuous`, greater than 0: how much the codes that are no whole numbers count. 1 is what the authors'
    code has for digits; section 6 of the paper advises less where it would outweigh the other terms.
    """

    def __init__(self, continuous: float = 1.0) -> None:
        super().__init__()
        if not 0 < continuous < math.inf:
            raise ValueError(f"continuous must be a number greater than 0, got {continuous}")
        self.continuous = continuous

    def setup(self, step: ganzoo.Step) -> None:
        """Refuse with `ValueError` a discriminator that guesses no code, or one in another shape."""
        keys = codes(step)
        if not keys:
            drawn, guessed = ", ".join(step.latent), ", ".join(step.fake_extras) or "nothing"
            raise ValueError(f"the discriminator must guess what the generator draws ({drawn}), but guesses {guessed}")
        for key in keys:
            guess, code = step.fake_extras[key], step.given[key]
            if code.is_floating_point() and guess.shape != code.shape:
                shapes = f"{tuple(guess.shape)}, the code has {tuple(code.shape)}"
                raise ValueError(f"the discriminator guesses '{key}' in shape {shapes}")

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """A term for each code, named by its key."""
        return {key: self._surprise(step.fake_extras[key], step.given[key]) for key in codes(step)}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """A term for each code, named by its key."""
        return self.discriminator(step)

    def _surprise(self, guess: Tensor, code: Tensor) -> Tensor:
        if code.is_floating_point():
            return self.continuous * mse_loss(guess, code, reduction="sum") / (2 * len(code))
        return cross_entropy(guess, code)


def codes(step: ganzoo.Step) -> list[str]:
    """The keys that the generator draws and the discriminator guesses."""
    return [key for key in step.latent if key in step.fake_extras]
