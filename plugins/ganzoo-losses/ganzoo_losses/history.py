"""Historical averaging, which needs a state of the size of both networks."""

import torch
from torch import Tensor, nn

import ganzoo

SIDES = ("discriminator", "generator")


class HistoricalAveraging(ganzoo.Loss):
    """Each side's parameters stay near the mean of what they have been (Salimans et al. 2016, section 3.3).

    The term is || theta - (1 / t) * sum over i <= t of theta[i] ||^2, over all parameters of the side, where theta[i]
    are those after its i-th turn. It is 0 on the first turn. The running means are buffers, as large as both networks.
    """

    def setup(self, step: ganzoo.Step) -> None:
        """Make the running means, with the number of turns that are in them."""
        for side in SIDES:
            self.register_buffer(f"{side}_turns", torch.zeros((), device=step.real_scores.device))
            for number, parameter in enumerate(parameters(step, side)):
                self.register_buffer(f"{side}_{number}", torch.zeros_like(parameter))

    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "distance"."""
        return {"distance": self._distance(step)}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "distance"."""
        return {"distance": self._distance(step)}

    def after(self, step: ganzoo.Step, terms: dict[str, Tensor]) -> None:
        """Take the side's new parameters into its means."""
        turns: Tensor = getattr(self, f"{step.turn}_turns")
        turns += 1
        for mean, parameter in self._pairs(step):
            mean += (parameter - mean) / turns

    def _distance(self, step: ganzoo.Step) -> Tensor:
        begun = getattr(self, f"{step.turn}_turns") > 0
        return torch.stack([(begun * (now - mean)).square().sum() for mean, now in self._pairs(step)]).sum()

    def _pairs(self, step: ganzoo.Step) -> list[tuple[Tensor, nn.Parameter]]:
        """Return each mean of the side whose turn it is with its parameter."""
        return [(getattr(self, f"{step.turn}_{n}"), each) for n, each in enumerate(parameters(step, step.turn))]


def parameters(step: ganzoo.Step, side: str) -> list[nn.Parameter]:
    """Return the parameters of one side."""
    network: nn.Module = getattr(step, side)
    return list(network.parameters())
