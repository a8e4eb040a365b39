"""Random generators seeded by words and numbers alone, so that no draw depends on what ran before it."""

import hashlib
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

GLOBAL_GENERATORS = threading.RLock()
"""Held while torch's global generators are borrowed: of two threads that overlap, each would see the other's draws, and
the last one would restore what the first had drawn from."""


def seed_of(*words: object) -> int:
    """Return a 32-bit seed for any words and numbers: the same ones always give the same seed.

    They are hashed, as torch's CPU generator uses only the lowest 32 bits of a seed: numbers shifted to higher bits
    would be ignored.
    """
    return int.from_bytes(hashlib.sha256(repr(words).encode()).digest()[:4], "big")


def make_rng(*words: object) -> torch.Generator:
    """Return a new CPU random generator, seeded with `seed_of(*words)`."""
    return torch.Generator().manual_seed(seed_of(*words))


@contextmanager
def preserve_global_generators(*devices: torch.device) -> Iterator[None]:
    """Restore afterwards the state of torch's global generators, on the CPU and these devices; one thread at a time."""
    with GLOBAL_GENERATORS, torch.random.fork_rng([device for device in devices if device.type == "cuda"]):
        yield


@contextmanager
def preserve_other_generators() -> Iterator[None]:
    """Restore afterwards the state of Python's global generator, and of numpy's where it is loaded.

    A constructor may draw from any of them. A sample may not: these would make it another in the next process, which a
    restored state would hide.
    """
    numpy_random = sys.modules.get("numpy.random")
    state, numpy_state = random.getstate(), numpy_random and numpy_random.get_state()
    try:
        yield
    finally:
        random.setstate(state)
        if numpy_random:
            numpy_random.set_state(numpy_state)
