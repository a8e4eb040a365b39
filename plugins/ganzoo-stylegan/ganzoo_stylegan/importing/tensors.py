"""Tensors in files of torch: what pickles say of them, and where their numbers lie. Nothing of a file is executed.

Three containers hold numbers: the zip archive that `torch.save` writes since 2020, the row of pickles before it, and
that row once more inside of a plain pickle, for each tensor by itself.
"""

import io
import zipfile
from collections.abc import Callable, Iterable
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ganzoo_stylegan.importing.pickles import DAMAGED, BadPickle, Call, Name, Persistent, read_pickle

MAGIC = 0x1950A86A20F9469CFC6C
"""The first number of a file of `torch.save` from before 2020."""
MAX_PICKLE_BYTES = 64_000_000
"""The largest description of tensors that is read from an archive; that of a generator has some kilobytes."""
MAX_AXES = 8
ARCHIVE = b"PK\x03\x04"
"""The first bytes of a zip archive."""
REBUILD = {Name("torch._utils", "_rebuild_tensor_v2"), Name("torch._utils", "_rebuild_tensor")}
PARAMETERS = {Name("torch._utils", "_rebuild_parameter"), Name("torch._utils", "_rebuild_parameter_with_state")}
INLINE = Name("torch.storage", "_load_from_bytes")
"""What a plain pickle calls with the bytes of a file of its own for each tensor."""
TYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
"""Storages of torch by the name of their class."""
MAX_COUNT = 2**48
LENGTH_BYTES = 8
Numbers = Callable[[str, int], bytes]
"""Returns so many bytes of the storage with a key."""
ReadAt = Callable[[int, int], bytes]
"""Returns so many bytes from a place in a file on."""
Storage = tuple[torch.dtype, str, int]
"""Type, key and length of a storage."""


class Container:
    """What a file of torch holds: the `content`, in which tensors are still descriptions, and their numbers.

    Tensors may share their numbers. All together may not be larger than twice the file, of `size` bytes.
    """

    def __init__(self, content: Any, numbers: Numbers, size: int) -> None:
        self.content, self._numbers, self._read = content, numbers, dict[str, Tensor]()
        self._left = 2 * size

    def tensor(self, value: Any) -> Tensor | None:
        """Return a copy of the tensor that a value of the content describes; None for what is not a tensor."""
        if isinstance(value, Call) and value.function in PARAMETERS and isinstance(value.arguments, tuple):
            return self.tensor(value.arguments[0]) if value.arguments else None
        if not isinstance(value, Call) or value.function not in REBUILD:
            return None
        storage, offset, size, stride = unpack(value.arguments, 4)[:4]
        part = view(self.storage(storage), offset, size, stride)
        self._left -= part.nbytes
        if self._left < 0:
            raise BadPickle("its tensors have far more numbers than the file")
        return part.clone(memory_format=torch.contiguous_format)

    def storage(self, value: Any) -> Tensor:
        """Return all numbers of a storage as a tensor of one axis. Raises `BadPickle` where they are not there."""
        if isinstance(value, Call) and value.function == INLINE:
            return read_inline(unpack(value.arguments, 1)[0])
        dtype, key, count = describe_storage(value)
        if key not in self._read:
            self._read[key] = to_tensor(self._numbers(key, count * dtype.itemsize), dtype)
        return self._read[key]


def open_container(path: Path) -> Container:
    """Open a file of torch, or a plain pickle. Raises `BadPickle` for any other file."""
    with path.open("rb") as file:
        if file.read(len(ARCHIVE)) == ARCHIVE:
            return open_archive(path)
        return read_row(file, lambda place, size: read_part(path, place, size))


def read_part(path: Path, place: int, size: int) -> bytes:
    """Return a part of a file."""
    with path.open("rb") as file:
        file.seek(place)
        return file.read(size)


