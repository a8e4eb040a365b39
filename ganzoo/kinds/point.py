"""Points in a space of any dimensions, in the data's own units."""

from ganzoo.kind import Kind


class Point(Kind):
    """Points (dimensions,)."""

    name, plural = "point", "points"

    def describe(self) -> str:
        """Return the number of dimensions in words."""
        return f"points in {self.spec.shape[0]} dimensions"
