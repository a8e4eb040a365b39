"""The generator of StyleGAN3 in its translation-equivariant form, T (Karras et al. 2021).

Every layer treats its maps as samples of a continuous signal, so that details move with what they belong to. Noise,
mixing of styles and images of smaller sizes are gone, and the mapping is short (section 2).
"""

from math import log2

import torch
from torch import Tensor

from ganzoo.layers import LabelFacts, check_share, check_size
from ganzoo_stylegan.bands import CRITICAL, choose_layers
from ganzoo_stylegan.continuous import ContinuousSynthesis
from ganzoo_stylegan.styled import StyledGenerator

SMALLEST_SIDE = 16
"""Height and width in pixels of the smallest images."""


class Generator(StyledGenerator):
    """Map noise to images of shape (n, channels, side, side), without a last activation; data lie in [-1, 1].

    `latent_size`, `w_size`, `mapping_layers`, `mapping_rate` and `conditional` as in StyleGAN2. Maps as detailed as the
    image have `width` channels; coarser ones have more, in proportion to the finest detail, up to `max_width`. `layers`
    are those between the waves and the image; without it, as many as `choose_layers` says. Magnitudes of maps are
    averaged with `magnitude_decay` for each batch; 1 keeps them as they are.
    Raises `ValueError` for images whose side is not a power of two from 16 up, an option out of range, and data without
    labels where it is to be conditional.
    """

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int | None = None,
        conditions: LabelFacts | None = None,
        conditional: bool = False,
        latent_size: int = 512,
        w_size: int = 512,
        mapping_layers: int = 2,
        mapping_rate: float = 0.01,
        width: int = 32,
        max_width: int = 512,
        layers: int | None = None,
        magnitude_decay: float = 0.999,
    ) -> None:
        super().__init__(latent_size, w_size, mapping_layers, mapping_rate, classes, conditions, conditional)
        check_share(magnitude_decay=magnitude_decay)
        side = max(SMALLEST_SIDE, 2 ** round(log2(sum(image[1:]) / 2)))
        check_size(image[1:], (side, side), f"images must be squares with a power of two from {SMALLEST_SIDE} up")
        layers = choose_layers(side) if layers is None else layers
        if layers <= CRITICAL:
            raise ValueError(f"layers must be at least {CRITICAL + 1}, got {layers}")
        self.synthesis = ContinuousSynthesis(image[0], side, layers, width, max_width, w_size, magnitude_decay)
        self.style_count = layers + 2
        self.ranges = {"cutoff": (0, self.style_count)}

    def latent(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        """Draw what `n` images are made from: beside what all generators with styles have, "shift".

        It moves the image to the right and down by so many of its sides, (n, 2): by 0, if nothing else is given.
        """
        return super().latent(n, rng) | {"shift": torch.zeros(n, 2)}

    def forward(self, given: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return images, and beside them their styles "w", (n, styles, w_size)."""
        w = self.mapping(given["z"], given)
        styles = self.truncate(w[:, None].expand(-1, self.style_count, -1), given)
        return self.synthesis(styles, given["shift"]), {"w": styles}
