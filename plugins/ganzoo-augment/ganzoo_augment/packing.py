"""Packing: the discriminator judges several samples at once, and so notices when they are too much alike."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

import ganzoo
from ganzoo.layers import check_at_least_one

PACKED = ("image", "point")
"""The kinds of samples that are packed."""


class Pac(ganzoo.Loss):
    """Show the discriminator packs of `count` samples, all real or all fake (PacGAN, Lin et al. 2018, section 3).

    A pack has the samples' channels one after the other, (n / count, count x channels, height, width); of points it has
    their coordinates. There is one score for each pack. Other views come before this one in a recipe, since they alter
    single samples. Gradient penalties take the gradient with respect to each sample of a pack by itself.
    Raises `ValueError` for a batch that is no multiple of `count`, for samples other than images or points, and for
    generators with labels, of which a pack would have several.
    """

    def __init__(self, count: int = 2) -> None:
        super().__init__()
        check_at_least_one(count=count)
        self.count = count

    def seen_facts(self, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the facts with the shape of a pack."""
        packed = {key: facts[key] for key in PACKED if facts.get(key)}
        return {**facts, **{key: (self.count * shape[0], *shape[1:]) for key, shape in packed.items()}}

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for what cannot be packed."""
        if step.generator.makes not in PACKED:
            raise ValueError(f"packs are made of {' or '.join(PACKED)}s, not of {step.generator.makes}")
        if step.generator.categorical or step.generator.amounts:
            raise ValueError("a pack has no label of its own: take a generator without labels")
        if len(step.real) % self.count:
            raise ValueError(f"a batch of {len(step.real)} cannot be divided into packs of {self.count}")

    def view(self, step: ganzoo.Step, images: Tensor | dict[str, Tensor], given: dict[str, Tensor]) -> Tensor:
        """Return packs of samples that follow one another."""
        assert isinstance(images, Tensor)  # setup has refused all else
        return images.reshape(len(images) // self.count, self.count * images.shape[1], *images.shape[2:])
