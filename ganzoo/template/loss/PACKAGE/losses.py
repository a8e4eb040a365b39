"""A loss: terms by name for either side, from raw scores. Parameters of a constructor are its options."""

from torch import Tensor
from torch.nn.functional import softplus

import ganzoo


class Loss(ganzoo.Loss):
    """Each fake is judged beside a real sample; the generator wants the opposite of the discriminator."""

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """What the discriminator minimises: mean softplus(fake - real)."""
        return {"pairs": softplus(step.fake_scores - step.real_scores).mean()}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """What the generator minimises: mean softplus(real - fake)."""
        return {"pairs": softplus(step.real_scores - step.fake_scores).mean()}
