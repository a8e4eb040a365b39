"""The base class of all training data: endless batches, each a dict of tensors."""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Literal, NotRequired, Self, TypedDict, Unpack

import torch
from torch import Tensor

from ganzoo._io import check_utf8
from ganzoo._names import composed
from ganzoo.errors import BadInput

Shard = Callable[[Tensor], Tensor]
"""Takes from a tensor of the whole batch the part that one process trains on."""


class Facts(TypedDict, total=False):
    """Arguments for the constructor of an architecture: the shape of a sample, and the number of classes."""

    image: tuple[int, int, int]
    point: tuple[int]
    classes: int


OpenedAs = Literal["data set", "folder", "batches"]
"""How data were opened: a data set by its name, a folder of images by its path, or batches from Python code."""


class Description(TypedDict):
    """Plain values that describe the data in the config of a published model."""

    name: str
    opened_as: OpenedAs
    kind: Literal["image", "point", "other"]
    shape: NotRequired[list[int]]
    range: NotRequired[list[int]]
    classes: list[str]
    facts: NotRequired[dict[str, Any]]


class FolderFacts(TypedDict, total=False):
    """What `Data` knows of a folder of images alone."""

    fingerprint: str
    unlabelled: str
    range: tuple[float, float] | None


def compare_names(before: Sequence[str], now: Sequence[str]) -> str:
    """Say which names are missing and which are new, a few of each."""
    lost, new = ([name for name in some if name not in others] for some, others in ((before, now), (now, before)))
    parts = [f"{word} {quote_some(names)}" for word, names in (("without", lost), ("with", new)) if names]
    return ", ".join(parts)


def quote_some(names: Sequence[object], most: int = 5) -> str:
    """List a few names in quotes."""
    return ", ".join(f"'{name}'" for name in names[:most]) + f" and {len(names) - most:,} more" * (len(names) > most)


def count_of(count: int, noun: str) -> str:
    """Return a count with its noun: "1 file", "2 files"."""
    return f"{count:,} {noun}" + "s" * (count != 1)


def keep_whole(whole: Tensor) -> Tensor:
    """Return the whole batch, for a process that trains alone."""
    return whole


class Data:
    """Training data.

    `name` is shown to people; `image` is the shape (channels, height, width) of images, `point` the shape (dimensions,)
    of points, each None for other data; `classes` are the class names, empty without labels; `count` is the number of
    samples, None if unknown; `notes` are messages for the user; `skipped` are the indices of unreadable images.
    `fingerprint` stands for the names of a folder's files, relative to it: the same wherever the folder lies, another
    when a file is added, removed or renamed; None for other data. `unlabelled` says why there are no labels, "" where
    that is plain. `range` are the values of deep images that become black and white, None for other data. `opened_as`
    says how they were opened: a folder called "mnist" is not the data set of that name.
    """

    def __init__(
        self,
        name: str,
        image: tuple[int, int, int] | None,
        *,
        point: tuple[int] | None = None,
        classes: Sequence[str] = (),
        labels: Tensor | None = None,
        count: int | None = None,
        notes: Iterable[str] = (),
        **folder: Unpack[FolderFacts],
    ) -> None:
        self.name, self.image, self.point, self.count = name, image, point, count
        self.classes, self.labels, self.notes = list(map(composed, classes)), labels, list(notes)
        for each in self.classes:
            check_utf8(f"the class of {name}", each)
        self.skipped = set[int]()
        self.fingerprint = folder.get("fingerprint")
        self.unlabelled = folder.get("unlabelled", "")
        self.range = folder.get("range")
        self.opened_as: OpenedAs = "batches"
        self.device = torch.device("cpu")

    @property
    def facts(self) -> Facts:
        """Arguments for the constructor of an architecture, only those that these data have."""
        facts = Facts()
        if self.image:
            facts["image"] = self.image
        if self.point:
            facts["point"] = self.point
        if self.classes:
            facts["classes"] = len(self.classes)
        return facts

    @property
    def description(self) -> Description:
        """Plain values that describe these data in the config of a published model."""
        kind: Literal["image", "point", "other"] = "image" if self.image else "point" if self.point else "other"
        about: Description = {"name": self.name, "opened_as": self.opened_as, "kind": kind, "classes": self.classes}
        if self.range:
            about["facts"] = {"pixel_values": list(self.range)}  # not for networks, but for files of samples
        if self.image:
            return {**about, "shape": list(self.image), "range": [-1, 1]}
        return {**about, "shape": list(self.point)} if self.point else about

    def batches(
        self, batch: int, seed: int, used: int = 0, shard: Shard = keep_whole
    ) -> Generator[dict[str, Tensor], None, None]:
        """Yield batches of `batch` samples without end.

        "image" is float32 (n, channels, height, width) in [-1, 1], "point" float32 (n, dimensions) in the data's own
        units, "label" int64 (n,) where there are labels. Each epoch is a permutation that depends only on `seed` and
        the number of the epoch; batches are cut from the epochs in a row. `used` is the number of samples already
        used: the stream continues exactly after them. `shard` takes from each batch what this process trains on.
        """
        raise NotImplementedError

    def use_classes(self, names: Sequence[str]) -> None:
        """Number the classes in the order of these names, as a run begun earlier has them; no names drop the labels.

        Raises `BadInput` if the data have other classes.
        """
        names = list(map(composed, names))
        if names and set(names) != set(self.classes):
            raise BadInput(f"{self.name} has other classes than before: {compare_names(names, self.classes)}")
        if names == self.classes:
            return
        if names and self.labels is None:
            raise BadInput(f"the classes of {self.name} must keep their order: {', '.join(names)}")
        numbers = torch.tensor([names.index(name) for name in self.classes] if names else [])
        self.labels = numbers[self.labels] if names else None
        self.classes = names

    def skip(self, broken: Iterable[int]) -> None:
        """Record that the samples with these indices cannot be read."""

    def first(self, batch: int, seed: int) -> dict[str, Tensor]:
        """Return the first of `batches(batch, seed)` without consuming it."""
        return next(self.batches(batch, seed))

    def to(self, device: torch.device | str) -> Self:
        """Make batches on that device where this is possible; return itself."""
        self.device = torch.device(device)
        return self

    def _make_batch(self, pixels: Tensor, indices: Tensor) -> dict[str, Tensor]:
        batch = {"image": normalize_images(to_device(pixels, self.device))}
        if self.labels is not None:
            batch["label"] = to_device(self.labels.index_select(0, indices), self.device)
        return batch


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor to that device without waiting for the copy."""
    if device.type == "cuda" and not tensor.is_cuda:
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def normalize_images(images: Tensor) -> Tensor:
    """Turn images, uint8 or floating point in [0, 1], into float32 in [-1, 1]."""
    if images.is_floating_point():
        return images.mul(2).sub_(1)
    # A product, because a quotient rounds differently on the CPU and on CUDA.
    return images.float().mul_(1 / 127.5).sub_(1)


def image_shape(images: Tensor) -> tuple[int, int, int]:
    """Return the shape (channels, height, width) of images (n, channels, height, width)."""
    _, channels, height, width = images.shape
    return channels, height, width
