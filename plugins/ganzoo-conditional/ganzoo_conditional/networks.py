"""A DCGAN that draws the class that a label asks for, and a discriminator that judges an image by its label.

Of data with several labels, classes or amounts, all are asked for.

The generator takes the label beside the noise, as Mirza and Osindero 2014 do, through a learned embedding. The
discriminator is the projection of Miyato and Koyama 2018, equation 3. The layers are DCGAN's (Radford et al. 2016):
kernels of 4, batch norm, ReLU and a final tanh in the generator, LeakyReLU of slope 0.2 in the discriminator.
"""

from typing import Literal

import torch
from torch import Tensor, nn

import ganzoo
from ganzoo.layers import (
    ConditionEmbedding,
    LabelFacts,
    dcgan_downsampling,
    dcgan_upsampling,
    initialise_normal,
    linear_stem,
    make_palette,
    pyramid,
    read_conditions,
    smallest_map,
)


class Generator(ganzoo.Generator):
    """Map latents of length `latent_size` and labels to images in [-1, 1] of shape (n, channels, height, width).

    `embedding` is the length of the vector that is learned for each class, `width` the number of channels in the
    layer nearest the image; each layer further from it has twice as many, up to `max_width`. `upsample` and `colours`
    as in `dcgan`.
    Raises `ValueError` for an image side that is no multiple of 4 or below 16, or an option out of range.
    """

    needs: tuple[str, ...] = ("label",)

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int | None = None,
        conditions: LabelFacts | None = None,
        latent_size: int = 100,
        embedding: int = 50,
        width: int = 64,
        max_width: int = 512,
        upsample: Literal["transposed", "nearest"] = "transposed",
        colours: int = 0,
    ) -> None:
        super().__init__()
        if latent_size < 1 or embedding < 1:
            raise ValueError(f"latent_size and embedding must be at least 1, got {latent_size} and {embedding}")
        known = read_conditions(classes, conditions)
        self.latent_size, self.needs = latent_size, known.needs
        self.categorical, self.amounts = known.categorical, known.amounts
        palette = make_palette(colours, image[0], latent_size + embedding, sharpness=6.0)
        stages = pyramid((colours or image[0], *image[1:]), width, max_width)
        self.embed = ConditionEmbedding(known, embedding)
        stem = linear_stem(latent_size + embedding, stages[-1].inner, smallest_map(stages))
        *layers, tanh = dcgan_upsampling(stages, upsample=upsample)
        self.network = nn.Sequential(*stem, *layers, *([] if colours else [tanh]))
        self.apply(initialise_normal)
        self.palette = palette  # which keeps its own initial weights

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for `given["z"]`, (n, latent_size), and for labels such as `given["label"]`, (n,)."""
        code = torch.cat([given["z"], self.embed(given)], 1)
        images: Tensor = self.network(code)
        return self.palette(images, code) if self.palette else images


class Discriminator(nn.Module):
    """Map images of shape (n, channels, height, width) and labels to raw scores of shape (n,).

    Miyato and Koyama 2018, equation 3: score = psi(phi(x)) + <embed(y), phi(x)>, where phi is convolutions whose last
    feature map is summed over its pixels and psi is linear. `width` and `max_width` as in `Generator`;
    `batch_norm=False` is for losses that need the gradient of each image by itself.
    Raises `ValueError` for an image side that is no multiple of 4 or below 16, or an option out of range.
    """

    needs: tuple[str, ...] = ("label",)

    def __init__(
        self,
        *,
        image: tuple[int, int, int],
        classes: int | None = None,
        conditions: LabelFacts | None = None,
        width: int = 64,
        max_width: int = 512,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        known = read_conditions(classes, conditions)
        self.needs = known.needs
        stages = pyramid(image, width, max_width)
        features = stages[-1].inner
        self.phi = nn.Sequential(*dcgan_downsampling(stages, batch_norm=batch_norm))
        self.psi = nn.Linear(features, 1)
        self.embed = ConditionEmbedding(known, features)
        self.apply(initialise_normal)
        nn.init.normal_(self.embed.weight, 0.0, 0.02)

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return one raw score per image, judged by labels, such as `given["label"]`, of shape (n,)."""
        features: Tensor = self.phi(images).sum((2, 3))
        scores: Tensor = self.psi(features).squeeze(1) + (self.embed(given) * features).sum(1)
        return scores
