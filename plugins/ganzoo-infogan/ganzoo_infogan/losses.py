"""The terms that InfoGAN adds to a GAN's loss, for any discriminator that guesses the codes behind an image."""

from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

import ganzoo
from ganzoo.layers import check_positive


class MutualInformation(ganzoo.Loss):
    """A lower bound on the mutual information of codes and images (Chen et al. 2016, equation 5), negated.

    A code is a key that the generator draws and that the discriminator returns among its extras, where it guesses the
    code from the fake image. For whole numbers, the guess is logits of shape (n, k), and its cost the cross entropy.
    For other codes, the guess is the mean of a normal distribution of variance 1, in the code's own shape, and its cost
    the negative log-likelihood without the constant: half the squared error. Both sides minimise the same terms: the
    discriminator learns to read the codes, the generator to make them readable.

    Option `continuous`, greater than 0, is the weight of codes that are not whole numbers. The authors' code uses 1 for
    digits; section 6 of the paper advises less where this term would outweigh the others. Raises `ValueError` for a
    weight out of range.
    """

    schedulable = ("continuous",)

    def __init__(self, continuous: float = 1.0) -> None:
        super().__init__()
        check_positive(continuous=continuous)
        self.continuous = continuous

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for a discriminator that guesses no code, or guesses one in another shape."""
        keys = code_keys(step)
        if not keys:
            drawn, guessed = ", ".join(step.latent), ", ".join(step.fake_extras) or "nothing"
            raise ValueError(f"the discriminator must guess what the generator draws ({drawn}), but guesses {guessed}")
        for key in keys:
            guess, code = step.fake_extras[key], step.given[key]
            if code.is_floating_point() and guess.shape != code.shape:
                shapes = f"{tuple(guess.shape)}, the code has {tuple(code.shape)}"
                raise ValueError(f"the discriminator guesses '{key}' in shape {shapes}")

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return a term for each code, named by its key."""
        return {key: self._cost(step.fake_extras[key], step.given[key]) for key in code_keys(step)}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return a term for each code, named by its key."""
        return self.discriminator(step)

    def _cost(self, guess: Tensor, code: Tensor) -> Tensor:
        if code.is_floating_point():
            return self.continuous * mse_loss(guess, code, reduction="sum") / (2 * len(code))
        return cross_entropy(guess, code)


def code_keys(step: ganzoo.Step) -> list[str]:
    """Return the keys that the generator draws and the discriminator guesses."""
    return [key for key in step.latent if key in step.fake_extras]
