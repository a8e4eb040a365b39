"""Networks without a last activation."""

import torch
from torch import nn
from torch.nn import functional as F

import ganzoo


class Block(nn.Module):
    def __init__(self, inner, outer, style):
        super().__init__()
        self.style, self.conv = nn.Linear(style, inner), nn.Conv2d(inner, outer, 3, padding=1)
        self.noise = nn.Parameter(torch.zeros(()))
        nn.init.ones_(self.style.bias)

    def forward(self, maps, w, noise):
        maps = F.interpolate(maps * self.style(w)[:, :, None, None], scale_factor=2)
        return F.leaky_relu(self.conv(maps) + self.noise * F.interpolate(noise, maps.shape[2:]), 0.2)


class Generator(ganzoo.Generator):
    latent_size = 16

    def __init__(self, image, width: int = 8, style: int = 16, layers: int = 2):
        super().__init__()
        if image[1] != image[2] or image[1] % 4:
            raise ValueError(f"images must be squares of a multiple of 4 pixels, got {image[1]} x {image[2]}")
        first = [nn.Linear(self.latent_size, style), nn.LeakyReLU(0.2)]
        more = [layer for _ in range(layers - 1) for layer in (nn.Linear(style, style), nn.LeakyReLU(0.2))]
        self.mapping = nn.Sequential(*first, *more)
        self.start = nn.Parameter(torch.randn(1, width, image[1] // 4, image[1] // 4))
        self.blocks = nn.ModuleList([Block(width, width, style), Block(width, width, style)])
        self.to_image = nn.Conv2d(width, image[0], 1)
        self.register_buffer("mean_style", torch.zeros(style))

    def latent(self, n, rng):
        z, noise = torch.randn(n, self.latent_size, generator=rng), torch.randn(n, 1, 16, 16, generator=rng)
        return {"z": z, "noise": noise}

    def forward(self, given):
        w = self.mapping(F.normalize(given["z"]) * self.latent_size**0.5)
        second = self.mapping(F.normalize(given["z2"])) if "z2" in given else w
        maps = self.start.expand(len(w), -1, -1, -1)
        for block, style in zip(self.blocks, (w, second), strict=True):
            maps = block(maps, style, given["noise"])
        return self.to_image(maps), {"w": w}

    def finish(self, batches):
        for given, _ in zip(batches, range(2), strict=False):
            self.mean_style += self.mapping(F.normalize(given["z"]) * self.latent_size**0.5).mean(0) / 2


class Critic(nn.Module):
    def __init__(self, image, width: int = 8):
        super().__init__()
        first = nn.utils.spectral_norm(nn.Conv2d(image[0], width, 4, 2, 1))
        second = nn.utils.spectral_norm(nn.Conv2d(width, width, 4, 2, 1))
        self.features = nn.Sequential(first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2), nn.Flatten())
        self.score = nn.Linear(width * (image[1] // 4) * (image[2] // 4), 1)

    def forward(self, images, given):
        return self.score(self.features(images))
