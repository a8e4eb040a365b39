"""Data sets by name, image folders and iterables of batches, all as `Data`: endless dict batches."""

import os
import signal
import traceback
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision.transforms.v2 import functional

from ganzoo._seeds import seed_of, seeded
from ganzoo._signals import SIGNALS
from ganzoo.contract import batch_length
from ganzoo.data.images import (
    LOOKED_AT,
    WORKERS,
    Decoded,
    Files,
    Pictures,
    channels_of,
    classes_of,
    decoded,
    image_names,
)
from ganzoo.data.mixtures import COUNT, MIXTURES
from ganzoo.data.named import SMALL, celeba, data_root, lsun, plain_names, small
from ganzoo.engine.batches import endless
from ganzoo.errors import BadInput, Failed, choices

IN_MEMORY = 5000
"""Folders of at most this many images are decoded before training, where the pixels fit in `IN_MEMORY_BYTES`."""
IN_MEMORY_BYTES = 2**31
GRACE = 10
"""Seconds that a worker lives on after a SIGTERM."""
DEFAULT_SIZE = 64
"""Side in pixels of images that have no size in common: folders, celeba and lsun."""

Own = Callable[[Tensor], Tensor]


def everything(whole: Tensor) -> Tensor:
    """What a process that trains alone needs of a batch."""
    return whole


