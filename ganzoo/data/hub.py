"""Data sets of images on the Hugging Face Hub, read by the package `datasets`."""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ganzoo.data.attributes import number_words, to_key
from ganzoo.data.decoded import Decoded
from ganzoo.data.images import Broken, ImageFiles
from ganzoo.dataset import LABEL
from ganzoo.errors import BadInput, Unavailable, needs_package, suggest
from ganzoo.pictures.formats import open_picture

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

REPOSITORY = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
"""owner/name, perhaps with a revision behind @."""
LOOKED_AT = 100
"""Images that are looked at before the training: if all of them are grey, all are read so."""


class HubImages(Decoded):
    """The images of a data set on the Hugging Face Hub. Raises `BadInput` and `Unavailable`.

    `repository` is owner/name or owner/name@revision, where a revision is a branch, a tag or a commit; `config` and
    `split` choose a part of it. `label` is the column that is the label, by default the one with classes, or all of
    these under their own names; a list of columns become keys. Text and truth values are classes, numbers amounts.
    """

    def __init__(
        self,
        repository: str = "",
        config: str | None = None,
        split: str = "train",
        label: str | list[str] | None = None,
        size: int | tuple[int, int] | None = None,
        channels: int | None = None,
        background: Literal["white", "black"] = "white",
        fit: Literal["crop", "pad", "stretch"] = "crop",
        broken: Broken = "skip",
    ) -> None:
        from ganzoo.data.options import ImageOptions

        options = ImageOptions(size, channels, None, background, fit, broken)
        table = load(repository, config, split)
        files = HubFiles(table, find_images(table, repository))
        labels, classes = read_labels(table, repository, label)
        self.broken = broken
        self.decode_from(files, options.rendering(1 if files.all_grey() else 3), labels, classes)
        self.fingerprint = find_commit(repository)

    def arrays(self) -> dict[str, Any] | None:
        """Decode all images now if they are few."""
        from ganzoo.data.folders import MAX_IMAGES_IN_MEMORY, fits_in_memory

        few = len(self) <= MAX_IMAGES_IN_MEMORY and fits_in_memory(len(self), self.rendering)
        return self.decode_all() if few else None


class HubFiles(ImageFiles):
    """The image files in one column of a table of `datasets`, by index."""

    def __init__(self, table: Any, column: str) -> None:
        from datasets import Image

        super().__init__(Path(column), [f"row {index}" for index in range(len(table))])
        self._table, self._column = table.select_columns([column]).cast_column(column, Image(decode=False)), column

    def path(self, index: int) -> str:
        """Return the name of an image for messages."""
        return f"{self.name(index)} of '{self._column}'"

    def open(self, index: int) -> "Image.Image":
        """Open an image without reading its pixels."""
        found = self._table[int(index)][self._column]
        return open_picture(io.BytesIO(found["bytes"]) if found["bytes"] is not None else found["path"])

    def choose(self, indices: Iterable[int]) -> "HubFiles":
        """Return some of the files."""
        return HubFiles(self._table.select([int(index) for index in indices]), self._column)

    def all_grey(self) -> bool:
        """Return whether the first images have no colour. Images that cannot be read do not count."""
        modes = set()
        for index in range(min(len(self), LOOKED_AT)):
            with suppress(Exception), self.open(index) as picture:  # a broken file can make Pillow raise any exception
                modes.add(picture.mode)
        return bool(modes) and modes <= {"1", "L", "LA", "I;16"}


def load(repository: str, config: str | None, split: str) -> Any:
    """Download a data set, if it is not there yet, and open a part of it. Raises `BadInput` and `Unavailable`."""
    name, revision = parse(repository)
    try:
        import datasets
    except ImportError as error:
        raise needs_package(f"hf:{repository}", "datasets") from error
    try:
        return datasets.load_dataset(name, config, split=split, revision=revision)
    except datasets.exceptions.DatasetNotFoundError as error:
        raise BadInput(
            f"there is no data set '{repository}' on the Hub that you may read: {first_line(error)}"
        ) from error
    except ValueError as error:  # an unknown config or split, which it names with those that there are
        raise BadInput(f"hf:{repository}: {first_line(error)} (data.config, data.split)") from error
    except Exception as error:  # the client, fsspec and pyarrow each have exceptions of their own
        raise Unavailable(f"hf:{repository} cannot be downloaded or read ({first_line(error)})") from error


def parse(repository: str) -> tuple[str, str | None]:
    """Return owner/name and the revision, None for the newest. Raises `BadInput` for anything else."""
    if found := REPOSITORY.fullmatch(repository):
        return found[1], found[2]
    raise BadInput(f"a data set of the Hub is written hf:owner/name or hf:owner/name@revision, got 'hf:{repository}'")


def find_commit(repository: str) -> str | None:
    """Return the commit of a data set, which tells whether it changed; None where the Hub cannot be asked."""
    from huggingface_hub import HfApi

    name, revision = parse(repository)
    with suppress(Exception):  # offline, what was downloaded before is used as it is
        return HfApi().dataset_info(name, revision=revision).sha
    return None


def find_images(table: Any, repository: str) -> str:
    """Return the first column with images. Raises `BadInput` if there is none."""
    from datasets import Image

    columns: list[str] = [name for name, feature in table.features.items() if isinstance(feature, Image)]
    if not columns:
        raise BadInput(f"hf:{repository} has no column of images; it has {', '.join(table.features)}")
    return columns[0]


def read_labels(
    table: Any, repository: str, label: str | Sequence[str] | None
) -> "tuple[dict[str, Tensor], dict[str, list[str]]]":
    """Return the labels (n,) by key, and the names of the classes of those that have some."""
    from datasets import ClassLabel

    if label is None:
        found = [name for name, feature in table.features.items() if isinstance(feature, ClassLabel)]
        label = found[0] if len(found) == 1 else found
    keys = {LABEL: label} if isinstance(label, str) else {to_key(name): name for name in label}
    values: dict[str, Tensor] = {}
    classes: dict[str, list[str]] = {}
    for key, name in keys.items():
        values[key], names = read_column(table, repository, name)
        classes |= {key: names} if names else {}
    return values, classes


def read_column(table: Any, repository: str, name: str) -> "tuple[Tensor, list[str]]":
    """Return the labels of one column, and the names of its classes; none for amounts. Raises `BadInput`."""
    import torch
    from datasets import ClassLabel, Value

    features: Mapping[str, Any] = table.features
    if name not in features:
        raise BadInput(f"hf:{repository} has no column '{name}' for data.label; {suggest(name, features)}")
    feature, column = features[name], table.with_format(None)[name][:]
    if isinstance(feature, ClassLabel):
        return torch.tensor(column), list(feature.names)
    if not isinstance(feature, Value) or any(each is None for each in column):
        raise BadInput(f"hf:{repository}: the column '{name}' holds no labels, or not for every image")
    if feature.dtype.startswith(("float", "int", "uint")):
        return torch.tensor(column, dtype=torch.float32), []
    numbers, names = number_words([str(each) for each in column])
    return torch.from_numpy(numbers), names


def first_line(error: Exception) -> str:
    """Return what an error says first."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
