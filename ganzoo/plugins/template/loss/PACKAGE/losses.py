"""A loss: named terms for the discriminator and the generator. Parameters of a constructor would be options."""

from torch import Tensor
from torch.nn.functional import softplus

import ganzoo


class Loss(ganzoo.Loss):
    """A relativistic loss: each fake is scored against a real sample, and each network wants its own to win."""

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return what the discriminator minimises: mean softplus(fake - real)."""
        return {"pairs": softplus(step.fake_scores - step.real_scores).mean()}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return what the generator minimises: mean softplus(real - fake)."""
        return {"pairs": softplus(step.real_scores - step.fake_scores).mean()}
