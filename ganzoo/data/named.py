"""Data sets with a name: describe, find, download and read them.

Torch and torchvision are imported when a set is opened, so that listing the names stays quick.
"""

import gzip
import io
from contextlib import suppress
from functools import cached_property
from importlib import import_module, resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ganzoo._io import find_data_root
from ganzoo.data.decoded import Decoded
from ganzoo.dataset import LABEL, Dataset
from ganzoo.errors import BadInput, Unavailable, needs_package, suggest
from ganzoo.plugins.builtin import LSUN_CATEGORIES

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor


TORCHVISION_CLASSES = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "cifar10": "CIFAR10"}
"""Data sets that fit in memory, with their classes in torchvision."""


def load_small(name: str, root: Path) -> "tuple[Tensor, Tensor, list[str]]":
    """Load a set that fits in memory: training images uint8 (n, channels, height, width), labels and class names."""
    import torch

    if name == "mnist-10k":
        pixels, labels = read_embedded("images.idx3-ubyte.gz"), read_embedded("labels.idx1-ubyte.gz")
        return pixels[16:].view(-1, 1, 28, 28), labels[8:].long(), list("0123456789")
    found = fetch(name, TORCHVISION_CLASSES[name], root)
    images = torch.as_tensor(found.data)
    images = images.unsqueeze(1) if images.dim() == 3 else images.permute(0, 3, 1, 2).contiguous()
    return images, torch.as_tensor(found.targets), [each.partition(" - ")[0] for each in found.classes]


def read_embedded(name: str) -> "Tensor":
    """Read and decompress a file of this package, as bytes (uint8)."""
    import torch

    content = gzip.decompress((resources.files("ganzoo.data") / "mnist10k" / name).read_bytes())
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)


def fetch(name: str, kind: str, root: Path, extra: str | None = None, **options: Any) -> Any:
    """Open a torchvision data set below `root`; download it if it is not there.

    Raises `Unavailable` if it can neither be read nor downloaded, `BadInput` if the download needs another package.
    """
    from torchvision import datasets

    with suppress(Exception):
        return getattr(datasets, kind)(root, **options)
    if extra:
        require_package(extra, name)
    try:
        root.mkdir(parents=True, exist_ok=True)
        from filelock import FileLock

        with FileLock(root / f".{kind}.lock"):  # another process may be downloading it
            return getattr(datasets, kind)(root, download=True, **options)
    # Torchvision, urllib, gdown and the archive formats each have exceptions of their own.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise Unavailable(
            f"{name} is not complete in '{root}' and cannot be downloaded ({reason}); "
            f"put the files of torchvision.datasets.{kind} there, or use mnist-10k, which needs no download"
        ) from error


def require_package(package: str, name: str) -> None:
    """Raise `BadInput` if a package that a data set needs is not installed."""
    try:
        import_module(package)
    except ImportError as error:
        raise needs_package(name, package) from error


class Small(Dataset):
    """Labelled images that fit in memory."""

    kinds = MappingProxyType({"image": "image"})
    name: ClassVar[str]

    def __init__(
        self,
        size: int | tuple[int, int] | None = None,
        channels: int | None = None,
        root: str | None = None,
        background: Literal["white", "black"] = "white",
        fit: Literal["crop", "pad", "stretch"] = "crop",
    ) -> None:
        from ganzoo.data.base import image_shape
        from ganzoo.data.folders import MAX_BYTES_IN_MEMORY
        from ganzoo.data.options import ImageOptions
        from ganzoo.data.resizing import resize_images

        options = ImageOptions(size, channels, None, background, fit)
        images, labels, names = self.load(find_data_root(root))
        channels, height, width = image_shape(images)
        (height, width), channels = options.sides or (height, width), options.channels or channels
        if len(images) * channels * height * width > MAX_BYTES_IN_MEMORY:
            raise BadInput(
                f"{self.name} at {height} x {width} pixels does not fit in memory; choose a smaller data.size"
            )
        self.images, self.notes = resize_images(images, (height, width), channels, fit, background)
        self.labels, self.classes = labels, names

    def load(self, root: Path) -> "tuple[Tensor, dict[str, Tensor], dict[str, list[str]]]":
        """Load the images, uint8 (n, channels, height, width), their labels and the names of the classes, by key."""
        images, labels, names = load_small(self.name, root)
        return images, {LABEL: labels}, {LABEL: names}

    def __len__(self) -> int:
        return len(self.images)

    def arrays(self) -> dict[str, Any]:
        """Return all images and labels."""
        return {"image": self.images.numpy(), **{key: each.numpy() for key, each in self.labels.items()}}


class Mnist10k(Small):
    """The first 10,000 training images of MNIST, which come with ganzoo."""

    name = "mnist-10k"


class Mnist(Small):
    """The 60,000 training images of MNIST."""

    name = "mnist"


class FashionMnist(Small):
    """The 60,000 training images of Fashion-MNIST."""

    name = "fashion-mnist"


class Cifar10(Small):
    """The 50,000 training images of CIFAR-10."""

    name = "cifar10"


