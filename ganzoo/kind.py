"""What a plugin that brings a kind of samples writes against: how they are checked, written, read and shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganzoo.dataset import NOTHING, Spec

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor


class Kind:
    """What ganzoo does with samples of one kind. An object is bound to the `spec` of a key and the facts of its data.

    Samples have two forms: networks see tensors in `spec.range`; users give and get the public form, which for images
    lies in [0, 1]. A method that cannot do what is asked raises `ValueError` with one sentence.
    """

    name: str = "other"
    plural: str = "samples"
    suffix: str = ".npy"
    """Ending of the files that `write` makes."""

    def __init__(self, spec: Spec, facts: Mapping[str, Any] = NOTHING) -> None:
        self.spec, self.facts = spec, facts

    def to_network(self, values: "Tensor") -> "Tensor":
        """Return values (n, ...) of the public form as networks see them. Raises `ValueError` where they do not fit."""
        return values

    def to_public(self, values: "Tensor") -> "Tensor":
        """Return values (n, ...) as users get them."""
        return values

    def write(self, path: Path, sample: "Tensor", mark: Mapping[str, str]) -> None:
        """Write one sample in the public form to a file. `mark` says that it is synthetic, and what made it."""
        np.save(path, sample.numpy())

    def read(self, path: Path) -> "np.ndarray[Any, Any]":
        """Read one sample in the public form from a file, made to fit the spec."""
        found: np.ndarray[Any, Any] = np.load(path, allow_pickle=False)
        return found

    def draw(
        self, samples: "Tensor", columns: int = 0, row_names: Sequence[str] = (), title: str = ""
    ) -> "Image.Image | None":
        """Draw samples (n, ...) of the public form as one picture; return None where a picture can show nothing."""
        return None

    def describe(self) -> str:
        """Return what samples are, in the plural, such as "28 x 28 images"."""
        return self.plural