class Data:
    """What a training learns from.

    `name` for people; `image` the shape (channels, height, width) of images, `point` the shape (dimensions,) of points,
    each None for other data; `classes` the class names, empty where unlabelled; `count` the number of samples, None
    where unknown; `notes` sentences to say to the user; `skipped` the numbers of images that could not be read.
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
    ) -> None:
        self.name, self.image, self.point, self.count = name, image, point, count
        self.classes, self.labels, self.notes = list(classes), labels, list(notes)
        self.skipped = set[int]()
        self.device = torch.device("cpu")

    @property
    def facts(self) -> dict[str, Any]:
        """What architectures are built from: "image", "point" and "classes" (a number), as far as there are any."""
        facts = {"image": self.image, "point": self.point, "classes": len(self.classes)}
        return {key: value for key, value in facts.items() if value}

    @property
    def description(self) -> dict[str, Any]:
        """What a published model says of the data: its name, kind, shape and class names; plain values."""
        shape: dict[str, Any] = {"kind": "other"}
        if self.image:
            shape = {"kind": "image", "shape": list(self.image), "range": [-1, 1]}
        elif self.point:
            shape = {"kind": "point", "shape": list(self.point)}
        return {"name": self.name, **shape, "classes": self.classes}

    def batches(
        self, batch: int, seed: int, used: int = 0, own: Own = everything
    ) -> Generator[dict[str, Tensor], None, None]:
        """Endless batches of constant size.

        "image" is float32 (n, channels, height, width) in [-1, 1], "point" float32 (n, dimensions) in the data's own
        units, "label" int64 (n,) where there are labels. Every epoch is a permutation of its own, a pure function of
        `seed` and its number, and batches are cut from the epochs in a row. `used` is the number of samples already
        used: the stream goes on exactly there. `own` takes from each batch what this process needs of it.
        """
        raise NotImplementedError

    def skip(self, broken: Iterable[int]) -> None:
        """Note that these samples, by number, cannot be read."""

    def first(self, batch: int, seed: int) -> dict[str, Tensor]:
        """The first of `batches(batch, seed)`, without using it up."""
        return next(self.batches(batch, seed))

    def to(self, device: torch.device | str) -> Self:
        """Have batches made on that device, where this is possible; returns itself."""
        self.device = torch.device(device)
        return self

    def _batch(self, pixels: Tensor, places: Tensor) -> dict[str, Tensor]:
        made = {"image": scaled(sent(pixels, self.device))}
        if self.labels is not None:
            made["label"] = sent(self.labels.index_select(0, places), self.device)
        return made


class InMemory(Data):
    """Images (uint8, (n, channels, height, width)) and perhaps labels (int64, (n,)) as two tensors.

    Raises `BadInput` for images of another type or shape, and where there is none.
    """

    def __init__(
        self,
        name: str,
        images: Tensor,
        labels: Tensor | None = None,
        classes: Sequence[str] = (),
        notes: Iterable[str] = (),
    ) -> None:
        if images.dtype != torch.uint8 or images.dim() != 4 or not images.numel():
            got = f"{images.dtype} of shape {tuple(images.shape)}"
            raise BadInput(f"{name}: images must be uint8 of shape (n, channels, height, width), got {got}")
        super().__init__(name, tuple(images.shape[1:]), classes=classes, labels=labels, count=len(images), notes=notes)
        self.images = images

    def __len__(self) -> int:
        return self.count

    def batches(
        self, batch: int, seed: int, used: int = 0, own: Own = everything
    ) -> Generator[dict[str, Tensor], None, None]:
        """As in `Data`; a batch costs one gather, and on a GPU no synchronisation."""
        for places in map(own, positions(self.count, batch, seed, used, self.device)):
            yield self._batch(self.images.index_select(0, places), places)

    def to(self, device: torch.device | str) -> Self:
        """Move all images and labels there."""
        self.images = self.images.to(device)
        self.labels = None if self.labels is None else self.labels.to(device)
        return super().to(device)


class Points(Data):
    """Points (float32, (n, dimensions)) as one tensor, in whatever units they have."""

    def __init__(self, name: str, points: Tensor) -> None:
        super().__init__(name, None, point=tuple(points.shape[1:]), count=len(points))
        self.points = points

    def __len__(self) -> int:
        return self.count

    def batches(
        self, batch: int, seed: int, used: int = 0, own: Own = everything
    ) -> Generator[dict[str, Tensor], None, None]:
        """As in `Data`; a batch costs one gather."""
        for places in map(own, positions(self.count, batch, seed, used, self.device)):
            yield {"point": self.points.index_select(0, places)}

    def to(self, device: torch.device | str) -> Self:
        """Move all points there."""
        self.points = self.points.to(device)
        return super().to(device)


class Streamed(Data):
    """Pictures that worker processes decode while training.

    One that cannot be read is skipped, the next one taking its place; `skipped` and the last of `notes` count them.
    """

    def __init__(
        self,
        name: str,
        pictures: Pictures,
        image: tuple[int, int, int],
        labels: Tensor | None = None,
        classes: Sequence[str] = (),
        notes: Iterable[str] = (),
    ) -> None:
        how = f"{len(pictures):,} images are read while training, by {WORKERS} worker processes"
        super().__init__(name, image, classes=classes, labels=labels, count=len(pictures), notes=[*notes, how])
        self.pictures, self._told = pictures, self.notes

    def __len__(self) -> int:
        return self.count

    def batches(
        self, batch: int, seed: int, used: int = 0, own: Own = everything
    ) -> Generator[dict[str, Tensor], None, None]:
        """As in `Data`. Raises `BadInput` where a thousand images in a row cannot be read."""
        loader = DataLoader(
            Decoded(self.pictures, self.image),
            batch_sampler=(own(places).tolist() for places in positions(self.count, batch, seed, used)),
            num_workers=WORKERS,
            collate_fn=stacked,
            worker_init_fn=outlive_signals,
            generator=seeded("workers", seed),  # else it would draw from torch's global one
        )
        for pixels, places, broken in outlived(loader):
            self.skip(broken)
            if pixels is None:
                raise BadInput(
                    f"{self.name}: too many images in a row cannot be read, the last is {self._last(broken)}"
                )
            yield self._batch(pixels, places)

    def skip(self, broken: Iterable[int]) -> None:
        """Note that these pictures, by number, cannot be read."""
        if new := [number for number in broken if number not in self.skipped]:
            self.skipped.update(new)
            said = f"skipped {len(self.skipped)} images that cannot be read, the last is {self._last(new)}"
            self.notes = [*self._told, said]

    def _last(self, broken: list[int]) -> str:
        return f"'{self.pictures.path(broken[-1])}'"


class Batches(Data):
    """The batches of any iterable of dicts of tensors or numpy arrays, in their own order and of their own size.

    Floating-point values become float32, uint8 images are scaled to [-1, 1], labels become int64. `classes` are the
    class names or their number. The iterable is gone through again when it ends. Raises `BadInput` for what is no
    batch, for images of changing shape or outside [-1, 1], and where a generator ends. (Values that lie on another
    device than the CPU are looked at in the first batch only, since looking makes the CPU wait.)
    """

    def __init__(
        self, source: Iterable[Mapping[str, Any]], classes: Sequence[str] | int | None = None, seed: int = 0
    ) -> None:
        if not isinstance(source, Iterable):
            kind = type(source).__name__
            raise BadInput(f"data is the name of a data set, a folder or an iterable of dict batches, not a {kind}")
        super().__init__("batches", None, classes=class_names(classes))
        self.source = source
        batches = self._gone_through(seed)
        begun = next(batches)
        self._first = self._checked(begun, look=True)
        if "image" in self._first:
            self.image = tuple(self._first["image"].shape[1:])
        elif "point" in self._first and self._first["point"].dim() == 2:
            self.point = tuple(self._first["point"].shape[1:])
        # What was begun is used for training: a generator gives its first batch once, a DataLoader has its workers up.
        self._begun: Iterator[Any] | None = chain([begun], batches)

    def _gone_through(self, seed: int) -> Iterator[Any]:
        """The iterable again and again. It draws from torch's global generator, but from numbers of its own.

        So a shuffling DataLoader has the same order whatever else draws, and again after a resume.
        """
        state = torch.Generator().manual_seed(seed_of("batches", seed)).get_state()
        stream = endless(self.source)
        while True:
            with torch.random.fork_rng([]):
                torch.set_rng_state(state)
                batch = next(stream)
                state = torch.get_rng_state()
            yield batch

    def batches(
        self, batch: int, seed: int, used: int = 0, own: Own = everything
    ) -> Generator[dict[str, Tensor], None, None]:
        """The iterable's own batches, whatever `batch` and `seed` are; those with the first `used` samples are not."""
        begun, self._begun = self._begun, None
        for raw in self._gone_through(seed) if begun is None else begun:
            made = self._checked(raw)
            if used <= 0:
                yield {key: own(value) for key, value in made.items()}
            used -= batch_length(made)

    def first(self, batch: int, seed: int) -> dict[str, Tensor]:
        """The iterable's first batch, without using it up."""
        return self._first

    @property
    def checksum(self) -> int:
        """Of the first batch."""
        return zlib.crc32(b"".join(value.cpu().numpy().tobytes() for value in self._first.values()))

    def _checked(self, raw: Any, look: bool = False) -> dict[str, Tensor]:
        if not isinstance(raw, Mapping) or not raw:
            raise BadInput(f"a batch is a dict of tensors such as {{'image': ...}}, got {type(raw).__name__}")
        batch = {key: as_tensor(key, value) for key, value in raw.items()}
        if len({len(value) for value in batch.values()}) > 1:
            lengths = ", ".join(f"'{key}' {len(value)}" for key, value in batch.items())
            raise BadInput(f"the tensors of a batch must have one length, got {lengths}")
        if "image" in batch:
            batch["image"] = self._checked_images(batch["image"], look)
        if "label" in batch and not batch["label"].is_floating_point():
            batch["label"] = self._checked_labels(batch["label"].long(), look)
        return batch

    def _checked_images(self, images: Tensor, look: bool) -> Tensor:
        shape = tuple(images.shape)
        if len(shape) != 4:
            raise BadInput(f"'image' must have the shape (n, channels, height, width), got {shape}")
        if self.image and shape[1:] != self.image:
            raise BadInput(f"the images of all batches must have one shape, got {self.image} and {shape[1:]}")
        if images.dtype == torch.uint8:
            return scaled(images)
        if images.dtype != torch.float32:
            raise BadInput(f"'image' must be uint8 or floating point in [-1, 1], got {images.dtype}")
        if look or images.device.type == "cpu":
            low, high = (value.item() for value in images.aminmax())
            if not (low >= -1.0001 and high <= 1.0001):
                raise BadInput(f"images must lie in [-1, 1], got values from {low:.4g} to {high:.4g}")
            if look and low >= 0:
                self.notes.append("no pixel of the first batch is below 0; images are expected in [-1, 1], not [0, 1]")
        return images

    def _checked_labels(self, labels: Tensor, look: bool) -> Tensor:
        if self.classes and (look or labels.device.type == "cpu"):
            low, high = (value.item() for value in labels.aminmax())
            if low < 0 or high >= len(self.classes):
                raise BadInput(
                    f"labels of {len(self.classes)} classes lie in 0..{len(self.classes) - 1}, got {low}..{high}"
                )
        return labels


