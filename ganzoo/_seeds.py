"""Random generators that are a pure function of words and numbers, so that nothing depends on what ran before."""

import hashlib

import torch


def seed_of(*words: object) -> int:
    """A 32-bit seed from any words and numbers.

    torch's CPU generator looks at the lowest 32 bits of its seed only, so parts cannot just be shifted together.
    """
    return int.from_bytes(hashlib.sha256(repr(words).encode()).digest()[:4], "big")


def make_rng(*words: object) -> torch.Generator:
    """A CPU random generator of its own for these words and numbers."""
    return torch.Generator().manual_seed(seed_of(*words))
