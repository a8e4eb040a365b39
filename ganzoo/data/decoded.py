"""Images that are decoded one by one, as a data set. Torch is imported when one is decoded."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ganzoo.dataset import LABEL, Dataset

if TYPE_CHECKING:
    from torch import Tensor

    from ganzoo.data.images import Broken, ImageSource
    from ganzoo.pictures.decode import Rendering


class Decoded(Dataset):
    """Images by index from a `source`, decoded as `rendering` says, with their labels where there are any."""

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
        labels: "Tensor | None" = None,
        classes: Sequence[str] = (),
    ) -> None:
        """Take the images of a source."""
        self.images, self.rendering, self.labels = source, rendering, labels
        self.classes = {} if labels is None else {LABEL: classes}

    def __len__(self) -> int:
        return len(self.images)

    def sample(self, index: int, rng: np.random.Generator) -> Mapping[str, np.ndarray[Any, Any]]:
        """Decode one image. Raises `ValueError` if it cannot be read."""
        from ganzoo.data.images import read_image

        pixels = read_image(self.images, self.rendering, index)
        if isinstance(pixels, str):
            raise ValueError(pixels)
        return self._with_label(pixels.numpy(), index)

    def decode_all(self) -> dict[str, np.ndarray[Any, Any]]:
        """Decode all files now; the next one takes the place of one that cannot be read, which a note says."""
        from ganzoo.data.images import ImageFiles, decode_all

        assert isinstance(self.images, ImageFiles)
        images, sources, unread = decode_all(self.images, self.rendering, self.broken)
        self.notes = [*self.notes, *unread]
        # The label is that of the image in a broken one's place.
        labels = {} if self.labels is None else {LABEL: self.labels[sources].numpy()}
        return {"image": images.numpy(), **labels}

    def example(self) -> Mapping[str, np.ndarray[Any, Any]]:
        """Return a sample of the right shape without reading one."""
        return self._with_label(np.zeros(self.rendering.shape, dtype=np.uint8), 0)

    def source(self, index: int) -> str:
        """Return the path of a file, or the name of an image in its data set."""
        return self.images.path(index)

    def _with_label(self, pixels: np.ndarray[Any, Any], index: int) -> dict[str, np.ndarray[Any, Any]]:
        return {"image": pixels} if self.labels is None else {"image": pixels, LABEL: self.labels[index].numpy()}