def open_data(
    source: str | Path | Iterable[Mapping[str, Any]],
    *,
    size: int | None = None,
    channels: int | None = None,
    root: str | Path | None = None,
    classes: Sequence[str] | int | None = None,
    seed: int = 0,
) -> Data:
    """Data by name (see `NAMES`), from an image folder, or from any iterable of dict batches.

    Images become squares of `size` pixels with 1 or 3 `channels`; by default a data set keeps its own, and folders,
    celeba and lsun get 64 pixels and colour unless every image is grey. `root` is where downloaded sets are (see
    `data_root`). `classes`, names or a number, is for batches, which cannot say; elsewhere it must agree. `seed` is for
    iterables that draw from torch's global random generator, such as a shuffling DataLoader.
    A name goes before a folder of the same name, which is reached as "./mnist".
    Raises `BadInput` for an unknown name, a folder without images and options that do not fit, `Unavailable` where
    a data set is neither there nor can be downloaded.
    """
    if size is not None and (not isinstance(size, int) or size < 1):
        raise BadInput(f"size is the side of the images in pixels, at least 1, got {size!r}")
    if channels not in (None, 1, 3):
        raise BadInput(f"channels is 1 (grey) or 3 (colour), got {channels!r}")
    if isinstance(source, str | os.PathLike):
        return agreeing(by_name(os.fspath(source), size, channels, data_root(root)), classes)
    if size or channels:
        raise BadInput("size and channels go with a named data set or a folder; batches are taken as they are")
    return agreeing(source, classes) if isinstance(source, Data) else Batches(source, classes, seed)


