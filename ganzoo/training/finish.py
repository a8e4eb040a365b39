"""Finish a copy of the averaged generator before it is saved as a model (`Generator.finish`)."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from ganzoo._faults import call_plugin, network_name
from ganzoo._seeds import seed_of
from ganzoo.contract import Batch, Generator
from ganzoo.errors import BadInput
from ganzoo.zoo.sampling import BLOCK, global_random_state, latents
from ganzoo.zoo.weights import check_weights_fit, find_unsound

BATCHES = 128
"""The batches that a generator is given, of 64 samples each."""
_batches = ContextVar("batches", default=BATCHES)


@contextmanager
def limit_batches(count: int) -> Iterator[None]:
    """Give generators only so many batches inside, where what they find out does not matter."""
    token = _batches.set(count)
    try:
        yield
    finally:
        _batches.reset(token)


class Givens:
    """What samples are made from, batch by batch: latents of a seed, and inputs that are used again and again."""

    def __init__(self, generator: Generator, seed: int, device: torch.device, inputs: Mapping[str, Tensor]) -> None:
        self.generator, self.seed, self.device, self.inputs = generator, seed, device, inputs

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        for number in range(_batches.get()):
            rows = torch.arange(number * BLOCK, (number + 1) * BLOCK)
            given = latents(self.generator, self.seed, number, self.device)
            given |= {key: value[rows % len(value)] for key, value in self.inputs.items()}
            yield Batch({key: value.to(self.device) for key, value in given.items()})


def finish(generator: Generator, seed: int, device: torch.device, inputs: Mapping[str, Tensor]) -> Generator:
    """Return a finished copy of a generator, or the generator itself where its class has nothing to finish.

    No random generator of torch advances. Raises `BadInput` for a copy that could not be loaded again.
    """
    if not hasattr(type(generator), "finish"):
        return generator
    finished, name = copy.deepcopy(generator), network_name(generator)
    with torch.no_grad(), global_random_state(seed_of("finish", seed), device):
        call_plugin(name, finished.finish, Givens(generator, seed, device, inputs))
    try:
        check_weights_fit(generator, finished.state_dict())
    except ValueError as error:
        rule = "must keep names, shapes and types of all weights and buffers"
        raise BadInput(f"{name}: finish() {rule}: {error}") from error
    if unsound := find_unsound(finished):
        raise BadInput(f"{name}: finish() leaves '{unsound}' with a number that is not finite")
    return finished
