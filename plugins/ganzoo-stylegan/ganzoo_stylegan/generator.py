"""The generator of StyleGAN2 (Karras et al. 2020): a mapping from noise to styles, and a synthesis of images from them.

Mixing of styles and truncation are those of StyleGAN (Karras et al. 2019, sections 3.1 and appendix B).
"""

from collections.abc import Iterable

import torch
from torch import Tensor

import ganzoo
from ganzoo.layers import check_at_least_one, check_classes, check_share, list_channels
from ganzoo_stylegan.mapping import Mapping
from ganzoo_stylegan.sizes import map_sizes
from ganzoo_stylegan.synthesis import Synthesis

CLASS_SHARE, CLASS_LEAST = 4, 8
"""Of how many batches the mean w of a class is taken: all classes together of this many times those that there are."""


class Generator(ganzoo.Generator):
    """Map noise to images of shape (n, channels, height, width), without a last activation; data lie in [-1, 1].

    `latent_size` is the length of the noise, `w_size` that of a style, and `mapping_layers` the layers from one to the
    other, which learn `mapping_rate` times as fast as the rest. The layer nearest the image has `width` channels; each
    size further from it has twice as many, up to `max_width`. In training, a share `mixing` of the images takes its
    later styles from a second noise vector. With `conditional` the labels of the data belong to the noise.
    Raises `ValueError` for an image size that does not halve evenly, an option out of range, and data without labels
    where it is to be conditional.
    """

    w_mean: Tensor

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int | None = None,
        conditional: bool = False,
        latent_size: int = 512,
        w_size: int = 512,
        mapping_layers: int = 8,
        mapping_rate: float = 0.01,
        width: int = 32,
        max_width: int = 512,
        mixing: float = 0.9,
    ) -> None:
        super().__init__()
        check_at_least_one(latent_size=latent_size, w_size=w_size)
        check_share(mixing=mixing)
        known = check_classes(conditional, classes)
        if known:
            self.needs, self.categorical = ("label",), {"label": known}
        self.latent_size, self.mixing = latent_size, mixing
        sizes = map_sizes(image)
        self.mapping = Mapping(latent_size, w_size, mapping_layers, mapping_rate, known)
        self.synthesis = Synthesis(image[0], sizes, list_channels(len(sizes), width, max_width)[::-1], w_size)
        self.ranges = dict.fromkeys(("crossover", "cutoff"), (0, self.synthesis.style_count))
        self.register_buffer("w_mean", torch.zeros(known, w_size) if known else torch.zeros(w_size))

    def latent(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        """Draw what `n` images are made from.

        "z" and "z2" are noise vectors, (n, latent_size); styles from number "crossover" on, (n,), come from "z2".
        Outside of training no style does. The first "cutoff" styles, (n,), are truncated by "truncation", (n,): all,
        by 1, which changes nothing; in training none. "noise" are the noise maps of all layers, (n, pixels), and
        "label" is a class, (n,), where labels are known.
        """
        drawn, styles = super().latent(n, rng), self.synthesis.style_count
        mixes = torch.rand(n, generator=rng) < (self.mixing if self.training else 0.0)
        return drawn | {
            "z2": torch.randn(n, self.latent_size, generator=rng),
            "crossover": torch.where(mixes, torch.randint(1, styles, (n,), generator=rng), styles),
            "truncation": torch.ones(n),
            "cutoff": torch.full((n,), styles),
            "noise": torch.randn(n, self.synthesis.noise_length, generator=rng),
        }

    def forward(self, given: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return images, and beside them their styles "w", (n, styles, w_size)."""
        styles = self.mix(given)
        if not self.training:
            styles = self.truncate(styles, given)
        return self.synthesis(styles, given["noise"]), {"w": styles}

    def mix(self, given: dict[str, Tensor]) -> Tensor:
        """Return the styles of each image: those of "z", and of "z2" from the crossover on (2019, section 3.1)."""
        label = given.get("label")
        both = None if label is None else torch.cat([label, label])
        first, second = self.mapping(torch.cat([given["z"], given["z2"]]), both).chunk(2)
        is_first = self.count_styles(given["z"]) < given["crossover"][:, None, None]
        return torch.where(is_first, first[:, None], second[:, None])

    def truncate(self, styles: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return styles drawn towards their mean: mean + truncation (w - mean) (2019, appendix B)."""
        mean = self.w_mean[given["label"]][:, None] if self.categorical else self.w_mean
        truncated = mean + given["truncation"][:, None, None] * (styles - mean)
        is_early = self.count_styles(styles) < given["cutoff"][:, None, None]
        return torch.where(is_early, truncated, styles)

    def count_styles(self, like: Tensor) -> Tensor:
        """Return the number of each style, (styles, 1)."""
        return torch.arange(self.synthesis.style_count, device=like.device)[:, None]

    def finish(self, batches: Iterable[dict[str, Tensor]]) -> None:
        """Find the mean style, of each class where labels are known: of 8,192 noise vectors, of fewer for each class.

        The authors keep a running mean in training. This one has no lag, since it is that of the averaged mapping, and
        is the same however the training was interrupted or divided among processes.
        """
        noise = [given["z"] for given in batches]
        if not self.categorical:
            self.w_mean.copy_(torch.stack([self.mapping(z, None).mean(0) for z in noise]).mean(0))
            return
        noise = noise[: max(CLASS_LEAST, CLASS_SHARE * len(noise) // len(self.w_mean))]
        for number, mean in enumerate(self.w_mean):
            labels = [torch.full((len(z),), number, device=z.device) for z in noise]
            means = [self.mapping(*each).mean(0) for each in zip(noise, labels, strict=True)]
            mean.copy_(torch.stack(means).mean(0))
