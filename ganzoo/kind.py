"""What a plugin that brings a kind of samples writes against: how they are checked, written, read and shown."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganzoo._io import read_bytes, write_bytes
from ganzoo.dataset import NOTHING, Spec

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

Array = np.ndarray[Any, Any]
TOLERANCE = 1e-4
"""Values may lie this share of a range outside of it, by rounding."""


class Kind:
    """What ganzoo does with samples of one kind. An object is bound to the `spec` of a key and the `facts` of its data.

    Samples have two forms: networks see float32 in `range`; users give and get the public form, in `public_range`,
    which for images is [0, 1]. A kind without ranges has one form. The first axis of several samples is the sample.
    A method that cannot do what is asked raises `ValueError` with half a sentence, before which ganzoo writes what it
    is about: "must lie in [0, 1], got -1 to 1".

    This class itself is the kind "other": samples of any shape, written as arrays, of which no picture is drawn.
    """

    plural: str = "samples"
    """What several samples are called."""
    suffix: str = ".npy"
    """Ending of the files that `write` makes; "" where samples have no files, but a picture or an array of all."""
    together: bool = False
    """Whether one file holds many samples, such as the rows of a table. `write` then gets all of them."""
    range: tuple[float, float] | None = None
    """The lowest and the highest value that networks see; None where there is no limit."""
    public_range: tuple[float, float] | None = None
    """The lowest and the highest value of the public form; None where it is that of networks."""
    shown: int = 64
    """How many samples are drawn or written unless the user says a number."""
    by_class: bool = True
    """Whether a picture has a row of samples for each class."""
    scale: int | None = None
    """For a kind that is made of pixels: how often the user wants each to be drawn, 0 where that is open; else None."""
    card_files: int = 8
    """How many samples a model card and the folder of a run have as files, beside the picture; 0 for none."""

    def __init__(self, spec: Spec, facts: Mapping[str, Any] = NOTHING) -> None:
        self.spec, self.facts = spec, facts

    @property
    def name(self) -> str:
        """The name under which the kind is registered."""
        return self.spec.kind.rpartition(":")[2]

    @property
    def not_drawn(self) -> str:
        """Why no picture shows samples of this shape; "" where `draw` makes one."""
        return f"no picture shows {self.plural}" if type(self).draw is Kind.draw else ""

    def check(self, values: "Tensor") -> None:
        """Raise `ValueError` unless samples (n, ...) of the public form have the shape and the range of the spec."""
        if tuple(values.shape[1:]) != self.spec.shape:
            raise ValueError(f"must have the shape {write_shape(self.spec.shape)}, got {write_shape(values.shape[1:])}")
        if values.is_floating_point() and not values.isfinite().all():
            raise ValueError("has a value that is not a finite number")
        limits = self.public_range or self.range or self.spec.range
        if limits and values.numel() and not self.is_inside(values, limits):
            low, high = values.min().item(), values.max().item()
            raise ValueError(f"must lie in [{limits[0]:g}, {limits[1]:g}], got {low:g} to {high:g}")

    def is_inside(self, values: "Tensor", limits: tuple[float, float]) -> bool:
        """Return whether all values lie in a range, up to rounding."""
        slack = TOLERANCE * (limits[1] - limits[0])
        return bool(values.min() >= limits[0] - slack and values.max() <= limits[1] + slack)

    def to_network(self, values: "Tensor") -> "Tensor":
        """Return samples (n, ...) of the public form as networks see them: float32, or int64 for whole numbers.

        Whole numbers of a kind with a range become float32, too.
        """
        is_whole = not values.is_floating_point() and not self.range
        return values.long() if is_whole else rescale(values.float(), self.public_range, self.range)

    def to_public(self, values: "Tensor") -> "Tensor":
        """Return samples (n, ...) as users get them. Numbers outside the range are moved to its ends."""
        if self.public_range is None:
            return values
        return rescale(values, self.range, self.public_range).clamp(*self.public_range)

    def to_array(self, values: "Tensor") -> Array:
        """Return samples (n, ...) of the public form as an array file holds them; `write`, `draw`, `card` get these.

        Images are uint8 (n, height, width, channels) there.
        """
        found: Array = values.numpy()
        return found

    def from_array(self, values: Array) -> Array:
        """Return samples of the public form (n, ...), or one of them, from an array as `to_array` makes it.

        Other arrays stay as they are.
        """
        return values

    def write(self, path: Path, sample: Array, mark: Mapping[str, str]) -> None:
        """Write one sample to a file, or all samples (n, ...) of a kind that is written `together`.

        `mark` says that it is synthetic and what made it; keep it where the format has a place for such words.
        """
        buffer = io.BytesIO()
        np.save(buffer, sample, allow_pickle=False)
        write_bytes(path, buffer.getvalue())

    def read(self, path: Path) -> Array:
        """Read one sample of the public form from a file, made to fit the shape; all samples (n, ...) if `together`."""
        try:
            found: Array = np.load(io.BytesIO(read_bytes(path)), allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError("is not an array in a .npy file") from error
        return found

    def draw(
        self, samples: Array, columns: int = 0, row_names: Sequence[str] = (), title: str = ""
    ) -> "Image.Image | None":
        """Draw samples (n, ...) as one picture; return None where a picture can show nothing.

        `columns` is the number of samples in a row, 0 where that is open. `row_names` are written beside the rows.
        """
        return None

    def describe(self) -> str:
        """Return what samples are, in the plural, such as "28 x 28 images"."""
        return f"{self.plural} of the shape {write_shape(self.spec.shape)}" if self.spec.shape else self.plural

    def card(self, files: Mapping[str, Array]) -> str:
        """Return Markdown that shows samples on a model card, by the names of their files: links, players."""
        return "\n".join(f"- [{name}]({name})" for name in files)


def rescale(values: "Tensor", before: tuple[float, float] | None, after: tuple[float, float] | None) -> "Tensor":
    """Return values of one range in another; unchanged where either is open."""
    if before is None or after is None or before == after:
        return values
    return values.sub(before[0]).mul((after[1] - after[0]) / (before[1] - before[0])).add(after[0])


def write_shape(shape: Sequence[int]) -> str:
    """Return a shape for people: "1 x 28 x 28"."""
    return " x ".join(map(str, shape)) or "()"
