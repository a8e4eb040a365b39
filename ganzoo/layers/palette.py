"""A last layer for drawings: images that are mixtures of a few colours of their own."""

import torch
from torch import Tensor, nn

HIDDEN = 256
"""Units in each of the two hidden layers that make the colours."""
SLOPE = 0.2


class Palette(nn.Module):
    """Draw images of shape (n, channels, height, width) in [-1, 1] with `colours` colours, which a code chooses.

    A softmax over `colours` maps says how much of each colour is in a pixel. Areas of one colour become flat, which
    convolutions alone hardly learn, and edges are as smooth as a drawing's. Ours.
    `sharpness` is what maps are multiplied with before the softmax at first; it is learned, one number for each colour.
    Times the deviation of the first maps it should be 1 to 2: far above, colours do not mix, and learn slowly.
    """

    def __init__(self, colours: int, channels: int, code_size: int, sharpness: float) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.full((colours, 1, 1), sharpness))
        layers: list[nn.Module] = []
        for size in (code_size, HIDDEN):
            layers += [nn.Linear(size, HIDDEN), nn.LeakyReLU(SLOPE)]
        self.choose = nn.Sequential(
            *layers, nn.Linear(HIDDEN, channels * colours), nn.Tanh(), nn.Unflatten(1, (channels, colours))
        )

    def forward(self, maps: Tensor, code: Tensor) -> Tensor:
        """Return images for maps (n, colours, height, width) and codes (n, code_size)."""
        shares = (self.sharpness * maps).softmax(1)
        images: Tensor = self.choose(code) @ shares.flatten(2)
        return torch.unflatten(images, 2, maps.shape[2:])


def make_palette(colours: int, channels: int, code_size: int, sharpness: float) -> Palette | None:
    """Return a palette for a generator's option `colours`; None if it is 0. Raises `ValueError` for 1 or fewer."""
    if colours == 0:
        return None
    if colours < 2:
        raise ValueError(f"colours must be 0, for none, or at least 2, got {colours}")
    return Palette(colours, channels, code_size, sharpness)
