"""Three digits as one picture in colour: a data set of 1,000 modes, which can be counted."""

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from ganzoo._io import find_data_root
from ganzoo._numbers import check_seed, whole_number
from ganzoo.data.named import load_small
from ganzoo.dataset import LABEL, Dataset
from ganzoo.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from torch import Tensor

Digits = Literal["mnist", "mnist-10k"]
SIDES, MAX_COUNT = (28, 28), 10**7


class StackedMnist(Dataset):
    """Three training digits drawn at random, as red, green and blue (VEEGAN, Srivastava et al. 2017, section 4).

    `count` pictures from a `seed`. Their digits are those of `mnist`, which is downloaded once, or with
    `digits = "mnist-10k"` those that come with ganzoo. A class is named by its three figures: "204" for a red 2, a
    green 0 and a blue 4. Raises `BadInput` and `Unavailable`.
    """

    kinds = MappingProxyType({"image": "image"})
    classes = MappingProxyType({LABEL: [f"{number:03}" for number in range(1000)]})

    def __init__(
        self,
        count: int = 128_000,
        digits: Digits = "mnist",
        seed: int = 0,
        size: int | tuple[int, int] | None = None,
        root: str | None = None,
        background: Literal["white", "black"] = "white",
        fit: Literal["crop", "pad", "stretch"] = "crop",
    ) -> None:
        import torch

        from ganzoo._seeds import make_rng
        from ganzoo.data.options import ImageOptions
        from ganzoo.data.resizing import resize_images

        options = ImageOptions(size, None, None, background, fit)
        whole_number("count", count, 1, MAX_COUNT)
        check_seed(seed)
        if digits not in get_args(Digits):
            raise BadInput(f"digits is {' or '.join(get_args(Digits))}, got {digits!r}")
        sides = options.sides or SIDES
        check_memory(count, *sides)
        pictures, numbers = load_digits(digits, find_data_root(root))
        pictures, self.notes = resize_images(pictures, sides, 1, fit, background)
        drawn = torch.randint(len(pictures), (count, 3), generator=make_rng("stacked-mnist", seed))
        self.images = pictures[drawn, 0]
        self.labels = (numbers[drawn] * torch.tensor([100, 10, 1])).sum(1)

    def __len__(self) -> int:
        return len(self.images)

    def arrays(self) -> dict[str, Any]:
        """Return all pictures and labels."""
        return {"image": self.images.numpy(), LABEL: self.labels.numpy()}


def load_digits(name: str, root: Path) -> "tuple[Tensor, Tensor]":
    """Load digits, uint8 (n, 1, 28, 28), and what they are. Raises `Unavailable`."""
    try:
        pictures, numbers, _ = load_small(name, root)
    except Unavailable as error:
        raise error.append("as data.digits") from error
    return pictures, numbers


def check_memory(count: int, height: int, width: int) -> None:
    """Raise `BadInput` for more pictures than fit in memory."""
    from ganzoo.data.folders import MAX_BYTES_IN_MEMORY

    if count > (most := MAX_BYTES_IN_MEMORY // (3 * height * width)):
        raise BadInput(f"{count:,} pictures of {height} x {width} pixels do not fit in memory, at most {most:,} do")
