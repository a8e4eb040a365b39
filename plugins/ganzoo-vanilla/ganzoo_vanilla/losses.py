"""The two losses of the first GAN paper, on raw scores: D(x) below stands for the sigmoid of a score."""

from torch import Tensor
from torch.nn.functional import softplus

import ganzoo


class Minimax(ganzoo.Loss):
    """The saturating loss: both sides play for one value (Goodfellow et al. 2014, equation 1).

    The discriminator minimises -mean(log D(x)) - mean(log(1 - D(G(z)))), the generator mean(log(1 - D(G(z)))), which
    has next to no gradient while the discriminator wins. Scores may have any shape; means are over all of them.
    """

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Terms "real" and "fake"."""
        return {"real": softplus(-step.real_scores).mean(), "fake": softplus(step.fake_scores).mean()}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Term "fool", 0 or less."""
        return {"fool": -softplus(step.fake_scores).mean()}


class NonSaturating(Minimax):
    """The same discriminator; the generator minimises -mean(log D(G(z))) (Goodfellow et al. 2014, section 3).

    Its gradient is strongest where the discriminator is surest that a sample is fake.
    """

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Term "fool", 0 or more."""
        return {"fool": softplus(-step.fake_scores).mean()}
