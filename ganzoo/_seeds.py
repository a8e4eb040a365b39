"""Random generators seeded by words and numbers alone, so that no draw depends on what ran before it."""

import hashlib

import torch


def seed_of(*words: object) -> int:
    """Return a 32-bit seed for any words and numbers: the same ones always give the same seed.

    They are hashed, as torch's CPU generator uses only the lowest 32 bits of a seed: numbers shifted to higher bits
    would be ignored.
    """
    return int.from_bytes(hashlib.sha256(repr(words).encode()).digest()[:4], "big")


def make_rng(*words: object) -> torch.Generator:
    """Return a new CPU random generator, seeded with `seed_of(*words)`."""
    return torch.Generator().manual_seed(seed_of(*words))
