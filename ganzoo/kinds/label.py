"""Labels: the number of a class, from 0, for each sample."""

from torch import Tensor

from ganzoo.kind import Kind


class Label(Kind):
    """Numbers of classes, whose names the spec has."""

    plural = "labels"

    def check(self, values: Tensor) -> None:
        """Raise `ValueError` unless each value is the number of a class."""
        if values.is_floating_point() or values.is_complex():
            raise ValueError("must hold whole numbers")
        count = len(self.spec.classes)
        if values.numel() and (values.min() < 0 or (count and values.max() >= count)):
            raise ValueError(f"must lie in 0..{max(count - 1, 0)}, got {values.min().item()} to {values.max().item()}")

    def to_network(self, values: Tensor) -> Tensor:
        """Return numbers of classes as they are, in int64."""
        return values.long()

    def describe(self) -> str:
        """Return the number of classes in words."""
        return f"labels of {len(self.spec.classes)} classes"