def open_archive(path: Path) -> Container:
    """Open a zip archive of `torch.save`: one pickle, and a file with the numbers of each storage."""
    try:
        archive = zipfile.ZipFile(path)
        entries = {entry.filename: entry for entry in archive.infolist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadPickle("it is a damaged archive") from error
    found = [name for name in entries if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(found) != 1:
        raise BadPickle("it is an archive, but not one of torch: it has no data.pkl")
    folder = found[0].partition("/")[0]

    def read(name: str, least: int, most: int) -> bytes:
        entry = entries.get(f"{folder}/{name}")
        # torch never compresses; what is not compressed cannot be larger than the archive.
        if entry is None or entry.compress_type != zipfile.ZIP_STORED or not least <= entry.file_size <= most:
            raise BadPickle(f"its part '{name}' is missing, too large or not as torch writes it")
        try:
            return archive.read(entry)
        except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, OSError) as error:
            raise BadPickle(f"its part '{name}' is damaged") from error

    if f"{folder}/byteorder" in entries and read("byteorder", 0, 100).strip() != b"little":
        raise BadPickle("its numbers are in the order of another kind of machine (big-endian)")
    described = read_pickle(io.BytesIO(read("data.pkl", 1, MAX_PICKLE_BYTES)))
    return Container(described.content, lambda key, size: read(f"data/{key}", size, size), path.stat().st_size)


def read_row(file: BinaryIO, read_at: ReadAt) -> Container:
    """Read a plain pickle, or the row of pickles of an older `torch.save` with the numbers of storages behind it."""
    whole = file.seek(0, io.SEEK_END)
    file.seek(0)
    first = read_pickle(file).content
    if type(first) is not int or first != MAGIC:
        return Container(first, refuse_storage, whole)
    read_pickle(file)  # the version of the container
    read_pickle(file)  # the sizes of numbers on the machine that wrote it
    described, keys = read_pickle(file), read_pickle(file).content
    places = find_places(file, [describe_storage(each) for each in described.persistent], keys)

    def read(key: str, size: int) -> bytes:
        place, there = places.get(key, (0, -1))
        if there != size:
            raise BadPickle(f"the numbers of its storage '{key}' are missing")
        return read_at(place, size)

    return Container(described.content, read, whole)


def find_places(file: BinaryIO, storages: Iterable[Storage], keys: Any) -> dict[str, tuple[int, int]]:
    """Return where the numbers of each storage begin and how many bytes they are; each lies behind its length."""
    sizes, places = {key: (count, count * dtype.itemsize) for dtype, key, count in storages}, {}
    start, end = file.tell(), file.seek(0, io.SEEK_END)
    for key in keys if isinstance(keys, list) else ():
        count, size = sizes.get(key, (0, 0)) if isinstance(key, str) else (0, 0)
        file.seek(start)
        if int.from_bytes(file.read(LENGTH_BYTES), "little") != count or start + LENGTH_BYTES + size > end:
            raise BadPickle(DAMAGED)
        places[key] = (start + LENGTH_BYTES, size)
        start += LENGTH_BYTES + size
    return places


def read_inline(content: Any) -> Tensor:
    """Read the one storage in the bytes of a file of torch."""
    if not isinstance(content, bytes):
        raise BadPickle(DAMAGED)
    inner = read_row(io.BytesIO(content), lambda place, size: content[place : place + size])
    return inner.storage(inner.content)


def refuse_storage(key: str, size: int) -> bytes:
    """Raise `BadPickle`: a plain pickle has no storages outside of it."""
    raise BadPickle("it names numbers outside of the file")


def describe_storage(value: Any) -> Storage:
    """Return type, key and length of a storage that lies outside of a pickle."""
    word, cls, key, _, count, *view = unpack(value.key if isinstance(value, Persistent) else None, 5)
    is_known = isinstance(cls, Name) and cls.module == "torch" and cls.name in TYPES
    if word != "storage" or not is_known or not isinstance(key, str) or not is_count(count) or any(view):
        raise BadPickle(f"its numbers are of a kind that is not read ({cls if isinstance(cls, Name) else 'unknown'})")
    return TYPES[cls.name], key, count


def unpack(values: Any, least: int) -> tuple[Any, ...]:
    """Return the arguments of a call. Raises `BadPickle` where these are no tuple of that many or more."""
    if not isinstance(values, tuple) or len(values) < least:
        raise BadPickle("what it says of a tensor is not what torch writes")
    return values


def to_tensor(content: bytes, dtype: torch.dtype) -> Tensor:
    """Return bytes as a tensor of one axis."""
    return torch.frombuffer(bytearray(content), dtype=dtype) if content else torch.empty(0, dtype=dtype)


def view(storage: Tensor, offset: Any, size: Any, stride: Any) -> Tensor:
    """Return a part of a storage in a shape, without a copy. Raises `BadPickle` for a part that lies outside of it."""
    counts = [offset, *unpack(size, 0), *unpack(stride, 0)]
    if not all(map(is_count, counts)) or len(size) != len(stride) or len(size) > MAX_AXES:
        raise BadPickle("the shape of a tensor is not one")
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    count = prod(size)
    if count > len(storage) or (count and last >= len(storage)):
        raise BadPickle(f"a tensor of the shape {tuple(size)} is larger than its numbers")
    return storage.as_strided(size, stride, offset)


def is_count(value: Any) -> bool:
    """Return whether a value is a whole number from 0 to what a computer can count."""
    return type(value) is int and 0 <= value < MAX_COUNT
