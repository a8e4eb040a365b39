"""A loss: named terms for either side; a constructor's parameters would be options."""

from torch import Tensor
from torch.nn.functional import softplus

import ganzoo


class Loss(ganzoo.Loss):
    """Each fake is scored beside a real sample; either side wants its own to win."""

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """What the discriminator minimises: mean softplus(fake - real)."""
        return {"pairs": softplus(step.fake_scores - step.real_scores).mean()}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """What the generator minimises: mean softplus(real - fake)."""
        return {"pairs": softplus(step.real_scores - step.fake_scores).mean()}
