"""A small convolutional GAN for images of any size; its parameters are options."""

from torch import Tensor, nn

import ganzoo


class Generator(ganzoo.Generator):
    """Latents (n, latent_size) to images (n, channels, height, width) in [-1, 1]."""

    def __init__(
        self,
        image: tuple[int, int, int],
        latent_size: int = 64,
        width: int = 32,
    ):
        super().__init__()
        self.latent_size = latent_size
        channels, full = image[0], image[1:]
        half = halved(full)
        rows, columns = halved(half)
        self.network = nn.Sequential(
            nn.Linear(latent_size, 2 * width * rows * columns),
            nn.Unflatten(1, (2 * width, rows, columns)),
            *[nn.BatchNorm2d(2 * width), nn.ReLU(), nn.Upsample(half)],
            nn.Conv2d(2 * width, width, 3, padding=1),
            *[nn.BatchNorm2d(width), nn.ReLU(), nn.Upsample(full)],
            nn.Conv2d(width, channels, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Return images for the latents in `given["z"]`."""
        images: Tensor = self.network(given["z"])
        return images


class Discriminator(nn.Module):
    """Images (n, channels, height, width) to raw scores (n, 1), without a sigmoid."""

    def __init__(self, image: tuple[int, int, int], width: int = 32):
        super().__init__()
        channels, full = image[0], image[1:]
        rows, columns = halved(halved(full))
        self.network = nn.Sequential(
            *[nn.Conv2d(channels, width, 3, 2, padding=1), nn.LeakyReLU(0.2)],
            *[nn.Conv2d(width, 2 * width, 3, 2, padding=1), nn.LeakyReLU(0.2)],
            nn.Flatten(),
            nn.Linear(2 * width * rows * columns, 1),
        )

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return one score per image; `given` has the labels too, where the data have some."""
        scores: Tensor = self.network(images)
        return scores


def halved(size: tuple[int, int]) -> tuple[int, int]:
    """Return half the height and width, rounded up as a convolution of stride 2 does."""
    height, width = size
    return (height + 1) // 2, (width + 1) // 2