class Mixture(Dataset):
    """Points of a mixture of Gaussians."""

    kinds = MappingProxyType({"point": "point"})
    name: ClassVar[str]

    def __init__(self) -> None:
        from ganzoo.data.mixtures import MIXTURES, TRAINING_POINTS

        self.points = MIXTURES[self.name].draw(TRAINING_POINTS, "train")

    def __len__(self) -> int:
        return len(self.points)

    def arrays(self) -> dict[str, Any]:
        """Return all points."""
        return {"point": self.points.numpy()}


class Ring8(Mixture):
    """Points of 8 Gaussians on a circle."""

    name = "ring8"


class Grid25(Mixture):
    """Points of 25 Gaussians on a grid."""

    name = "grid25"


class CelebA(Decoded):
    """The training images of CelebA, aligned and cropped. Raises `BadInput` and `Unavailable`.

    `label` is one of their 40 attributes, such as "Smiling", with the classes "no" and "yes"; a list of attributes
    become keys of their own.
    """

    def __init__(
        self,
        label: str | list[str] | None = None,
        size: int | tuple[int, int] | None = None,
        channels: int | None = None,
        root: str | None = None,
        background: Literal["white", "black"] = "white",
        fit: Literal["crop", "pad", "stretch"] = "crop",
    ) -> None:
        from ganzoo.data.images import ImageFiles
        from ganzoo.data.options import ImageOptions

        rendering = ImageOptions(size, channels, None, background, fit).rendering(3)
        folder = find_data_root(root)
        found = fetch("celeba", "CelebA", folder, "gdown", target_type=[])
        files = ImageFiles(folder / found.base_folder / "img_align_celeba", found.filename)
        labels, classes = read_attributes(found, label) if label else ({}, {})
        self.decode_from(files, rendering, labels, classes)


def read_attributes(celeba: Any, label: str | list[str]) -> "tuple[dict[str, Tensor], dict[str, list[str]]]":
    """Return an attribute of CelebA, or several, each "no" or "yes". Raises `BadInput` for an unknown one."""
    import numpy as np
    import torch

    from ganzoo.data.attributes import number_attributes

    words = np.array(["no", "yes"])
    columns = zip(celeba.attr_names, celeba.attr.T.numpy(), strict=False)  # the line of names ends with a space
    named = {name: words[column] for name, column in columns}
    numbers, classes = number_attributes("celeba", named, label)
    return {key: torch.from_numpy(each) for key, each in numbers.items()}, classes


class LsunImages(Decoded):
    """The training images of one LSUN category. Raises `BadInput` and `Unavailable`."""

    def __init__(
        self,
        category: str = "",
        size: int | tuple[int, int] | None = None,
        channels: int | None = None,
        root: str | None = None,
        background: Literal["white", "black"] = "white",
        fit: Literal["crop", "pad", "stretch"] = "crop",
    ) -> None:
        from ganzoo.data.options import ImageOptions

        rendering = ImageOptions(size, channels, None, background, fit).rendering(3)
        self.decode_from(open_lsun(f"lsun:{category}", find_data_root(root)), rendering)


def open_lsun(name: str, root: Path) -> "Lsun":
    """Open the training images of one LSUN category. Raises `BadInput` and `Unavailable`."""
    category, folder = name.partition(":")[2], root / "lsun"
    if category not in LSUN_CATEGORIES:
        raise BadInput(f"LSUN has no category '{category}'; {suggest(category, LSUN_CATEGORIES)}")
    require_package("lmdb", name)
    try:
        return Lsun(folder, category)
    # lmdb has its own exceptions, which can be named only where lmdb is installed.
    except Exception as error:
        raise Unavailable(
            f"{name} cannot be read from '{folder}' ({error}) and torchvision cannot download it; "
            f"unpack {category}_train_lmdb.zip from http://dl.yf.io/lsun/scenes there, or use mnist-10k"
        ) from error


class Lsun:
    """The images of one LSUN category, by index. Each process opens the database itself, as lmdb requires.

    Torchvision's own reader keeps a pickle in the working directory, which would run the code of whoever put one there.
    """

    def __init__(self, folder: Path, category: str) -> None:
        self._path = str(folder / f"{category}_train_lmdb")
        with self._connect() as database:
            self._count: int = database.stat()["entries"]

    def __len__(self) -> int:
        return self._count

    def path(self, index: int) -> str:
        """Return the name of an image for messages."""
        return f"image {index}"

    def open(self, index: int) -> "Image.Image":
        """Read an image."""
        from ganzoo.pictures.decode import check_scans, check_size
        from ganzoo.pictures.formats import open_picture

        with self._database.begin() as transaction:
            picture = open_picture(io.BytesIO(transaction.get(self._keys[index])))
        check_size(picture)
        check_scans(picture)
        return picture.convert("RGB")

    @cached_property
    def _database(self) -> Any:
        return self._connect()

    @cached_property
    def _keys(self) -> list[bytes]:
        with self._database.begin() as transaction:
            return list(transaction.cursor().iternext(keys=True, values=False))

    def _connect(self) -> Any:
        import lmdb

        return lmdb.open(self._path, max_readers=1, readonly=True, lock=False, readahead=False, meminit=False)
