"""Tiny networks, a loss and single turns of the game, for the tests of plugins and of the conformance kit.

A loss can be tried in one turn, without an engine:

    from ganzoo.testing import toys
    step = toys.make_step("discriminator", toys.TinyGenerator(), toys.TinyCritic(), batch, latent)
    terms = MyLoss().discriminator(step)
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganzoo.contract import Generator, Loss, Step

__all__ = ["NonSaturating", "PointGenerator", "TinyCritic", "TinyGenerator", "central_differences", "make_step"]


class TinyGenerator(Generator):
    """Map `given["z"]`, of shape (n, latent_size), to images of shape (n, *image) in [-1, 1].

    The network is linear before its tanh, or has one hidden layer of `width` units.
    """

    def __init__(self, image: Sequence[int] = (1, 2, 2), latent_size: int = 3, width: int = 0) -> None:
        super().__init__()
        self.latent_size = latent_size
        last = nn.Linear(width or latent_size, prod(image))
        hidden = [nn.Linear(latent_size, width), nn.LeakyReLU(0.2)] if width else []
        self.network = nn.Sequential(*hidden, last, nn.Tanh(), nn.Unflatten(1, tuple(image)))

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return one image for each row of `given["z"]`."""
        return self.network(given["z"])  # type: ignore[no-any-return]  # nn.Module says that a call returns Any


class PointGenerator(Generator):
    """Map `given["z"]`, of shape (n, latent_size), to points of shape (n, *point)."""

    makes = "point"

    def __init__(self, point: Sequence[int] = (2,), latent_size: int = 3, width: int = 8) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.network = nn.Sequential(
            nn.Linear(latent_size, width), nn.Tanh(), nn.Linear(width, prod(point)), nn.Unflatten(1, tuple(point))
        )

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return one point for each row of `given["z"]`."""
        return self.network(given["z"])  # type: ignore[no-any-return]  # nn.Module says that a call returns Any


class TinyCritic(nn.Module):
    """Map samples of shape (n, *image), images or points, to raw scores of shape (n, *scores).

    With `smooth` the hidden layer has tanh, so that every derivative exists; without, LeakyReLU. `scale` multiplies
    the scores: 3 or 4 brings some of a loss's samples beyond a margin of 1 and leaves some inside.
    """

    def __init__(
        self,
        image: Sequence[int] = (1, 2, 2),
        scores: Sequence[int] = (),
        width: int = 5,
        smooth: bool = True,
        scale: float = 3.0,
    ) -> None:
        super().__init__()
        self.scores, self.scale = tuple(scores), scale
        act = nn.Tanh() if smooth else nn.LeakyReLU(0.2)
        self.network = nn.Sequential(
            nn.Flatten(), nn.Linear(prod(image), width), act, nn.Linear(width, prod(self.scores))
        )

    def forward(self, images: Tensor, given: Mapping[str, Tensor]) -> Tensor:
        """Return the scores of each image; `given` is not looked at."""
        scores: Tensor = self.network(images)
        return self.scale * scores.reshape(-1, *self.scores)


class NonSaturating(Loss):
    """The non-saturating loss on raw scores (Goodfellow et al. 2014, section 3)."""

    def discriminator(self, step: Step) -> dict[str, Tensor]:
        """Return the terms "real" and "fake"."""
        return {"real": softplus(-step.real_scores).mean(), "fake": softplus(step.fake_scores).mean()}

    def generator(self, step: Step) -> dict[str, Tensor]:
        """Return the term "fool"."""
        return {"fool": softplus(-step.fake_scores).mean()}


def make_step(
    turn: str,
    generator: Generator,
    discriminator: nn.Module,
    batch: dict[str, Tensor],
    latent: dict[str, Tensor],
    rng: torch.Generator | None = None,
) -> Step:
    """Return a turn with these networks, "generator" or "discriminator"; the other side is frozen from here on.

    `batch` holds the real data and `latent` what the generator draws. What losses draw comes from `rng`, by default
    from a new generator with seed 0.
    """
    generator.requires_grad_(turn == "generator")
    discriminator.requires_grad_(turn == "discriminator")
    rng = rng or torch.Generator().manual_seed(0)
    return Step(turn, 0, batch, latent, generator=generator, discriminator=discriminator, call=call_network, rng=rng)


def call_network(network: Callable[..., Any], *inputs: Any, twice: bool = False) -> Any:
    """Call a network as it is: in full precision, so that `twice` makes no difference."""
    return network(*inputs)


@torch.no_grad()
def central_differences(function: Callable[[], Tensor | float], parameter: Tensor, width: float = 1e-5) -> Tensor:
    """Return the slope of `function()` with respect to each element of `parameter`, by central differences.

    `parameter` is changed in place, by `width` up and down, and is afterwards as before. Use float64.
    """
    slopes = torch.zeros_like(parameter)
    values, results = parameter.view(-1), slopes.view(-1)
    for i in range(len(values)):
        kept, sides = values[i].item(), []
        for moved in (kept + width, kept - width):
            values[i] = moved
            sides.append(float(function()))
        values[i] = kept
        results[i] = (sides[0] - sides[1]) / (2 * width)
    return slopes
