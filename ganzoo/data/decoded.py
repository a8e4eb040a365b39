"""Images that are decoded one by one, as a data set. Torch is imported when one is decoded."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ganzoo.dataset import NOTHING, Dataset

if TYPE_CHECKING:
    from torch import Tensor

    from ganzoo.data.images import Broken, ImageSource
    from ganzoo.pictures.decode import Rendering


class Decoded(Dataset):
    """Images by index from a `source`, decoded as `rendering` says, with their labels by key where there are any."""

    kinds = MappingProxyType({"image": "image"})
    fingerprint: str | None = None
    """Stands for the names of a folder's files; None for other images."""
    unlabelled = ""
    """Why there are no labels, empty where that is plain."""
    range: tuple[float, float] | None = None
    """The values of deep images that become black and white, None where there are none."""
    broken: "Broken" = "skip"
    """What happens to files that cannot be read."""

    def decode_from(
        self,
        source: "ImageSource",
        rendering: "Rendering",
        labels: "Mapping[str, Tensor]" = NOTHING,
        classes: Mapping[str, Sequence[str]] = NOTHING,
    ) -> None:
        """Take the images of a source. `labels` are (n,) by key; a key has the names of its `classes`, or amounts."""
        self.images, self.rendering, self.labels, self.classes = source, rendering, labels, classes
        self.ranges = {key: find_limits(values) for key, values in labels.items() if key not in classes}

    def __len__(self) -> int:
        return len(self.images)

    def sample(self, index: int, rng: np.random.Generator) -> Mapping[str, np.ndarray[Any, Any]]:
        """Decode one image. Raises `ValueError` if it cannot be read."""
        from ganzoo.data.images import read_image

        pixels = read_image(self.images, self.rendering, index)
        if isinstance(pixels, str):
            raise ValueError(pixels)
        return self._with_labels(pixels.numpy(), index)

    def decode_all(self) -> dict[str, np.ndarray[Any, Any]]:
        """Decode all files now; the next one takes the place of one that cannot be read, which a note says."""
        from ganzoo.data.images import ImageFiles, decode_all

        assert isinstance(self.images, ImageFiles)
        images, sources, unread = decode_all(self.images, self.rendering, self.broken)
        self.notes = [*self.notes, *unread]
        # The label is that of the image in a broken one's place.
        return {"image": images.numpy(), **{key: each[sources].numpy() for key, each in self.labels.items()}}

    def example(self) -> Mapping[str, np.ndarray[Any, Any]]:
        """Return a sample of the right shape without reading one."""
        return self._with_labels(np.zeros(self.rendering.shape, dtype=np.uint8), 0)

    def source(self, index: int) -> str:
        """Return the path of a file, or the name of an image in its data set."""
        return self.images.path(index)

    def _with_labels(self, pixels: np.ndarray[Any, Any], index: int) -> dict[str, np.ndarray[Any, Any]]:
        return {"image": pixels, **{key: each[index].numpy() for key, each in self.labels.items()}}


def find_limits(values: "Tensor") -> tuple[float, float]:
    """Return the least and the greatest of amounts (n,); of equal ones a range around them."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low - 1, high + 1)
