"""Images: numbers in [-1, 1] for networks, in [0, 1] for users."""

from torch import Tensor

from ganzoo.kind import Kind

TOLERANCE = 1e-4
"""Values may lie this far outside [0, 1], by rounding."""


class Image(Kind):
    """Images (channels, height, width), in [0, 1] in the public form."""

    name, plural, suffix = "image", "images", ".png"

    def to_network(self, values: Tensor) -> Tensor:
        """Return images of the public form, or uint8, in [-1, 1]. Raises `ValueError` for values outside [0, 1]."""
        values = values.float() / 255 if not values.is_floating_point() else values.float()
        low, high = (value.item() for value in values.aminmax())
        if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
            raise ValueError(f"must lie in [0, 1], got values from {low:.4g} to {high:.4g}")
        return values * 2 - 1

    def to_public(self, values: Tensor) -> Tensor:
        """Return images in [0, 1]."""
        return values.add(1).div(2).clamp(0, 1)

    def describe(self) -> str:
        """Return the size of the images in words, width first."""
        _, height, width = self.spec.shape
        return f"{width} x {height} images"
