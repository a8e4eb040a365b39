"""The two losses of the first GAN paper, on raw scores. Below, D(x) is the sigmoid of a score."""

from torch import Tensor
from torch.nn.functional import softplus

import ganzoo


class Minimax(ganzoo.Loss):
    """The saturating loss: the generator maximises what the discriminator minimises (Goodfellow et al. 2014, eq. 1).

    The discriminator minimises -mean(log D(x)) - mean(log(1 - D(G(z)))), the generator mean(log(1 - D(G(z)))), whose
    gradient almost vanishes while the discriminator wins. Scores may have any shape; means are over all of them.
    """

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return terms "real" and "fake"."""
        return {"real": softplus(-step.real_scores).mean(), "fake": softplus(step.fake_scores).mean()}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "fool", 0 or less."""
        return {"fool": -softplus(step.fake_scores).mean()}


class NonSaturating(Minimax):
    """As `Minimax`, but the generator minimises -mean(log D(G(z))) (Goodfellow et al. 2014, section 3).

    Its gradient is largest for the samples that the discriminator most clearly takes for fake.
    """

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "fool", 0 or more."""
        return {"fool": softplus(-step.fake_scores).mean()}
