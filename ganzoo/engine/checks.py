"""Checks that networks, losses and data fit together, and errors of hardware in words that help."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from ganzoo._faults import is_out_of_memory, network_name, worker_died
from ganzoo.contract import Generator, Step
from ganzoo.engine.processes import Processes
from ganzoo.engine.settings import LABELS, SIDES, Train
from ganzoo.errors import BadInput, Diverged, Failed, NoLabels, suggest


def check_players(generator: nn.Module, discriminator: nn.Module) -> None:
    """Raise `BadInput` if these two networks cannot play against each other.

    No parameter may belong to both sides: freezing one side would freeze the other.
    """
    if not isinstance(generator, Generator):
        raise BadInput(f"the generator is a {type(generator).__name__}; it must be a subclass of ganzoo.Generator")
    labels = getattr(generator, "labels", "real")
    if isinstance(labels, str) and labels not in LABELS:  # a network of that name is the author's own
        raise BadInput(f"the generator's labels are {labels!r}; {suggest(labels, LABELS)}")
    for key, count in generator.categorical.items():
        if not isinstance(count, int) or count < 1:
            raise BadInput(f"the generator's categorical '{key}' has {count!r} values; it needs 1 or more")
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            if isinstance(parameter, nn.UninitializedParameter):
                raise BadInput(f"{network_name(network)} has a lazy layer ('{name}'): give it its size")
    names = {id(parameter): name for name, parameter in generator.named_parameters()}
    for name, parameter in discriminator.named_parameters():
        if id(parameter) in names:
            raise BadInput(f"generator and discriminator share a parameter ({names[id(parameter)]} is {name})")


def check_one_kind_of_device(processes: Processes, device: torch.device) -> None:
    """Raise `BadInput` in all processes if some would train on another kind of device."""
    kinds = processes.all_gather(device.type)
    with processes.raise_on_all_ranks():
        if len(set(kinds)) > 1:
            raise BadInput(f"all processes must train on one kind of device, not on {', '.join(kinds)}; see --device")


def choose_labels(generator: Generator, labels: Literal["real", "drawn"] | None) -> None:
    """Let the fakes of a training have these labels; by default as the generator says.

    Raises `BadInput` for labels to be drawn where the generator draws none.
    """
    if labels == "drawn" and not generator.categorical:
        raise BadInput("train.labels is 'drawn', but this generator draws no labels: it has nothing categorical")
    if isinstance(getattr(generator, "labels", None), nn.Module) and labels:
        raise BadInput("train.labels goes with no generator that has a network called 'labels'")
    if labels:
        generator.labels = labels


def check_fit(step: Step) -> None:
    """Raise `BadInput` if the data lack what a network needs, or have another shape than the generator makes."""
    for side in SIDES:
        for key in getattr(getattr(step, side), "needs", ()):
            if key not in step.batch:
                error = NoLabels if key == "label" else BadInput
                raise error(f"the {side} needs '{key}' in every batch; the data has {', '.join(step.batch)}")
    for use in ("needs", "takes"):
        check_stated_shapes(getattr(step.generator, use, ()), use, step.batch)
    for key, fake in fakes_by_key(step).items():
        real = step.batch.get(key)
        if real is not None and fake.shape != real.shape:
            shapes = f"{tuple(fake.shape)}, the data has {tuple(real.shape)}"
            raise BadInput(f"the generator makes '{key}' of shape {shapes}")


def check_stated_shapes(stated: Iterable[str], use: str, batch: Mapping[str, Tensor]) -> None:
    """Raise `BadInput` if the generator states that a key has another shape than the data have."""
    for key, spec in stated.items() if isinstance(stated, Mapping) else ():
        if key in batch and (shape := tuple(batch[key].shape[1:])) != tuple(spec.shape):
            raise BadInput(f"the generator {use} '{key}' of shape {tuple(spec.shape)}, the data has {shape}")


def fakes_by_key(step: Step) -> dict[str, Tensor]:
    """Return the generated samples by the batch key that they imitate. Raises `BadInput` if `makes` says another."""
    makes, fake = step.generator.makes, step.fake
    if isinstance(makes, str):
        if isinstance(fake, Tensor):
            return {makes: fake}
        advice = "say so in makes, or return (samples, extras) for what is not a sample"
        keys = ", ".join(map(repr, fake))
        raise BadInput(
            f"the generator says that it makes '{makes}', and its forward returns a dict of {keys}: {advice}"
        )
    if isinstance(fake, Tensor) or set(makes) - fake.keys():
        raise BadInput(f"the generator says that it makes {makes}; its forward must return a dict with these keys")
    return dict(fake)


def check_finite(networks: Sequence[nn.Module], losses: Iterable[nn.Module], index: int) -> None:
    """Raise `Diverged` if a weight of the networks is not finite, or a buffer of networks or losses has a NaN."""
    weights = [weight.isfinite().all() for network in networks for weight in network.parameters()]
    if not torch.stack(weights).all():
        where = next(find_infinite(networks), "")
        raise Diverged(f"training diverged: a weight is not a finite number after step {index}{where}")
    # Infinities are allowed in buffers: masks have them.
    buffers = [~buffer.isnan().any() for module in (*networks, *losses) for buffer in module.buffers()]
    if buffers and not torch.stack(buffers).all():
        raise Diverged(f"training diverged: a buffer has a NaN after step {index}")


def find_infinite(networks: Sequence[nn.Module]) -> Iterator[str]:
    """Yield the name of each weight of the generator and the discriminator that is not finite, in words."""
    for side, network in zip(("generator", "discriminator"), networks, strict=True):
        for name, weight in network.named_parameters():
            if not weight.isfinite().all():
                yield f": the {side}'s {name}"


@contextmanager
def eval_mode(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Put all modules of the networks into `eval()`; afterwards each has its own mode again."""
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
    """Undo afterwards what forward passes inside do to buffers, such as the running means of batch norm."""
    kept = [(network, name, buffer.clone()) for network in networks for name, buffer in network.named_buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for network, name, buffer in kept:
                network.get_buffer(name).copy_(buffer)


@contextmanager
def resource_errors(train: Train, own_batches: bool = False) -> Iterator[None]:
    """Turn lack of memory into `BadInput` with advice, and the death of a data worker into `Failed`.

    Torch raises both in whatever code runs at that moment. With `own_batches`, Python code decides how many samples a
    batch has, and not `train.batch`.
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
    """Return which settings need less memory than these."""
    if own_batches:
        return f"try smaller batches or train.accumulate={2 * train.accumulate} (the same update in less memory)"
    parts = next((n for n in range(2 * train.accumulate, train.batch) if train.batch % n == 0), None)
    batch = train.batch // 2 // train.accumulate * train.accumulate
    smaller = [f"train.accumulate={parts} (the same update in less memory)"] * bool(parts)
    smaller += [f"train.batch={batch}"] * bool(batch)
    return "try " + (" or ".join(smaller) or "smaller networks")
