"""Real inputs: a few are kept with a run, from which its samples are made unless the user gives others."""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo._io import read_bytes
from ganzoo.contract import batch_length
from ganzoo.data.base import Data, normalize_images
from ganzoo.errors import Unavailable

MAX_KEPT, MAX_KEPT_BYTES = 64, 16_000_000
"""The most inputs that are kept; fewer where they are large."""
PIXELS = "pixels."
"""What the name of a tensor begins with in the file where 8 bits stand for numbers in [-1, 1]."""
LICENCE = "license"
"""The entry of the file's metadata with the licence of the data that the inputs are from."""
READ_BATCH = 64
"""Samples that are read at once."""


def choose_kept(samples: Mapping[str, Tensor], count: int | None) -> dict[str, Tensor]:
    """Return those of the first samples of an epoch that are kept, on the CPU; `count` is the length of the epoch.

    They are distinct, since no sample comes twice in an epoch.
    """
    size = sum(len(serialize_kept({key: value[:1]})) for key, value in samples.items())
    most = min(MAX_KEPT, count or MAX_KEPT, max(1, MAX_KEPT_BYTES // max(1, size)))
    return {key: value[:most].cpu().clone() for key, value in samples.items()}


def limit_count(n: int, inputs: Mapping[str, Tensor], drawn: Collection[str]) -> int:
    """Return `n`, or as many samples as differ where nothing is `drawn` for them: they are made from inputs alone."""
    return n if drawn else min([n, *map(len, inputs.values())])


def read_real(
    data: Data, keys: Collection[str], n: int, seed: int, max_bytes: int | None = None, used: int = 0
) -> dict[str, Tensor]:
    """Return some keys of `n` samples of the data in the order of a seed, after the first `used`, on the CPU.

    With `max_bytes` these are fewer where they would need more memory.
    """
    read: list[dict[str, Tensor]] = []
    with closing(data.batches(READ_BATCH, seed, used)) as batches:
        while sum(map(batch_length, read)) < n and not (max_bytes and size_of(read) >= max_bytes):
            found = call_plugin("the data", next, batches)
            read.append({key: found[key].cpu() for key in keys})
    return {key: torch.cat([each[key] for each in read])[:n] for key in keys}


def size_of(batches: Sequence[Mapping[str, Tensor]]) -> int:
    """Return the bytes of memory that batches take."""
    return sum(value.nbytes for batch in batches for value in batch.values())


def serialize_kept(inputs: Mapping[str, Tensor], licence: str | None = None) -> bytes:
    """Return kept inputs as the content of a safetensors file; images of 8 bits take 8 bits.

    `licence` is that of their data, "" where these state none: the run may go on with others.
    """
    found: dict[str, Tensor] = {}
    for key, value in inputs.items():
        pixels = to_pixels(value)
        found[key if pixels is None else PIXELS + key] = (value if pixels is None else pixels).contiguous().clone()
    return tensors_to_bytes(found, None if licence is None else {LICENCE: licence})


def to_pixels(values: Tensor) -> Tensor | None:
    """Return images in [-1, 1] as uint8 where that loses nothing, else None."""
    if not values.is_floating_point() or values.dim() < 3:
        return None
    pixels = values.add(1).mul(127.5).round().clamp(0, 255).byte()
    return pixels if torch.equal(normalize_images(pixels), values) else None


def parse_kept(content: bytes, path: Path) -> dict[str, Tensor]:
    """Return the inputs of a file, as networks see them. Raises `Unavailable` for a damaged one."""
    try:
        found = tensors_from_bytes(content)
    except (SafetensorError, KeyError) as error:
        raise Unavailable(f"{path} is not a safetensors file that torch can read") from error
    lengths = {value.shape[:1] for value in found.values()}
    if len(lengths) != 1 or not next(iter(lengths)) or 0 in next(iter(lengths)):
        raise Unavailable(f"{path} does not have the same number of each input")
    return {
        key.removeprefix(PIXELS): normalize_images(value) if key.startswith(PIXELS) else value
        for key, value in found.items()
    }


def licence_of(content: bytes) -> str | None:
    """Return the licence under which a file's inputs were kept, "" for none; None where the file says nothing of it."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    licence = header.get("__metadata__", {}).get(LICENCE)
    return None if licence is None else str(licence)


def read_kept(path: Path) -> dict[str, Tensor]:
    """Read the inputs of a file. Raises `BadInput` and `Unavailable` where that is not possible."""
    return parse_kept(read_bytes(path), path)
