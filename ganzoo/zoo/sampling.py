"""Drawing samples from a generator: the same for the same seed, however many are drawn."""

import math
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from numbers import Real
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from ganzoo._faults import call_plugin, network_name
from ganzoo._memory import require_memory
from ganzoo._names import composed
from ganzoo._numbers import TOO_LARGE
from ganzoo._outputs import split_samples
from ganzoo._seeds import make_rng, preserve_global_generators, seed_of
from ganzoo.contract import Batch, Generator, Images
from ganzoo.data.batches import advice_on_labels
from ganzoo.dataset import NOTHING
from ganzoo.errors import BadInput, Diverged, Failed, allow, suggest
from ganzoo.kinds.outputs import Outputs

T = TypeVar("T")

BLOCK = 64
"""Latents are drawn in blocks of this many samples, each with a random generator of its own."""
MAX_BLOCKS, MAX_BLOCKS_ON_CPU = 16, 2
"""The most blocks in one call of the generator.

On a CPU larger activations are slower, since the system allocates their memory anew for every layer.
"""
MAX_VALUES = 2**20
"""The most values in the output of one call of several blocks."""

Blocks = Iterator[tuple[Images, dict[str, Tensor]]]
"""Samples piece by piece, each piece with what it was made from."""


def draw(
    generator: Generator,
    n: int,
    seed: int,
    device: torch.device,
    fixed: Mapping[str, Any],
    repeated: Mapping[str, Tensor] = NOTHING,
) -> Blocks:
    """Yield what the generator makes from the first `n` latents of a seed, piece by piece, with those latents.

    A piece is one or more blocks. Whole blocks are drawn and then cut, since torch draws other numbers for another
    count. `repeated` are inputs, which begin again with the first where there are fewer than `n`.
    """
    fixed = expand_fixed(generator, n, device, fixed, repeated)
    first, blocks = 0, 1
    while first < n:
        blocks = min(blocks, math.ceil((n - first) / BLOCK))
        part = slice(first, min(first + blocks * BLOCK, n))
        numbers = range(first // BLOCK, first // BLOCK + blocks)
        parts = [latents(generator, seed, number, device) for number in numbers]
        drawn = {key: torch.cat([each[key] for each in parts]) for key in parts[0]}
        given = {key: value[: part.stop - first] for key, value in drawn.items()}
        given |= {key: value[torch.arange(part.start, part.stop) % len(value)] for key, value in repeated.items()}
        given |= {key: value[part] for key, value in fixed.items()}
        given = Batch({key: value.to(device) for key, value in given.items()})
        with torch.no_grad(), global_random_state(seed_of("noise", seed, numbers[0]), device):
            made = generate(generator, given, fixed)
        yield made, given
        first, blocks = part.stop, blocks_per_call(made, part.stop - first, device)


def pieces(
    generator: Generator,
    n: int,
    seed: int,
    device: torch.device,
    fixed: Mapping[str, Any],
    outputs: Outputs,
    repeated: Mapping[str, Tensor] = NOTHING,
) -> Blocks:
    """Yield what `draw` yields, on the CPU in float32, and samples as users get them: images in [0, 1]."""
    for made, given in draw(generator, n, seed, device, fixed, repeated):
        yield outputs.to_public(concatenate([made])), concatenate([given])


def expand_fixed(
    generator: Generator,
    n: int,
    device: torch.device,
    fixed: Mapping[str, Any],
    repeated: Mapping[str, Any] = NOTHING,
) -> dict[str, Tensor]:
    """Return `n` values for each fixed key.

    Raises `BadInput` for a key or value that the generator cannot take, and for a missing key that it needs.
    """
    drawn = latents(generator, 0, 0, device)
    check_keys(generator, drawn, {**fixed, **repeated})
    expanded = {key: expand_value(key, as_tensor(key, value), drawn.get(key), n) for key, value in fixed.items()}
    check_ranges(generator, expanded)
    return expanded


def check_ranges(generator: Generator, fixed: Mapping[str, Tensor]) -> None:
    """Raise `BadInput` for a fixed value outside the range that the generator states of its key."""
    ranges = getattr(generator, "ranges", NOTHING)
    own = ranges if isinstance(ranges, Mapping) else NOTHING  # a network of that name is the author's
    ranges = {**generator.amounts, **own}
    for key in fixed.keys() & ranges:
        (low, high), values = ranges[key], fixed[key]
        wrong = values[(values < low) | (values > high)]
        if len(wrong):
            allowed = f"be {low:g} or more" if math.isinf(high) else f"lie in {low:g}..{high:g}"
            raise BadInput(f"'{key}' must {allowed}, got {wrong[0].item():g}")


def latents(generator: Generator, seed: int, number: int, device: torch.device) -> dict[str, Tensor]:
    """Draw the latents of one block; they depend on the seed and the number of the block alone."""
    with torch.no_grad(), global_random_state(seed_of("latent", seed, number), device):
        return generator.latent(BLOCK, make_rng("sample", seed, number))


def blocks_per_call(made: Images, n: int, device: torch.device) -> int:
    """Return how many blocks the next call should make, judged by `n` samples: many small ones, few large ones."""
    tensors = list(made.values()) if isinstance(made, dict) else [made]
    each = max(1, sum(tensor.numel() for tensor in tensors) // n)
    most = MAX_BLOCKS_ON_CPU if device.type == "cpu" else MAX_BLOCKS
    return max(1, min(most, MAX_VALUES // (each * BLOCK)))


@contextmanager
def global_random_state(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators (CPU and CUDA) inside; afterwards their state is as before."""
    with preserve_global_generators(device):
        # torch.manual_seed would also seed the devices whose state is not kept.
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.set_rng_state(torch.Generator(device).manual_seed(seed).get_state(), device)
        yield


def generate(generator: Generator, given: dict[str, Tensor], fixed: Mapping[str, Any]) -> Images:
    """Call the generator. Raises `BadInput`, which names the fixed keys, where torch cannot compute with them."""
    try:
        return cast("Images", split_samples(generator, call_plugin(network_name(generator), generator, given))[0])
    except Failed as error:
        if not (fixed and isinstance(error.__cause__, IndexError | RuntimeError)):
            raise
        reason = str(error.__cause__).partition("\n")[0]
        raise BadInput(f"this generator cannot take the given {', '.join(map(repr, fixed))}: {reason}") from error


def check_keys(generator: Generator, drawn: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    """Raise `BadInput` for a fixed key that the generator does not take, and for a needed one that is missing."""
    known = [*drawn, *generator.needs, *generator.takes]
    for key in fixed:
        if key not in known:
            raise BadInput(f"this generator has no '{key}' to fix; {suggest(key, known)}")
    missing = [key for key in generator.needs if key not in drawn and key not in fixed]
    if missing:
        example = ", ".join(f"{key}=..." for key in missing)
        raise BadInput(f"this generator needs {', '.join(map(repr, missing))}; fix it, such as sample(16, {example})")


def expand_value(key: str, value: Tensor, like: Tensor | None, n: int) -> Tensor:
    """Expand a fixed value to `n` samples: one value for all, or one for each."""
    if value.is_floating_point() and not value.isfinite().all():
        raise BadInput(f"'{key}' is fixed to a value that is not a finite number")
    shape, dtype = (value.shape[1:], value.dtype) if like is None else (like.shape[1:], like.dtype)
    if not torch.can_cast(value.dtype, dtype):
        takes = dtype if dtype.is_floating_point else "whole numbers"
        raise BadInput(f"'{key}' takes {takes}, got {value.dtype}")
    try:
        return value.to(dtype).expand(n, *shape)
    except RuntimeError as error:
        given, needed = tuple(value.shape), f"{n} x {tuple(shape)}"
        raise BadInput(f"'{key}' is fixed to values of shape {given}, which do not fit {needed}") from error


def parse_fixed(key: str, value: Any, classes: Sequence[str]) -> Any:
    """Return the numbers that a fixed value stands for: words, and numbers that are names of classes, are looked up.

    Tensors and arrays are left alone, as they hold the numbers that batches and samples have; a number of numpy's is
    one like Python's.
    """
    if isinstance(value, list | tuple):
        return [parse_fixed(key, each, classes) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int) and abs(value) >= TOO_LARGE:
        raise BadInput(f"'{key}' is fixed to a number that is too large")
    if classes and isinstance(value, str | Real):
        return class_number(key, value, classes)
    if not isinstance(value, str):
        return value
    if (number := parse_number(value)) is None:
        raise BadInput(f"'{key}' must be a number, or one for each sample, got {reprlib.repr(value)}")
    return number


def class_number(key: str, value: str | Real, classes: Sequence[str]) -> int:
    """Return the number of a class by its name, or, where no class is called by a number, that number itself."""
    text, names = composed(str(value)), list(map(composed, classes))
    if text in names:
        return names.index(text)
    number, named = parse_number(text), [parse_number(name) for name in classes]
    if any(each is not None for each in named):
        if number is not None and named.count(number) == 1:  # 7 for the class "07"
            return named.index(number)
    elif isinstance(number, int):
        return number
    meant = allow(classes) if number is not None else suggest(str(value), classes)  # no number is a misspelt one
    raise BadInput(f"'{key}' has no class {reprlib.repr(value)}; {meant}")


def parse_number(text: str) -> float | None:
    """Return the finite number that a text is, None for any other text."""
    for to_number in (int, float):
        with suppress(ValueError):
            number = to_number(text)
            return number if isinstance(number, int) or math.isfinite(number) else None
    return None


def as_tensor(key: str, value: Any) -> Tensor:
    """Return a fixed value as a tensor. Raises `BadInput` for anything but a number or numbers."""
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadInput(f"'{key}' must be a number, or one for each sample, got {reprlib.repr(value)}") from error


def check_categories(key: str, given: Any, count: int) -> None:
    """Raise `BadInput` for anything but one whole number in 0..count-1, or one for each sample.

    On a GPU a number outside would end the process with an assertion.
    """
    values = as_tensor(key, given)
    if advice := advice_on_labels(values):
        raise BadInput(f"'{key}' must be one whole number for each sample: {advice}")
    if not ((values >= 0) & (values < count)).all():
        raise BadInput(f"'{key}' must lie in 0..{count - 1}, one for each of the model's {count} classes")


def collect(parts: Iterable[T], n: int) -> list[T]:
    """Return all parts of `n` samples in a list. Raises `BadInput`, after the first one, where memory is too short.

    As all parts are concatenated later, twice their size is needed.
    """
    found: list[T] = []
    for part in parts:
        if not found:
            size, count = measure(part)
            require_memory(2 * n * size // count, f"{n:,} samples")
        found.append(part)
    return found


def measure(part: Any) -> tuple[int, int]:
    """Return the bytes that a part of the samples takes, and how many samples it has."""
    if isinstance(part, Tensor | np.ndarray):
        return part.nbytes, len(part)
    sizes = [measure(each) for each in (part.values() if isinstance(part, dict) else part)]
    return sum(size for size, _ in sizes), max((count for _, count in sizes), default=1)


def check_finite(samples: Images) -> None:
    """Raise `Diverged` for samples that are not finite numbers: no picture can show them."""
    if not are_finite(samples):
        raise Diverged(
            "the samples have values that are not finite numbers: the weights, or what is fixed, are too large"
        )


def are_finite(samples: Images) -> bool:
    """Return whether all values are finite. Some metrics ignore a NaN, others crash the process."""
    outputs = samples.values() if isinstance(samples, dict) else [samples]
    return all(bool(values.isfinite().all()) for values in outputs)


def concatenate(parts: Sequence[Any]) -> Any:
    """Concatenate tensors, or dicts of tensors, along the first axis, on the CPU and in float32 instead of halves."""
    if isinstance(parts[0], dict):
        return {key: concatenate([part[key] for part in parts]) for key in parts[0]}
    return torch.cat([part.float().cpu() if part.is_floating_point() else part.cpu() for part in parts])
