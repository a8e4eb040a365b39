"""Random numbers for each picture of a batch, drawn by the step: exact on resume, and the same over processes."""

from torch import Tensor

import ganzoo


class Numbers:
    """Draws one number for each of the pictures (n, channels, height, width), with their type and on their device."""

    def __init__(self, step: ganzoo.Step, pictures: Tensor) -> None:
        self.step, self.pictures = step, pictures

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return uniform numbers in [low, high), of shape (n,)."""
        return low + (high - low) * self.step.rand(len(self.pictures)).to(self.pictures)

    def normal(self, deviation: float = 1.0) -> Tensor:
        """Return normal numbers around 0, of shape (n,)."""
        return deviation * self.step.randn(len(self.pictures)).to(self.pictures)

    def whole(self, low: int, high: int) -> Tensor:
        """Return whole numbers from low to high, both included, all equally likely, of shape (n,)."""
        return self.uniform(low, high + 1).floor().clamp(max=high)  # in float32 the sum may round up to the end

    def chance(self, p: Tensor | float) -> Tensor:
        """Return True with probability p for each picture, of shape (n,)."""
        return self.uniform() < p

    def sometimes(self, p: Tensor | float, values: Tensor) -> Tensor:
        """Return these values (n,) with probability p each, and 0 otherwise."""
        return values * self.chance(p)

    def noise(self) -> Tensor:
        """Return a standard normal number for each element of the pictures."""
        return self.step.randn(*self.pictures.shape).to(self.pictures)
