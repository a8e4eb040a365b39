"""What generators with styles share: the mapping from noise, the mean style, and truncation (Karras et al. 2019)."""

from collections.abc import Iterable

import torch
from torch import Tensor

import ganzoo
from ganzoo.layers import LabelFacts, check_at_least_one, find_conditions
from ganzoo_stylegan.mapping import StyleMapping

CLASS_SHARE, CLASS_LEAST = 4, 8
"""Of how many batches the mean w of a class is taken: all classes together of this many times those that there are."""


class StyledGenerator(ganzoo.Generator):
    """A mapping from noise z, and perhaps a label, to styles w, which are truncated outside of training.

    Options as in `StyleMapping`; with `conditional` the labels of the data belong to the noise, one or several. A
    derived class sets `style_count`, the number of styles of one image, and `ranges`. Raises `ValueError` for an option
    out of range, and data without labels where it is to be conditional.
    """

    w_mean: Tensor
    style_count: int

    def __init__(
        self,
        latent_size: int,
        w_size: int,
        mapping_layers: int,
        mapping_rate: float,
        classes: int | None = None,
        conditions: LabelFacts | None = None,
        conditional: bool = False,
    ) -> None:
        super().__init__()
        check_at_least_one(latent_size=latent_size, w_size=w_size)
        known = find_conditions(conditional, classes, conditions)
        if known:
            self.needs, self.categorical, self.amounts = known.needs, known.categorical, known.amounts
        self.by_class = known.single if known else None
        self.latent_size = latent_size
        self.mapping = StyleMapping(latent_size, w_size, mapping_layers, mapping_rate, known)
        means = (known.count, w_size) if known and self.by_class else (w_size,)
        self.register_buffer("w_mean", torch.zeros(means))

    def latent(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        """Draw what `n` images are made from.

        "z" is a noise vector, (n, latent_size), with labels, (n,), where these are known. The first "cutoff"
        styles, (n,), are truncated by "truncation", (n,): all, by 1, which changes nothing; in training none.
        """
        return super().latent(n, rng) | {"truncation": torch.ones(n), "cutoff": torch.full((n,), self.style_count)}

    def truncate(self, styles: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return styles drawn towards their mean: mean + truncation (w - mean) (2019, appendix B); in training as is.

        `styles` have the shape (n, style_count, w_size).
        """
        if self.training:
            return styles
        mean = self.w_mean if self.by_class is None else self.w_mean[given[self.by_class]][:, None]
        truncated = mean + given["truncation"][:, None, None] * (styles - mean)
        is_early = self.count_styles(styles) < given["cutoff"][:, None, None]
        return torch.where(is_early, truncated, styles)

    def count_styles(self, like: Tensor) -> Tensor:
        """Return the number of each style, (styles, 1)."""
        return torch.arange(self.style_count, device=like.device)[:, None]

    def finish(self, batches: Iterable[dict[str, Tensor]]) -> None:
        """Find the mean style, of each class of a single label: of 8,192 noise vectors, of fewer for each class.

        The authors keep a running mean in training. This one has no lag, since it is that of the averaged mapping, and
        is the same however the training was interrupted or divided among processes.
        """
        if self.by_class is None:
            self.w_mean.copy_(torch.stack([self.mapping(each["z"], each).mean(0) for each in batches]).mean(0))
            return
        noise = [given["z"] for given in batches]
        noise = noise[: max(CLASS_LEAST, CLASS_SHARE * len(noise) // len(self.w_mean))]
        for number, mean in enumerate(self.w_mean):
            labels = [{self.by_class: torch.full((len(z),), number, device=z.device)} for z in noise]
            means = [self.mapping(*each).mean(0) for each in zip(noise, labels, strict=True)]
            mean.copy_(torch.stack(means).mean(0))