def by_name(name: str, size: int | None, channels: int | None, root: Path) -> Data:
    """The data set of that name, or the folder."""
    if name in ("mnist-10k", *SMALL):
        images, labels, classes = small(name, root)
        if len(images) * (channels or images.shape[1]) * (size or images.shape[2]) ** 2 > IN_MEMORY_BYTES:
            raise BadInput(f"{name} at {size} x {size} pixels does not fit in memory; choose a smaller data.size")
        images, notes = reshaped(images, size or images.shape[2], channels or images.shape[1])
        return InMemory(name, images, labels, classes, notes)
    if name in MIXTURES:
        if size or channels:
            raise BadInput(f"{name} has points and no images: data.size and data.channels do not go with it")
        return Points(name, MIXTURES[name].draw(COUNT, "train"))
    size = size or DEFAULT_SIZE
    if name == "celeba" or name.partition(":")[0] == "lsun":
        return Streamed(name, celeba(root) if name == "celeba" else lsun(name, root), (channels or 3, size, size))
    path, there = Path(name), False
    with suppress(OSError, RuntimeError):  # a name too long for a path, or the home of an unknown user
        path = path.expanduser()
        there = path.exists()
    if not there:
        raise BadInput(f"there is no data set or folder '{name}'; {choices(name, plain_names())}")
    return from_folder(path, size, channels)


def reshaped(images: Tensor, size: int, channels: int) -> tuple[Tensor, list[str]]:
    """uint8 images as squares of `size` with 1 or 3 channels, and what to say of the change."""
    notes, before = [], tuple(images.shape[1:])
    if channels != before[0]:
        images = (functional.rgb_to_grayscale if channels == 1 else functional.grayscale_to_rgb)(images)
        notes.append(f"converted the images to {'grey' if channels == 1 else 'RGB'}")
    if (size, size) != before[1:]:
        # In parts, since it works in float32.
        images = torch.cat([functional.resize(part, [size, size]) for part in images.split(1000)])
        notes.append(f"resized the images from {before[1]} x {before[2]} to {size} x {size}")
    return images.contiguous(), notes


