"""Whether networks, losses and data fit together, and whose fault it is where something breaks."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ganzoo._faults import is_out_of_memory, network_name, worker_died
from ganzoo.contract import Generator, Step
from ganzoo.engine.settings import SIDES, Train
from ganzoo.errors import BadInput, Failed


def check_players(generator: nn.Module, discriminator: nn.Module) -> None:
    """Whether the two can play at all; else `BadInput`.

    Every parameter belongs to exactly one side, or freezing one would freeze the other.
    """
    if not isinstance(generator, Generator):
        raise BadInput(f"the generator is a {type(generator).__name__}; it must be a subclass of ganzoo.Generator")
    for key, count in generator.categorical.items():
        if not isinstance(count, int) or count < 1:
            raise BadInput(f"the generator's categorical '{key}' has {count!r} values; it needs 1 or more")
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            if isinstance(parameter, nn.UninitializedParameter):
                raise BadInput(f"{network_name(network)} has a lazy layer ('{name}'): give it its size")
    own = {id(parameter): name for name, parameter in generator.named_parameters()}
    for name, parameter in discriminator.named_parameters():
        if id(parameter) in own:
            raise BadInput(f"generator and discriminator share a parameter ({own[id(parameter)]} is {name})")


def check_fit(step: Step) -> None:
    """Whether the data has what the networks need and the shape that the generator makes; else `BadInput`."""
    for side in SIDES:
        for key in getattr(getattr(step, side), "needs", ()):
            if key not in step.batch:
                raise BadInput(f"the {side} needs '{key}' in every batch; the data has {', '.join(step.batch)}")
    makes = step.generator.makes
    fakes = {makes: step.fake} if isinstance(makes, str) else step.fake
    if isinstance(fakes, Tensor) or (not isinstance(makes, str) and set(makes) - fakes.keys()):
        raise BadInput(f"the generator says that it makes {makes}; its forward must return a dict with these keys")
    for key, fake in fakes.items():
        real = step.batch.get(key)
        if isinstance(fake, Tensor) and real is not None and fake.shape != real.shape:
            shapes = f"{tuple(fake.shape)}, the data has {tuple(real.shape)}"
            raise BadInput(f"the generator makes '{key}' of shape {shapes}")


@contextmanager
def eval_mode(networks: Iterable[nn.Module]) -> Iterator[None]:
    """All networks in `eval()` for a while; each of their modules then gets its own mode back."""
    modes = [(module, module.training) for network in networks for module in network.modules()]
    for module, _ in modes:
        module.training = False
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def preserve_buffers(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Whatever a forward pass inside does to buffers, such as the means of batch norm, is undone."""
    kept = [(network, name, buffer.clone()) for network in networks for name, buffer in network.named_buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for network, name, buffer in kept:
                network.get_buffer(name).copy_(buffer)


@contextmanager
def resource_errors(train: Train, own_batches: bool = False) -> Iterator[None]:
    """Turn want of memory and dead data readers, which may show anywhere, into a sentence that says what to do.

    `own_batches` says that Python code decides how many samples a batch has, and not `train.batch`.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if worker_died(error):
            raise Failed(f"a process that reads the data died: {error}") from error
        if not is_out_of_memory(error):
            raise
        size = "these batches" if own_batches else f"train.batch={train.batch}"
        raise BadInput(f"out of memory with {size}; {memory_advice(train, own_batches)}") from error


def memory_advice(train: Train, own_batches: bool = False) -> str:
    """What needs less memory than these settings."""
    if own_batches:
        return f"try smaller batches or train.accumulate={2 * train.accumulate} (the same update in less memory)"
    parts = next((n for n in range(2 * train.accumulate, train.batch) if train.batch % n == 0), None)
    batch = train.batch // 2 // train.accumulate * train.accumulate
    smaller = [f"train.accumulate={parts} (the same update in less memory)"] * bool(parts)
    smaller += [f"train.batch={batch}"] * bool(batch)
    return "try " + (" or ".join(smaller) or "smaller networks")
