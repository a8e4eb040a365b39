"""Random samples, batches of them, and the order that they should come in."""

from itertools import islice

import torch

from ganzoo._seeds import make_rng


def some(count, *shape, dtype=torch.uint8, seed=0):
    return torch.randint(0, 256, (count, *shape), generator=make_rng("test", seed)).to(dtype)


def take(batches, count):
    return list(islice(batches, count))


def same(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)


def plain_order(count, seed, epochs):
    """All positions of some epochs, one after the other."""
    return [i for e in range(epochs) for i in torch.randperm(count, generator=make_rng("epoch", seed, e)).tolist()]
