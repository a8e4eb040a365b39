"""Points in a space of any dimensions, in the data's own units."""

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from ganzoo.dataset import NOTHING, Spec
from ganzoo.kind import Array, Kind
from ganzoo.pictures.layout import POINTS_SHOWN, why_not_shown
from ganzoo.pictures.points import draw_scatter


class Point(Kind):
    """Points (dimensions,), which one picture shows all together."""

    plural, suffix = "points", ""
    shown, by_class, card_files = POINTS_SHOWN, False, 0

    def __init__(self, spec: Spec, facts: Mapping[str, Any] = NOTHING) -> None:
        super().__init__(spec, facts)
        if self.not_drawn:
            self.suffix, self.together, self.card_files = Kind.suffix, True, Kind.card_files

    @property
    def not_drawn(self) -> str:
        """Why a picture cannot show these points; "" where they lie in the plane."""
        return why_not_shown("point", self.spec.shape) if self.spec.shape else ""

    def draw(
        self, samples: Array, columns: int = 0, row_names: Sequence[str] = (), title: str = ""
    ) -> Image.Image | None:
        """Draw points in the plane as a scatter plot."""
        return None if self.not_drawn else draw_scatter(samples, title)

    def describe(self) -> str:
        """Return the number of dimensions in words."""
        return f"points in {self.spec.shape[0]} dimensions" if self.spec.shape else self.plural
