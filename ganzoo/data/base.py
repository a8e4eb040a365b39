"""The base class of all training data: endless batches, each a dict of tensors."""

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NotRequired, Self, TypedDict, Unpack

import torch
from torch import Tensor

from ganzoo._io import check_utf8
from ganzoo._names import composed
from ganzoo.dataset import LABEL, NOTHING, Spec, find_facts
from ganzoo.errors import BadInput
from ganzoo.kinds.outputs import describe_spec

Shard = Callable[[Tensor], Tensor]
"""Takes from a tensor of the whole batch the part that one process trains on."""

OpenedAs = Literal["data set", "folder", "batches"]
"""How data were opened: a data set by its name, a folder of images by its path, or batches from Python code."""


class Description(TypedDict):
    """Plain values that describe the data in the config of a published model."""

    name: str
    opened_as: OpenedAs
    kind: str
    shape: NotRequired[list[int]]
    range: NotRequired[list[float]]
    classes: list[str]
    specs: dict[str, dict[str, Any]]
    facts: dict[str, Any]
    license: NotRequired[str]
    holdout: NotRequired[float]


class About(TypedDict, total=False):
    """What `Data` knows beside its samples; of these only `count`, `notes` and `facts` go with any data."""

    count: int | None
    notes: Iterable[str]
    facts: Mapping[str, Any]
    license: str
    fingerprint: str | None
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

    `name` is shown to people; `specs` say what each key of a batch holds, the first key what is imitated; `count` is
    the number of samples, None if unknown; `notes` are messages for the user; `skipped` are the indices of samples that
    cannot be read; `license` is an SPDX identifier where samples may be passed on.
    `fingerprint` stands for the names of a folder's files, relative to it: the same wherever the folder lies, another
    when a file is added, removed or renamed; None for other data. `unlabelled` says why there are no labels, "" where
    that is plain. `range` are the values of deep images that become black and white, None for other data. `opened_as`
    says how they were opened: a folder called "mnist" is not the data set of that name. `holdout` is the share of the
    samples that is missing here because it is in `held_out`, None where all are here.
    """

    def __init__(self, name: str, specs: Mapping[str, Spec], **about: Unpack[About]) -> None:
        self.name, self.specs = name, {key: compose_classes(name, spec) for key, spec in specs.items()}
        self.count, self.notes, self.license = (
            about.get("count"),
            list(about.get("notes", ())),
            about.get("license", ""),
        )
        self.own_facts = check_facts(name, about.get("facts", NOTHING), self.specs)
        self.skipped = set[int]()
        self.fingerprint = about.get("fingerprint")
        self.unlabelled = about.get("unlabelled", "")
        self.range = about.get("range")
        self.opened_as: OpenedAs = "batches"
        self.device = torch.device("cpu")
        self.holdout: float | None = None
        self._orders: dict[str, list[str]] = {}
        self._load_held_out: Callable[[], Data] | None = None

    def hold_out(self, share: float, load: Callable[[], "Data"]) -> None:
        """Say that these data are what is left of others without that share, and how to get the samples held out."""
        self.holdout, self._load_held_out = share, load

    @cached_property
    def held_out(self) -> "Data | None":
        """The samples that were held out of these data (`data.holdout`), with the same classes; None without any."""
        if self._load_held_out is None:
            return None
        held = self._load_held_out()
        for key, names in self._orders.items():
            held.use_classes(names, key)
        return held

    @property
    def image(self) -> tuple[int, int, int] | None:
        """The shape (channels, height, width) of images, None for other data."""
        shape = self._shape("image", 3)
        return None if shape is None else (shape[0], shape[1], shape[2])

    @property
    def point(self) -> tuple[int] | None:
        """The shape (dimensions,) of points, None for other data."""
        shape = self._shape("point", 1)
        return None if shape is None else (shape[0],)

    def _shape(self, key: str, axes: int) -> tuple[int, ...] | None:
        spec = self.specs.get(key)
        return spec.shape if spec and spec.kind == key and len(spec.shape) == axes else None

    @property
    def classes(self) -> list[str]:
        """The names of the classes of labels, empty without labels."""
        return self.classes_of(LABEL)

    @property
    def facts(self) -> dict[str, Any]:
        """Arguments for the constructors of networks: shapes, numbers of classes, and the data's own facts."""
        return find_facts(self.specs) | self.own_facts

    @property
    def description(self) -> Description:
        """Plain values that describe these data in the config of a published model."""
        first = next(iter(self.specs.values()), Spec())
        about: Description = {
            "name": self.name,
            "opened_as": self.opened_as,
            "kind": first.kind,
            "classes": self.classes,
            "specs": {key: describe_spec(spec) for key, spec in self.specs.items()},
            "facts": {key: list(value) if isinstance(value, tuple) else value for key, value in self.facts.items()},
        }
        if first.kind != "other":
            about["shape"] = list(first.shape)
        if first.range:
            about["range"] = list(first.range)
        if self.range:
            about["facts"]["pixel_values"] = list(self.range)  # not for networks, but for files of samples
        if self.holdout is not None:
            about["holdout"] = self.holdout
        if self.license:
            about["license"] = self.license
        return about

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

    def classes_of(self, key: str) -> list[str]:
        """Return the names of the classes of a key, an empty list if it has none."""
        return list(self.specs[key].classes) if key in self.specs else []

    def use_classes(self, names: Sequence[str], key: str = LABEL) -> None:
        """Number the classes of a key in the order of these names, as a run begun earlier has them; no names drop it.

        Raises `BadInput` if the data have other classes.
        """
        names, before = list(map(composed, names)), self.classes_of(key)
        if names and set(names) != set(before):
            raise BadInput(f"{self.name} has other classes than before: {compare_names(names, before)}")
        if names == before:
            return
        self.renumber(names, key)
        self._orders[key] = names
        self.specs = {each: spec for each, spec in self.specs.items() if names or each != key}
        if names:
            self.specs[key] = Spec(LABEL, classes=tuple(names))

    def renumber(self, names: Sequence[str], key: str) -> None:
        """Give each class of a key its place in `names`, in every batch from now on; no names drop the key."""
        if names:
            raise BadInput(f"the classes of {self.name} must keep their order: {', '.join(names)}")

    def skip(self, broken: Iterable[int]) -> None:
        """Record that the samples with these indices cannot be read."""

    def first(self, batch: int, seed: int) -> dict[str, Tensor]:
        """Return the first of `batches(batch, seed)` without consuming it."""
        return next(self.batches(batch, seed))

    def to(self, device: torch.device | str) -> Self:
        """Make batches on that device where this is possible; return itself."""
        self.device = torch.device(device)
        return self


def compose_classes(name: str, spec: Spec) -> Spec:
    """Return a spec whose classes are written in one form of Unicode. Raises `BadInput` for one that is not text."""
    for each in spec.classes:
        check_utf8(f"the class of {name}", each)
    return Spec(spec.kind, spec.shape, spec.range, tuple(map(composed, spec.classes)))


def check_facts(name: str, facts: Mapping[str, Any], specs: Mapping[str, Spec]) -> dict[str, Any]:
    """Return a data set's own facts as the config keeps them. Raises `BadInput` where it cannot, or for a taken name.

    Lists stay lists, so that networks get the same from the config.
    """
    if taken := facts.keys() & find_facts(specs).keys():
        raise BadInput(f"{name}: the fact '{min(taken)}' is known from the samples already; give it another name")
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(facts), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise BadInput(f"{name}: facts are plain values, which the config of a model can keep ({error})") from error
    return plain


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
