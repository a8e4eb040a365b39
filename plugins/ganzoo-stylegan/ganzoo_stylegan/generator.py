"""The generator of StyleGAN2 (Karras et al. 2020): a mapping from noise to styles, and a synthesis of images from them.

Mixing of styles and truncation are those of StyleGAN (Karras et al. 2019, sections 3.1 and appendix B).
"""

import torch
from torch import Tensor

from ganzoo.layers import LabelFacts, check_share, list_channels, make_palette
from ganzoo_stylegan.sizes import map_sizes
from ganzoo_stylegan.styled import StyledGenerator
from ganzoo_stylegan.synthesis import Synthesis


class Generator(StyledGenerator):
    """Map noise to images of shape (n, channels, height, width), without a last activation; data lie in [-1, 1].

    `latent_size` is the length of the noise, `w_size` that of a style, and `mapping_layers` the layers from one to the
    other, which learn `mapping_rate` times as fast as the rest. The layer nearest the image has `width` channels; each
    size further from it has twice as many, up to `max_width`. In training, a share `mixing` of the images takes its
    later styles from a second noise vector. With `conditional` the labels of the data belong to the noise. With
    `colours` an image is a mixture of so many colours, which its last style chooses, as a `Palette` makes it; 0: none.
    Raises `ValueError` for an image size that does not halve evenly, an option out of range, and data without labels
    where it is to be conditional.
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
        mapping_layers: int = 8,
        mapping_rate: float = 0.01,
        width: int = 32,
        max_width: int = 512,
        mixing: float = 0.9,
        colours: int = 0,
    ) -> None:
        super().__init__(latent_size, w_size, mapping_layers, mapping_rate, classes, conditions, conditional)
        check_share(mixing=mixing)
        self.mixing, sizes = mixing, map_sizes(image)
        widths = list_channels(len(sizes), width, max_width)[::-1]
        self.palette = make_palette(colours, image[0], w_size, sharpness=1.0)
        self.synthesis = Synthesis(colours or image[0], sizes, widths, w_size)
        self.style_count = self.synthesis.style_count
        self.ranges = dict.fromkeys(("crossover", "cutoff"), (0, self.style_count))

    def latent(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        """Draw what `n` images are made from: beside what all generators with styles have, "z2", "crossover", "noise".

        "z2" is a second noise vector, (n, latent_size); styles from number "crossover" on, (n,), come from it. Outside
        of training no style does. "noise" are the noise maps of all layers, (n, pixels).
        """
        drawn, styles = super().latent(n, rng), self.style_count
        mixes = torch.rand(n, generator=rng) < (self.mixing if self.training else 0.0)
        return drawn | {
            "z2": torch.randn(n, self.latent_size, generator=rng),
            "crossover": torch.where(mixes, torch.randint(1, styles, (n,), generator=rng), styles),
            "noise": torch.randn(n, self.synthesis.noise_length, generator=rng),
        }

    def forward(self, given: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return images, and beside them their styles "w", (n, styles, w_size)."""
        styles = self.truncate(self.mix(given), given)
        images = self.synthesis(styles, given["noise"])
        return self.palette(images, styles[:, -1]) if self.palette else images, {"w": styles}

    def mix(self, given: dict[str, Tensor]) -> Tensor:
        """Return the styles of each image: those of "z", and of "z2" from the crossover on (2019, section 3.1)."""
        both = {key: torch.cat([given[key], given[key]]) for key in self.needs}
        first, second = self.mapping(torch.cat([given["z"], given["z2"]]), both).chunk(2)
        is_first = self.count_styles(given["z"]) < given["crossover"][:, None, None]
        return torch.where(is_first, first[:, None], second[:, None])