def from_folder(path: Path, size: int, channels: int | None) -> Data:
    """The images below a folder: decoded now if they are few, else while training. Raises `BadInput`."""
    names = image_names(path)
    files, (classes, labels, notes) = Files(path, names), classes_of(names)
    few = len(files) <= IN_MEMORY and 3 * size * size * len(files) <= IN_MEMORY_BYTES
    shape = (channels or channels_of(files, len(files) if few else LOOKED_AT), size, size)
    name = path.resolve().name
    if not few:
        return Streamed(name, files, shape, labels, classes, notes)
    images, converted = decoded(files, shape)
    return InMemory(name, images, labels, classes, notes + converted)


def positions(count: int, batch: int, seed: int, used: int = 0, device: torch.device | str = "cpu") -> Iterator[Tensor]:
    """Which samples each batch has (int64, (batch,)): permutations of `count` in a row, cut into equal pieces.

    The first `used` samples of that row are passed over.
    """
    device = torch.device(device)
    epoch, begun = divmod(used, count)
    left = permutation(count, seed, epoch, device)[begun:]
    while True:
        while len(left) < batch:
            epoch += 1
            left = torch.cat([left, permutation(count, seed, epoch, device)])
        yield left[:batch]
        left = left[batch:]


def permutation(count: int, seed: int, epoch: int, device: torch.device) -> Tensor:
    """The order of one epoch."""
    return sent(torch.randperm(count, generator=seeded("epoch", seed, epoch)), device)


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on that device, without waiting for the copy."""
    if device.type == "cuda" and not tensor.is_cuda:
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def scaled(images: Tensor) -> Tensor:
    """uint8 images as float32 in [-1, 1]."""
    # By a product, since a quotient rounds differently on the CPU and on CUDA.
    return images.float().mul_(1 / 127.5).sub_(1)


def outlived(loader: DataLoader) -> Iterator[Any]:
    """What a loader gives. Raises `Failed` where one of its processes died before it could answer."""
    try:
        yield from loader
    except Exception as error:
        # Its frames hold the other processes, and torch tells of the dead one again whenever any process ends.
        traceback.clear_frames(error.__traceback__)
        if isinstance(error, ConnectionError | EOFError):
            raise Failed(f"a process that reads the data died: {error}") from error
        raise


def outlive_signals(_: int) -> None:
    """Have a worker go on after Ctrl-C and the like, which reach it too: the training decides when it ends.

    SIGTERM counts after a while, since multiprocessing ends what is left of its workers by it.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGTERM, lambda *_: signal.setitimer(signal.ITIMER_REAL, GRACE))
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))


def stacked(samples: list[tuple[Tensor | None, int, list[int]]]) -> tuple[Tensor | None, Tensor, list[int]]:
    """What a worker sends: pixels (None where one is missing), places and the places skipped."""
    pixels, places, skipped = zip(*samples, strict=True)
    complete = all(each is not None for each in pixels)
    return torch.stack(pixels) if complete else None, torch.tensor(places), list(chain.from_iterable(skipped))


def as_tensor(key: str, value: Any) -> Tensor:
    """A value of a batch as a tensor with a first axis, floating point as float32; `BadInput` for anything else."""
    if not isinstance(value, Tensor | np.ndarray):
        raise BadInput(f"'{key}' of a batch must be a tensor or a numpy array, got {type(value).__name__}")
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError) as error:
        raise BadInput(f"'{key}' of a batch cannot become a tensor: {error}") from error
    if not tensor.dim() or not tensor.numel():
        raise BadInput(f"'{key}' of a batch is empty or a single number; its first axis must be the samples")
    return tensor.float() if tensor.is_floating_point() else tensor


def class_names(classes: Sequence[str] | int | None) -> list[str]:
    """Names of classes; a number of classes gets "0", "1" and so on."""
    return [str(each) for each in range(classes)] if isinstance(classes, int) else list(classes or ())


def agreeing(data: Data, classes: Sequence[str] | int | None) -> Data:
    """The data itself, or `BadInput` where it has another number of classes than was asked for."""
    if classes is not None and len(class_names(classes)) != len(data.classes):
        has = f"{len(data.classes)} classes" if data.classes else "no labels"
        raise BadInput(f"{data.name} has {has}, so classes cannot be {classes}")
    return data
