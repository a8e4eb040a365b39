"""The weights of a generator: to and from a safetensors file, checked against the network that takes them."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor, nn

from ganzoo._io import read_bytes, sha256
from ganzoo.contract import Generator
from ganzoo.errors import Failed, Unavailable
from ganzoo.recipe.build import ResolvedClass
from ganzoo.zoo.config import CheckedWeights

FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
"""The types of numbers that may be infinite. Others that a file may have do not fit any generator."""


def serialize_weights(generator: nn.Module) -> bytes:
    """Return a generator's weights as the content of a safetensors file."""
    # Clones, since safetensors refuses tensors that share memory.
    weights = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in generator.state_dict().items()}
    return tensors_to_bytes(weights, metadata={"format": "pt"})


def read_weights(folder: Path, pinned: CheckedWeights) -> dict[str, Tensor]:
    """Read the tensors of a model folder.

    Raises `Unavailable` for a file that the config does not pin, and for numbers that are not finite.
    """
    path = folder / pinned.file
    if not path.is_file() or path.stat().st_size != pinned.size:
        raise Unavailable(f"{path} is missing or incomplete: config.json says {pinned.size:,} bytes")
    content = read_bytes(path)
    if sha256(content) != pinned.sha256:
        raise Unavailable(f"{path} is damaged: its sha256 is not the one in config.json")
    try:
        weights = tensors_from_bytes(content)
    except (SafetensorError, KeyError) as error:
        raise Unavailable(f"{path} is not a safetensors file that torch can read") from error
    if name := find_unsound(weights):
        raise Unavailable(f"{path} is damaged: '{name}' has a number that is not finite")
    return weights


def find_unsound(weights: Mapping[str, Tensor]) -> str:
    """Return the name of a tensor with a NaN or an infinite number, empty if there is none."""
    checked = {name: tensor for name, tensor in weights.items() if tensor.dtype in FLOATS}
    return next((name for name, tensor in checked.items() if not tensor.isfinite().all()), "")


def build_with_weights(
    part: ResolvedClass[Generator], facts: Mapping[str, Any], weights: Mapping[str, Tensor]
) -> Generator:
    """Build a generator for the `facts` of its data, and load weights. Raises `ValueError` where they do not fit.

    They are compared with a generator on the meta device first, which takes no memory: a config of a few bytes may ask
    for more than there is. (A few constructors fail there, as they compute with their own weights.)
    """
    with torch.random.fork_rng([]):
        with suppress(Failed), torch.device("meta"):
            check_weights_fit(part.make(**facts), weights)
        generator = part.make(**facts)
    check_weights_fit(generator, weights)
    generator.load_state_dict(weights)
    return generator


def check_weights_fit(generator: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Raise `ValueError` unless weights have exactly the names, shapes and types of a generator's own.

    float16 and bfloat16 are accepted for float32, to save space.
    """
    own = generator.state_dict()
    if other := sorted(own.keys() ^ weights.keys()):
        raise ValueError(f"'{other[0]}' is {'missing' if other[0] in own else 'too much'}")
    for name, tensor in own.items():
        halved = tensor.dtype == torch.float32 and weights[name].dtype in (torch.float16, torch.bfloat16)
        if weights[name].shape != tensor.shape:
            raise ValueError(f"'{name}' has the shape {tuple(weights[name].shape)}, not {tuple(tensor.shape)}")
        if weights[name].dtype != tensor.dtype and not halved:
            raise ValueError(f"'{name}' is {weights[name].dtype}, not {tensor.dtype}")
