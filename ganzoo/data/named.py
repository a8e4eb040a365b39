"""The data sets that have a name: what each is, where it is kept, how it is read.

Torch and torchvision are imported where a set is opened, so that listing the names stays quick.
"""

import gzip
import os
from contextlib import suppress
from functools import cached_property
from importlib import import_module, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
from filelock import FileLock

from ganzoo.errors import BadInput, Unavailable, suggest

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor
    from torchvision.datasets import LSUN

    from ganzoo.data.images import ImageFiles


DATA_SETS = {
    "mnist-10k": "10,000 handwritten digits, 28 x 28 grey, 10 classes; comes with ganzoo",
    "mnist": "60,000 handwritten digits, 28 x 28 grey, 10 classes; 12 MB download",
    "fashion-mnist": "60,000 pictures of clothes, 28 x 28 grey, 10 classes; 31 MB download",
    "cifar10": "50,000 photographs, 32 x 32 colour, 10 classes; 170 MB download",
    "celeba": "162,770 faces, colour, no classes; 1.4 GB download, needs ganzoo[data]",
    "lsun:<category>": "photographs of one kind of place, colour, no classes; unpacked by hand, needs ganzoo[data]",
    "ring8": "100,000 points of 8 Gaussians on a circle; drawn on the spot, for counting modes",
    "grid25": "100,000 points of 25 Gaussians on a grid; drawn on the spot, for counting modes",
}
"""What `ganzoo.data.open_data` knows by name, each with a line that says what it is."""

LSUN_CATEGORIES = (
    "bedroom",
    "bridge",
    "church_outdoor",
    "classroom",
    "conference_room",
    "dining_room",
    "kitchen",
    "living_room",
    "restaurant",
    "tower",
)

TORCHVISION_CLASSES = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "cifar10": "CIFAR10"}
"""Sets that fit in memory, with their classes in torchvision."""


def list_names() -> list[str]:
    """Every name as a user types it."""
    return [name for name in DATA_SETS if "<" not in name] + [f"lsun:{category}" for category in LSUN_CATEGORIES]


def find_data_root(root: str | Path | None = None) -> Path:
    """The folder of downloaded data sets: `root`, else the variable GANZOO_DATA, else one in the user's cache."""
    chosen = root or os.environ.get("GANZOO_DATA")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("ganzoo") / "data"


def load_small(name: str, root: Path) -> "tuple[Tensor, Tensor, list[str]]":
    """Training images (uint8, (n, channels, height, width)), labels and class names of a set that fits in memory."""
    import torch

    if name == "mnist-10k":
        pixels, labels = read_embedded("images.idx3-ubyte.gz"), read_embedded("labels.idx1-ubyte.gz")
        return pixels[16:].view(-1, 1, 28, 28), labels[8:].long(), list("0123456789")
    found = fetch(name, TORCHVISION_CLASSES[name], root)
    images = torch.as_tensor(found.data)
    images = images.unsqueeze(1) if images.dim() == 3 else images.permute(0, 3, 1, 2).contiguous()
    return images, torch.as_tensor(found.targets), [each.partition(" - ")[0] for each in found.classes]


def read_embedded(name: str) -> "Tensor":
    """The bytes of a compressed file of this package."""
    import torch

    content = gzip.decompress((resources.files("ganzoo.data") / "mnist10k" / name).read_bytes())
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)


def fetch(name: str, kind: str, root: Path, extra: str | None = None, **options: Any) -> Any:
    """A torchvision data set below `root`, downloaded only where it is not there.

    Raises `Unavailable` where it can neither be read nor downloaded, `BadInput` where this needs another package.
    """
    from torchvision import datasets

    with suppress(Exception):
        return getattr(datasets, kind)(root, **options)
    if extra:
        require_package(extra, name)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{kind}.lock"):  # another process may be about it too
            return getattr(datasets, kind)(root, download=True, **options)
    # Torchvision, urllib, gdown and the archive formats each bring exceptions of their own.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise Unavailable(
            f"{name} is not complete in '{root}' and cannot be downloaded ({reason}); "
            f"put the files of torchvision.datasets.{kind} there, or use mnist-10k, which needs no download"
        ) from error


def require_package(package: str, name: str) -> None:
    """`BadInput` where a package that a data set needs is missing."""
    try:
        import_module(package)
    except ImportError as error:
        raise BadInput(f"{name} needs the package {package}; install it with: pip install 'ganzoo[data]'") from error


def open_celeba(root: Path) -> "ImageFiles":
    """The training images of CelebA, aligned and cropped. Raises `BadInput` and `Unavailable`."""
    from ganzoo.data.images import ImageFiles

    found = fetch("celeba", "CelebA", root, "gdown", target_type=[])
    return ImageFiles(root / found.base_folder / "img_align_celeba", found.filename)


def open_lsun(name: str, root: Path) -> "Lsun":
    """The training images of one LSUN category. Raises `BadInput` and `Unavailable`."""
    category, folder = name.partition(":")[2], root / "lsun"
    if category not in LSUN_CATEGORIES:
        raise BadInput(f"LSUN has no category '{category}'; {suggest(category, LSUN_CATEGORIES)}")
    require_package("lmdb", name)
    try:
        return Lsun(folder, category)
    # Of lmdb's own kind, which can only be named where lmdb is installed.
    except Exception as error:
        raise Unavailable(
            f"{name} cannot be read from '{folder}' ({error}) and torchvision cannot download it; "
            f"unpack {category}_train_lmdb.zip from http://dl.yf.io/lsun/scenes there, or use mnist-10k"
        ) from error


class Lsun:
    """The images of one LSUN category, by number; each process opens the database for itself, as lmdb demands."""

    def __init__(self, folder: Path, category: str) -> None:
        self._where = str(folder), [f"{category}_train"]
        self._count = len(self._opened())

    def __len__(self) -> int:
        return self._count

    def path(self, index: int) -> str:
        """How a sentence names that image."""
        return f"image {index}"

    def open(self, index: int) -> "Image.Image":
        """That image."""
        return self._images[index][0]

    @cached_property
    def _images(self) -> "LSUN":
        return self._opened()

    def _opened(self) -> "LSUN":
        from torchvision.datasets import LSUN

        return LSUN(*self._where)
