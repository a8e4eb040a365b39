"""The avatars that come with ganzoo."""

import io
import lzma
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ganzoo._numbers import whole_number
from ganzoo.data.attributes import number_attributes
from ganzoo.data.named import Small

if TYPE_CHECKING:
    from torch import Tensor


MAX_COUNT = 5_000
"""Pictures in the package."""


class Avatars5k(Small):
    """5,000 creatures of the style "critters", which come with ganzoo. Their `label` is one of their attributes,
    or a list of attributes that become keys of their own.

    They are the first of `avatars:critters` at 32 x 32 pixels with `seed` 0, or fewer: the first `count`, with the
    classes of all. Raises `BadInput`.
    """

    name = "avatars-5k"
    license = "CC0-1.0"

    def __init__(
        self,
        label: str | list[str] = "body",
        count: int = MAX_COUNT,
        size: int | tuple[int, int] | None = None,
        channels: int | None = None,
        root: str | None = None,
        background: Literal["white", "black"] = "white",
        fit: Literal["crop", "pad", "stretch"] = "crop",
    ) -> None:
        self.label, self.count = label, whole_number("count", count, 1, MAX_COUNT)
        super().__init__(size, channels, root, background, fit)

    def load(self, root: Path) -> "tuple[Tensor, dict[str, Tensor], dict[str, list[str]]]":
        """Load the images, and the numbers and names of the attributes that are labels."""
        import torch

        arrays = read_bundled()
        images = torch.from_numpy(arrays.pop("images")).permute(0, 3, 1, 2).contiguous()
        numbers, names = number_attributes(self.name, arrays, self.label)
        labels = {key: torch.from_numpy(each[: self.count]) for key, each in numbers.items()}
        return images[: self.count], labels, names


def read_bundled() -> "dict[str, np.ndarray[Any, Any]]":
    """Read the file: images (n, height, width, 3), and the values of each attribute as text (n,)."""
    content = (resources.files("ganzoo.data") / "avatars5k" / "critters.npz.xz").read_bytes()
    with np.load(io.BytesIO(lzma.decompress(content)), allow_pickle=False) as arrays:
        return dict(arrays)
