"""The weights of a generator: to and from a safetensors file, checked against the network that takes them."""

import itertools
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.nn.parameter import UninitializedParameter

from ganzoo._io import read_bytes, sha256
from ganzoo._seeds import preserve_global_generators, preserve_other_generators
from ganzoo.errors import Failed, Unavailable
from ganzoo.recipe.build import ResolvedClass
from ganzoo.zoo.config import CheckedDiscriminatorWeights, CheckedWeights
from ganzoo.zoo.outline import outlining

N = TypeVar("N", bound=nn.Module)
MANY = 1_000_000
"""An option up to this number is tried in any case: it may be a seed."""
SOME = 1000
"""Parameters that a constructor may make in any case, beyond those that it keeps: a pretrained network has hundreds."""
MILLIONS = 200_000_000
"""Numbers that these parameters may have together."""


def serialize_weights(network: nn.Module, half: bool = False) -> bytes:
    """Return a network's weights as the content of a safetensors file, with `half` those of float32 as float16."""
    # Clones, since safetensors refuses tensors that share memory.
    weights = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in network.state_dict().items()}
    if half:
        weights = {name: halve(tensor) for name, tensor in weights.items()}
    return tensors_to_bytes(weights, metadata={"format": "pt"})


def halve(tensor: Tensor) -> Tensor:
    """Return a tensor of float32 as float16, unless a number in it is too large for that."""
    halved = tensor.half() if tensor.dtype == torch.float32 else tensor
    return halved if torch.equal(halved.isfinite(), tensor.isfinite()) else tensor


def read_weights(folder: Path, pinned: CheckedWeights | CheckedDiscriminatorWeights) -> dict[str, Tensor]:
    """Read the tensors of a model folder. Raises `Unavailable` for a file that the config does not pin."""
    path = folder / pinned.file
    if not path.is_file() or path.stat().st_size != pinned.size:
        raise Unavailable(f"{path} is missing or incomplete: config.json says {pinned.size:,} bytes")
    content = read_bytes(path)
    if sha256(content) != pinned.sha256:
        raise Unavailable(f"{path} is damaged: its sha256 is not the one in config.json")
    try:
        return tensors_from_bytes(content)
    except (SafetensorError, KeyError) as error:
        raise Unavailable(f"{path} is not a safetensors file that torch can read") from error


def find_unsound(generator: nn.Module) -> str:
    """Return the name of a parameter that is not finite or of a buffer with a NaN, empty if there is none.

    Infinities are allowed in buffers: masks have them.
    """
    infinite = (name for name, parameter in generator.named_parameters() if not parameter.isfinite().all())
    no_numbers = (name for name, buffer in generator.named_buffers() if buffer.isnan().any())
    return next(itertools.chain(infinite, no_numbers), "")


def build_with_weights(part: ResolvedClass[N], facts: Mapping[str, Any], weights: Mapping[str, Tensor]) -> N:
    """Build a network for the `facts` of its data, and load weights. Raises `ValueError` where they do not fit.

    A config of a few bytes may ask for more than there is. So its numbers are compared with those in the file, then the
    weights with a network on the meta device, which takes no memory. (A few constructors fail there, as they compute
    with their own weights.)
    """
    check_numbers_fit({**facts, **part.options}, weights)
    limit = limit_parameters(4 * len(weights) + SOME, 4 * sum(map(Tensor.numel, weights.values())) + MILLIONS)
    with preserve_global_generators(), preserve_other_generators(), limit:
        with suppress(Failed), outlining():
            check_weights_fit(part.make(**facts), weights)
        network = part.make(**facts)
    check_weights_fit(network, weights)
    network.load_state_dict(weights)
    return network


def check_numbers_fit(options: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Raise `ValueError` for an option, or a length in one, that is larger than the number of all weights.

    Widths, depths and counts are smaller; a constructor may need time or memory for each unit of them.
    """
    most = max(MANY, sum(tensor.numel() for tensor in weights.values()))
    for key, value in options.items():
        for number in integers(value):
            if abs(number) > most:
                raise ValueError(f"'{key}' asks for {number:,}, the file has {most:,} numbers at most")


def integers(value: Any) -> Iterator[int]:
    """Yield all integers in a value, and in tables and lists in it."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from integers(item)


@contextmanager
def limit_parameters(most: int, numbers: int) -> Iterator[None]:
    """Raise `ValueError` in a constructor that this thread calls inside and that makes more than `most` parameters.

    The same where these have more than so many `numbers` together: a constructor that cannot run without memory would
    need memory for them.
    """
    thread, count, sizes = threading.get_ident(), itertools.count(1), [numbers]

    def check(module: nn.Module, name: str, parameter: object) -> None:
        if threading.get_ident() != thread:
            return
        if isinstance(parameter, Tensor) and not (parameter.is_meta or isinstance(parameter, UninitializedParameter)):
            sizes[0] -= parameter.numel()
        if next(count) > most or sizes[0] < 0:
            raise ValueError("it has far more layers than the file")

    hook = register_module_parameter_registration_hook(check)
    try:
        yield
    finally:
        hook.remove()


def check_weights_fit(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Raise `ValueError` unless weights have exactly the names, shapes and types of a network's own.

    float16 and bfloat16 are accepted for float32, to save space.
    """
    own = network.state_dict()
    if other := sorted(own.keys() ^ weights.keys()):
        raise ValueError(f"'{other[0]}' is {'missing' if other[0] in own else 'too much'}")
    for name, tensor in own.items():
        if misfit := find_misfit(name, tensor, weights[name]):
            raise ValueError(misfit)


def find_misfit(name: str, own: Tensor, weight: Tensor) -> str:
    """Return why a weight cannot take the place of a network's own, in words; empty where it can."""
    halved = own.dtype == torch.float32 and weight.dtype in (torch.float16, torch.bfloat16)
    if weight.shape != own.shape:
        return f"'{name}' has the shape {tuple(weight.shape)}, not {tuple(own.shape)}"
    return f"'{name}' is {weight.dtype}, not {own.dtype}" if weight.dtype != own.dtype and not halved else ""
